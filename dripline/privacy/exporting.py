"""Everything that is kept of a lead, for the lead: all of it, in one stable form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, select

from dripline.clock import HouseClock
from dripline.ingest.referring.guards import told_to_referrer
from dripline.privacy.personal import RULES
from dripline.privacy.scrubbing import Person, find_person, whose_rows
from dripline.store import schema
from dripline.store.house import House
from dripline.store.orders import items_of
from dripline.story import tell

FORMAT = "dripline-lead-export/1"
"""Names the form: what is there stays, what is new is added."""

SECTIONS: Mapping[str, str] = {
    "leads": "leads",
    "identities": "identities",
    "consents": "consents",
    "suppressions": "suppressed",
    "events": "events",
    "runs": "runs",
    "messages": "messages",
    "hits": "opens_and_clicks",
    "inbound": "replies",
    "discounts": "discounts",
    "orders": "orders",
    "referral_codes": "codes_for_friends",
    "referrals": "friends_brought",
    "interests": "interests",
    "campaign_leads": "campaigns",
    "survey_asks": "surveys",
    "touches": "touches",
    "stage_changes": "stages",
    "customers": "customer_cards",
    "assignments": "owners",
    "tasks": "tasks",
    "memberships": "groups",
    "segment_members": "segments",
    "outbox": "told_to_other_systems",
    "inbox": "waiting_to_be_looked_at",
    "step_log": "steps",
    "merges": "merges",
    "import_rows": "imports",
    "mailbox": "copies",
    "bounces": "soft_bounces",
    "score_points": "points",
    "score_changes": "scores",
}
"""By table, the name under which its rows are told, in this order."""

_PLUMBING = frozenset(
    {"seq", "wake_wanted", "wake_done", "wake_wanted_at", "plan_hash", "frozen_for", "lease_until"}
    | {"attempt_id", "progress_at", "taken_in", "plain_code", "address_hash", "visits"}
    | {"device_hash", "network_hash", "due_at", "terms"}
    | {"attempt_id", "progress_at", "taken_in", "plain_code", "address_hash", "visits", "rescore_at"}
)
"""Columns that keep the machine going and say nothing of anybody."""

_OF_REFERRER = frozenset({"referrer_id", "rewarded_at", "number", "reward", "reward_id"})
_OF_FRIEND = frozenset({"friend_id", "welcome_id", "order_id", "device_hash", "network_hash"})
"""Of who brought whom: what is the one's and no business of the other. The code of a reward is as good as money."""

_OURS = ("addressee", "recipient")
"""Of a notice: the colleague's address, who is no part of the lead."""


def export(
    connection: Connection, house: House, lead: Row[Any], clock: HouseClock, where: tzinfo, at: datetime
) -> dict[str, Any]:
    """Everything of a lead, and of all that were merged into it, as JSON. `at` is now (UTC)."""
    person = find_person(connection, house, _with_merged(connection, lead.id))
    found: dict[str, Any] = {"format": FORMAT, "exported_at": at.isoformat(), "lead": lead.id}
    colleagues = {row["addressee"] for row in _rows(connection, person, "messages") if row["notice"]} - {None}
    found["story"] = [
        {"at": entry.at.isoformat(), "journey": entry.journey, "text": _unnamed(entry.text, colleagues)}
        for entry in tell(connection, lead, clock, where).entries
    ]
    for table, name in SECTIONS.items():
        found[name] = [_told(row, table, person) for row in _rows(connection, person, table)]
    for row, hashed in zip(found["suppressed"], _hashes(connection, person, "suppressions"), strict=True):
        row["address"] = _address(person, house, row["channel"], hashed)
    return found


def _with_merged(connection: Connection, lead_id: str) -> list[str]:
    leads = schema.leads
    found, newest = [lead_id], [lead_id]
    while newest:
        query = select(leads.c.id).where(leads.c.merged_into.in_(newest)).order_by(leads.c.id)
        newest = [one for one in connection.execute(query).scalars() if one not in found]
        found += newest
    return found


def _rows(connection: Connection, person: Person, name: str) -> Iterator[Mapping[str, Any]]:
    table = schema.metadata.tables[name]
    for where in whose_rows(table, RULES[name], person):
        query = select(table).where(where).order_by(*table.primary_key.columns)
        if name == "memberships":
            groups = schema.groups
            query = select(table, groups.c.traits).join(groups, groups.c.id == table.c.group_id).where(where)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        yield from _with_items(connection, rows) if name == "orders" else rows


def _with_items(connection: Connection, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items: dict[int, list[dict[str, Any]]] = {row["id"]: [] for row in orders}
    for item in items_of(connection, items):
        items[item.order_id].append(
            {"product": item.product_id, "quantity": item.quantity, "price": item.price}
        )
    return [{**row, "items": items[row["id"]]} for row in orders]


def _hashes(connection: Connection, person: Person, name: str) -> list[str]:
    return [row["address_hash"] for row in _rows(connection, person, name)]


def _address(person: Person, house: House, channel: str, hashed: str) -> str | None:
    return next(
        (one for one in person.addresses[channel] if house.address_hash(channel, one) == hashed), None
    )


def _unnamed(text: str, colleagues: set[str]) -> str:
    for one in colleagues:
        text = text.replace(one, "a colleague")
    return text


def _told(row: Mapping[str, Any], table: str, person: Person) -> dict[str, Any]:
    left_out = {*_PLUMBING, *(_OURS if table == "messages" and row["notice"] else ())}
    if table == "referrals":
        left_out |= _OF_REFERRER if row["referrer_id"] not in person.leads else frozenset()
        left_out |= _OF_FRIEND if row["friend_id"] not in person.leads else frozenset()
        if row["friend_id"] not in person.leads:
            row = {**row, "refused": told_to_referrer(row["refused"])}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in left_out
    }


__all__ = ["FORMAT", "export"]
