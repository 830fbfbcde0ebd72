"""Leads and the identities that they are found by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from dripline.language.completeness import lacks
from dripline.language.touches import TOUCHES
from dripline.store.database import insert_into, lock_lead
from dripline.store.schema import identities, leads

COLUMNS = ("external_id", "email", "phone", "locale", "timezone", "country", "stage")
"""What every lead has beside the workspace's own attributes; each NULL until it is said."""

IDENTIFYING = ("external_id", "email", "phone")
"""The columns that are identities as well."""

_JUDGED = frozenset({"email", "phone", "attributes"})
"""The columns that decide what a lead lacks."""

# Built once: building a statement costs three times as much as executing it.
_LEAD = select(leads).where(leads.c.id == bindparam("lead"))
_LEADS = (
    select(leads)
    .where(leads.c.id.in_(bindparam("leads", expanding=True)))
    .order_by(leads.c.id)
    .with_for_update()
)
_MERGED = select(leads.c.id).where(
    leads.c.id.in_(bindparam("leads", expanding=True)), leads.c.merged_into.is_not(None)
)
# Kinds and values apart: asked for pairs, SQLite reads through everybody's.
_OWNERS = select(identities.c.kind, identities.c.value, identities.c.lead_id).where(
    identities.c.kind.in_(bindparam("kinds", expanding=True)),
    identities.c.value.in_(bindparam("values", expanding=True)),
)
_MERGED_INTO = select(leads.c.merged_into).where(leads.c.id == bindparam("lead"))

WHO = (
    leads.c.external_id.label("lead_external_id"),
    leads.c.email.label("lead_email"),
    leads.c.phone.label("lead_phone"),
)
"""What a lead may be called, as columns beside those of something that is its."""


IDENTITIES = ("external_id", "email", "phone", "anonymous_id")
"""Kinds of names by which leads are found."""


@dataclass(frozen=True, order=True)
class Identity:
    """A name by which exactly one lead is found. `value` is normalised (an e-mail address in lower case)."""

    kind: str
    value: str


def identity_of(kind: str, value: str) -> Identity:
    """The identity that a lead's column `kind` with this normalised value stands for."""
    return Identity(kind, value.casefold() if kind == "email" else value)


def owners(connection: Connection, wanted: Iterable[Identity]) -> dict[Identity, str]:
    """The ids of the leads that have these identities; those that nobody has are missing."""
    asked = set(wanted)
    if not asked:
        return {}
    both = {"kinds": sorted({one.kind for one in asked}), "values": sorted({one.value for one in asked})}
    found = {Identity(row.kind, row.value): row.lead_id for row in connection.execute(_OWNERS, both)}
    return {one: lead for one, lead in found.items() if one in asked}


def claim(connection: Connection, lead_id: str, wanted: Iterable[Identity], now: datetime) -> bool:
    """Give the lead these identities, of which it may have some; False if another lead has one of them.

    Always in one order, so that two writers never wait for each other in a circle.
    """
    for one in sorted(set(wanted)):
        row = {"kind": one.kind, "value": one.value, "lead_id": lead_id, "created_at": now}
        statement = insert_into(connection, identities).values(row).on_conflict_do_nothing()
        new = connection.execute(statement.returning(identities.c.lead_id)).one_or_none() is not None
        if not new and owners(connection, [one]).get(one) != lead_id:
            return False
    return True


def give_up(connection: Connection, lead_id: str, old: Iterable[Identity]) -> None:
    """Take these identities from the lead, so that another may have them."""
    for one in old:
        connection.execute(
            delete(identities).where(
                identities.c.kind == one.kind,
                identities.c.value == one.value,
                identities.c.lead_id == lead_id,
            )
        )


def add_lead(connection: Connection, lead_id: str, values: Mapping[str, Any], now: datetime) -> None:
    """Insert a lead; what `values` leaves out is empty."""
    empty: dict[str, Any] = {"consent": {}, "topics": {}, "attributes": {}}
    whole = {**empty, **values, "lacks": _lacks(values)}
    connection.execute(insert(leads).values({**whole, "id": lead_id, "created_at": now, "updated_at": now}))


