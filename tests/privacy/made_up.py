"""A lead that has a row in every table, with a mark of its own in every personal column."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Connection, Table, insert, select, update
from sqlalchemy.sql.sqltypes import JSON, String, Text

from dripline.privacy.personal import RULES
from dripline.store import schema
from dripline.store.house import open_house
from tests.durable.house import NOW

LEAD, LOSER, OTHER = "lead-1", "lead-2", "lead-3"
EMAIL, PHONE, OLD_EMAIL = "marked-ani@example.com", "+37491123456", "marked-old@example.com"
MARK = "marked-"

# Keys and what others refer to: marked as they are inserted.
_AS_INSERTED = {
    "events": ("id", "name"),
    "inbox": ("event_id",),
    "runs": ("trigger_event",),
    "identities": ("kind", "value"),
    "memberships": ("group_id",),
    "groups": ("id",),
    "segment_members": ("segment",),
    "bounces": ("address_hash",),
    "inbound": ("id",),
    "idempotency": ("key", "body"),
    "interests": ("product_id",),
}


def mark_everything(connection: Connection, run_id: str) -> None:
    """Give LEAD, which has this run, a row in every table; and mark every personal column of its rows."""
    _insert_rows(connection, run_id)
    for name, rule in RULES.items():
        table = schema.metadata.tables[name]
        marked = {
            column: _mark(table, table.c[column])
            for column in rule.personal
            if column not in _AS_INSERTED.get(name, ())
            and isinstance(table.c[column].type, String | Text | JSON)
        }
        if not marked:
            continue
        connection.execute(update(table).where(*_ours(table)).values(marked))


def _ours(table: Table) -> list[Any]:
    if table.name == "leads":
        return [table.c.id == LEAD]
    return [table.c.lead_id == LEAD] if "lead_id" in table.c else []


def _mark(table: Table, column: Column[Any]) -> Any:
    mark = f"{MARK}{table.name}-{column.name}"
    if isinstance(column.type, JSON):
        return [mark] if column.name in ("tags", "lacks", "accepted") else {"said": mark, "event": mark}
    special = {
        ("leads", "email"): EMAIL,
        ("leads", "phone"): PHONE,
        ("messages", "recipient"): OLD_EMAIL,
        ("mailbox", "recipient"): OLD_EMAIL,
        ("inbound", "sender"): PHONE,
        ("leads", "country"): "AM",
        ("leads", "grade"): "B",
        ("leads", "warmth"): "cold",
        ("score_changes", "grade"): "B",
        ("score_changes", "warmth"): "cold",
    }
    return special.get((table.name, column.name), mark)


def _insert_rows(connection: Connection, run_id: str) -> None:
    house = open_house(connection)

    def add(table: Table, **values: Any) -> None:
        connection.execute(insert(table).values(**values))

    message = connection.execute(select(schema.messages.c.id)).scalars().first()
    nothing: dict[str, Any] = {"consent": {}, "topics": {}, "created_at": NOW, "updated_at": NOW}
    add(
        schema.leads,
        id=LOSER,
        email="marked-loser@example.com",
        merged_into=LEAD,
        attributes={"n": MARK},
        **nothing,
    )
    add(schema.leads, id=OTHER, email="other@example.com", attributes={}, **nothing)
    for kind, value in (("email", EMAIL), ("phone", PHONE), ("anonymous_id", f"{MARK}anonymous")):
        add(schema.identities, kind=kind, value=value, lead_id=LEAD, created_at=NOW)
    add(schema.identities, kind="email", value="marked-loser@example.com", lead_id=LOSER, created_at=NOW)
    add(schema.identities, kind="email", value="other@example.com", lead_id=OTHER, created_at=NOW)
    add(schema.merges, id="merge", winner_id=LEAD, loser_id=LOSER, at=NOW, cause="command", detail={})
    add(schema.touches, lead_id=LEAD, at=NOW, channel="email", cost=120, currency="AMD")
    add(schema.consents, lead_id=LEAD, channel="email", state="granted", at=NOW, source="form", proof={})
    since = update(schema.leads).where(schema.leads.c.id == LEAD).values(stage_at=NOW, owner_at=NOW)
    connection.execute(since)
    add(schema.stage_changes, lead_id=LEAD, at=NOW, before="new", after="customer", source="api")
    add(schema.customers, id="customer", lead_id=LEAD, converted_at=NOW, path=[], card={}, updated_at=NOW)
    add(schema.assignments, lead_id=LEAD, person="nare", at=NOW, how="load", why=[], terms={})
    add(schema.tasks, id="task", lead_id=LEAD, person="nare", title="", created_at=NOW)
    add(schema.groups, id=f"{MARK}group", traits={}, created_at=NOW, updated_at=NOW)
    add(schema.memberships, lead_id=LEAD, group_id=f"{MARK}group", created_at=NOW)
    add(schema.segment_members, lead_id=LEAD, segment=f"{MARK}segment_members-segment", entered_at=NOW)
    add(schema.imports, id="import", at=NOW, file="leads.csv", digest="d", mapping={}, counts={})
    add(schema.import_rows, import_id="import", line=2, lead_id=LEAD, what="created")
    event = {"properties": {}, "received_at": NOW}
    add(schema.events, id=f"{MARK}event", lead_id=LEAD, name=f"{MARK}name", **event)
    add(schema.events, id="others-event", lead_id=OTHER, name="lead.created", **event)
    add(schema.inbox, run_id=run_id, kind="event", event_id=f"{MARK}event", received_at=NOW)
    connection.execute(
        update(schema.runs).where(schema.runs.c.id == run_id).values(trigger_event=f"{MARK}event")
    )
    add(
        schema.outbox, key="asked", run_id=run_id, step="s", kind="webhook", payload={}, visit=1, queued_at=NOW,
        progress_at=NOW,
    )  # fmt: skip
    add(
        schema.discounts, id="discount", code="ABCDE-FGHJK", plain_code="ABCDEFGHJK", shared=False, lead_id=LEAD,
        run_id=run_id, journey="welcome", step="s", visit=1, issued_at=NOW,
    )  # fmt: skip
    add(
        schema.campaigns, id="campaign", name="spring", journey="welcome", audience="lead.stage == 'lost'",
        state="running", own_zone=False, created_at=NOW,
    )  # fmt: skip
    add(
        schema.campaign_leads, campaign_id="campaign", found_as=LEAD, lead_id=LEAD, number=1, state="refused",
    )  # fmt: skip
    add(schema.orders, lead_id=LEAD, at=NOW, total=1, currency="AMD")
    add(schema.referral_codes, plain_code="FRIEND", code="FRI-END", lead_id=LEAD, program="p", created_at=NOW)
    add(
        schema.referrals, id="referral", program="p", referrer_id=LEAD, friend_id=OTHER, at=NOW, via="api",
        state="joined", terms={},
    )  # fmt: skip
    add(schema.score_points, lead_id=LEAD, rule="Demo", points=1, at=NOW)
    add(schema.score_changes, lead_id=LEAD, score=1, at=NOW, why="Demo")
    interest = {
        "product_id": f"{MARK}interests-product_id",
        "kind": "viewed",
        "first_at": NOW,
        "last_at": NOW,
    }
    add(schema.interests, lead_id=LEAD, times=1, **interest)
    add(
        schema.survey_asks, id="ask", survey="recommend", kind="nps", lead_id=LEAD, run_id=run_id, asked_at=NOW,
    )  # fmt: skip
    add(schema.hits, message_id=message, kind="click", at=NOW)
    add(
        schema.inbound, id=f"{MARK}inbound", channel="sms", lead_id=LEAD, sender=PHONE, body="", intent="reply",
        at=NOW,
    )  # fmt: skip
    add(schema.mailbox, key=message, channel="email", recipient=OLD_EMAIL, sender="us", body="", at=NOW)
    hashed = house.address_hash("email", EMAIL)
    add(
        schema.suppressions,
        channel="email",
        address_hash=hashed,
        reason="unsubscribed",
        created_at=NOW,
        why="",
    )
    add(schema.bounces, channel="email", address_hash=hashed, times=1, first_at=NOW, last_at=NOW)
    add(
        schema.idempotency, key=f"{MARK}key", request_hash="h", status=202, created_at=NOW,
        body={"id": f"{MARK}event", "lead": LEAD},
    )  # fmt: skip


def everything(connection: Connection) -> dict[str, str]:
    """What each table holds, as text."""
    return {
        name: "\n".join(str(tuple(row)) for row in connection.execute(select(table)))
        for name, table in schema.metadata.tables.items()
    }
