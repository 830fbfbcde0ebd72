"""Companies and other groups, and who belongs to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from dripline.store.database import insert_into
from dripline.store.schema import groups, memberships


def keep_group(connection: Connection, group_id: str, traits: Mapping[str, Any], now: datetime) -> None:
    """Make or change a group: what is said is laid over what is known of it, null empties."""
    said = {name: value for name, value in traits.items() if value is not None}
    row = {"id": group_id, "traits": said, "created_at": now, "updated_at": now}
    made = insert_into(connection, groups).values(row).on_conflict_do_nothing().returning(groups.c.id)
    if connection.execute(made).one_or_none() is not None or not traits:
        return
    known = connection.execute(
        select(groups.c.traits).where(groups.c.id == group_id).with_for_update()
    ).scalar_one()
    after = {name: value for name, value in {**known, **traits}.items() if value is not None}
    if after != known:
        connection.execute(update(groups).where(groups.c.id == group_id).values(traits=after, updated_at=now))


def join(connection: Connection, lead_id: str, group_id: str, now: datetime) -> bool:
    """Let a lead belong to a group; whether it did not before."""
    row = {"lead_id": lead_id, "group_id": group_id, "created_at": now}
    made = insert_into(connection, memberships).values(row).on_conflict_do_nothing()
    return connection.execute(made.returning(memberships.c.lead_id)).one_or_none() is not None


def groups_of(connection: Connection, lead_id: str) -> list[Any]:
    """The groups that a lead belongs to."""
    query = select(groups).join(memberships, memberships.c.group_id == groups.c.id)
    return list(connection.execute(query.where(memberships.c.lead_id == lead_id).order_by(groups.c.id)))