def add_leads(connection: Connection, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Insert leads, each with its id; all rows have the same columns, but what they lack need not be said."""
    empty: dict[str, Any] = {"consent": {}, "topics": {}, "attributes": {}, **dict.fromkeys(TOUCHES)}
    times = {"created_at": now, "updated_at": now}
    if rows:
        connection.execute(insert(leads), [{**empty, **row, "lacks": _lacks(row), **times} for row in rows])


def claim_all(connection: Connection, wanted: Iterable[tuple[str, Identity]], now: datetime) -> int:
    """Give leads identities; how many they got, as others may have been quicker. In one order, as `claim`."""
    rows = [
        {"kind": one.kind, "value": one.value, "lead_id": lead_id, "created_at": now}
        for lead_id, one in sorted(wanted, key=lambda pair: pair[1])
    ]
    if not rows:
        return 0
    statement = insert_into(connection, identities).on_conflict_do_nothing().returning(identities.c.kind)
    return len(connection.execute(statement, rows).all())


def change_lead(connection: Connection, lead_id: str, values: Mapping[str, Any], now: datetime) -> None:
    """Set columns of a lead, and with them what it lacks. Lock it first."""
    if _JUDGED.intersection(values):
        whole: dict[str, Any] = {**values}
        if not _JUDGED.issubset(values):
            whole = {**load_lead(connection, lead_id)._mapping, **values}
        values = {**values, "lacks": _lacks(whole)}
    connection.execute(update(leads).where(leads.c.id == lead_id).values({**values, "updated_at": now}))


def _lacks(values: Mapping[str, Any]) -> list[str]:
    return lacks(
        {**(values.get("attributes") or {}), "email": values.get("email"), "phone": values.get("phone")}
    )


def lock_leads(connection: Connection, lead_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Lock these leads' rows, in the one order in which several are locked; the rows by id."""
    return {row.id: row for row in connection.execute(_LEADS, {"leads": list(lead_ids)})}


def lock_survivor(connection: Connection, lead_id: str) -> Row[Any] | None:
    """Lock the lead that this one has become by merging (mostly itself): its row, or None if unknown."""
    while True:
        row = lock_lead(connection, survivor_id(connection, lead_id))
        if row is None or row.merged_into is None:
            return row
        lead_id = row.merged_into  # merged between the look and the lock


def survivors(connection: Connection, lead_ids: Collection[str]) -> dict[str, str]:
    """For each lead, the id of the one that it has become by merging."""
    merged = connection.execute(_MERGED, {"leads": list(lead_ids)}).scalars()
    return {**{one: one for one in lead_ids}, **{one: survivor_id(connection, one) for one in merged}}


def survivor_id(connection: Connection, lead_id: str) -> str:
    """The id of the lead that this one has become by merging: its own where it was never merged."""
    seen = {lead_id}
    while True:
        merged_into = connection.execute(_MERGED_INTO, {"lead": lead_id}).scalar_one_or_none()
        if merged_into is None or merged_into in seen:
            return lead_id
        seen.add(merged_into)
        lead_id = merged_into


def load_lead(connection: Connection, lead_id: str) -> Row[Any]:
    """The row of a lead that is surely there, without a lock."""
    return connection.execute(_LEAD, {"lead": lead_id}).one()


def read_lead(connection: Connection, lead_id: str) -> Row[Any] | None:
    """The row of the lead that this one has become by merging, without a lock; None if unknown."""
    final = survivor_id(connection, lead_id)
    return connection.execute(_LEAD, {"lead": final}).one_or_none()


def called(connection: Connection, lead_ids: Collection[str]) -> dict[str, Any]:
    """What these leads may be called, by their ids: `lead_id`, `lead_email`, …"""
    query = select(leads.c.id.label("lead_id"), *WHO).where(leads.c.id.in_(lead_ids))
    return {row.lead_id: row for row in connection.execute(query)}


def facts(lead: Row[Any]) -> dict[str, Any]:
    """A lead as conditions and templates see it: its columns, and the workspace's attributes beside them."""
    own = {
        name: getattr(lead, name)
        for name in (
            "id",
            *COLUMNS,
            "score",
            "grade",
            "warmth",
            "tags",
            "owner",
            "consent",
            "topics",
            *TOUCHES,
            "paused_until",
            "rfm",
            "stage_at",
            "owner_at",
            "customer",
            "created_at",
        )
    }
    own["segments"] = lead.segments or []
    known = {**(lead.attributes or {}), **own}
    missing = lacks(known)
    return {**known, "lacks": missing, "complete": not missing}


__all__ = [
    "COLUMNS",
    "IDENTIFYING",
    "Identity",
    "add_lead",
    "change_lead",
    "claim",
    "facts",
    "give_up",
    "identity_of",
    "load_lead",
    "lock_leads",
    "lock_survivor",
    "owners",
    "read_lead",
    "survivor_id",
    "survivors",
]
