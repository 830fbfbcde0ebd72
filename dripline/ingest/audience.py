"""An audience: the leads of a segment, or those for whom a condition holds, as they are now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from dripline.clock import machine_clock
from dripline.engine.segments import belongs
from dripline.ingest.membership.facts import Crowd
from dripline.ingest.membership.narrowing import narrowed
from dripline.language.check_segments import wrong_audience
from dripline.language.membership import Membership, SegmentRules, compile_segments
from dripline.language.segments import is_name
from dripline.language.workspace import Workspace
from dripline.store.house import open_house
from dripline.store.schema import leads

BATCH = 500
"""Leads that are looked at with one set of queries."""


class BadAudience(ValueError):
    """What was named is no segment of the workspace, and no condition over `lead`: the message says why."""

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.code = code
        self.hint = hint


def find_audience(
    connection: Connection,
    workspace: Workspace,
    audience: str,
    after: str | None,
    limit: int,
    now: datetime | None = None,
) -> list[str]:
    """The next leads (at most `limit`) of an audience after the lead `after`, in the order of their ids.

    `audience` is the name of a segment, or a condition over `lead`. Erased and merged leads are never of it.
    `now` is house time; without it, the present. Fewer than `limit` are the last. Raises BadAudience.
    """
    wanted, rules = read_audience(workspace, audience), compile_segments(workspace)
    now = now or open_house(connection).clock.to_house(machine_clock())
    found: list[str] = []
    while len(found) < limit:
        batch, after = next_of(connection, rules, wanted, after, now)
        found += batch
        if after is None:
            break
    return found[:limit]


def read_audience(workspace: Workspace, audience: str) -> Membership:
    """Who belongs to an audience. Raises BadAudience."""
    wrong = wrong_audience(workspace, audience)
    if wrong is not None:
        raise BadAudience(*wrong[1:])
    if is_name(audience):
        return compile_segments(workspace).segments[audience.strip()]
    return Membership(when=audience)


def next_of(
    connection: Connection, rules: SegmentRules, wanted: Membership, after: str | None, now: datetime
) -> tuple[list[str], str | None]:
    """Who of the next BATCH leads belongs to it, and the lead looked at last; None where there are no more.

    So a long audience can be gone through in bounded parts.
    """
    query = (
        select(leads)
        .where(leads.c.id > (after or ""), leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))
        .where(*narrowed(wanted, rules, now))
        .order_by(leads.c.id)
        .limit(BATCH)
    )
    rows = connection.execute(query).all()
    crowd = Crowd(connection, rules, now, rows)
    found = [one.row.id for one in crowd.each() if belongs(wanted, one)]
    return found, rows[-1].id if len(rows) == BATCH else None


__all__ = ["BATCH", "BadAudience", "find_audience", "next_of", "read_audience"]
