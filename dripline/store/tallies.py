"""How often a thing happened that leaves no other trace, by day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from dripline.store.database import insert_into
from dripline.store.schema import tallies


def tally(connection: Connection, name: str, machine_now: datetime, times: int = 1) -> None:
    """Count that it happened. `name` is one of few, such as `webhook.sendgrid.bad-signature`: never a caller's text."""
    statement = insert_into(connection, tallies).values(
        name=name, day=machine_now.date().isoformat(), times=times
    )
    more = statement.on_conflict_do_update(
        index_elements=["name", "day"], set_={"times": tallies.c.times + statement.excluded.times}
    )
    connection.execute(more)


def tallied(connection: Connection, prefix: str, since: datetime) -> dict[str, int]:
    """How often each thing whose name begins so happened since that day (machine time, UTC)."""
    query = (
        select(tallies.c.name, func.sum(tallies.c.times).label("times"))
        .where(tallies.c.name.startswith(prefix, autoescape=True), tallies.c.day >= since.date().isoformat())
        .group_by(tallies.c.name)
        .order_by(tallies.c.name)
    )
    return {row.name: int(row.times) for row in connection.execute(query)}
