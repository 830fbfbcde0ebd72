"""The ledger: every message once, under a key that never changes, with what surely happened to it.

    queued ──lease──> sending ──> accepted ──> delivered | bounced
      ^                  │  └──> failed (for good)
      │                  └─────> uncertain ──settled──> accepted, or held, or queued again
      └──── not accepted        skipped, held: decided by us, with the reason

A lease belongs to one attempt. Only its holder writes the outcome; a webhook may add facts at any time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Update, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from dripline.engine.effects import QueueMessage
from dripline.providers import DeliveryReport
from dripline.store.database import insert_into
from dripline.store.schema import messages, throttles

_NAMESPACE = uuid.UUID("6b3c9a52-3d0e-4e0b-9d3e-6f0a5d2f7c11")

COUNTED = ("queued", "sending", "uncertain", "held", "accepted", "delivered", "bounced")
"""The states that take a place under a frequency cap; a permanent failure gives it back."""

# Built once: building a statement costs three times as much as executing it.
_QUEUE = {
    "sqlite": sqlite.insert(messages).on_conflict_do_nothing().returning(messages),
    "postgresql": postgresql.insert(messages).on_conflict_do_nothing().returning(messages),
}
_TOWARD_LIMIT = select(func.count()).where(
    messages.c.lead_id == bindparam("lead"),
    messages.c.queued_at > bindparam("since"),
    messages.c.transactional.is_(False),
    messages.c.notice.is_(False),
    messages.c.state.in_(COUNTED),
)
_ALL = select(func.count()).where(
    messages.c.lead_id == bindparam("lead"),
    messages.c.written_at > bindparam("since"),
    messages.c.notice.is_(False),
    messages.c.state.in_(COUNTED),
)
_OPEN = (
    select(messages.c.id, messages.c.channel, messages.c.transactional, messages.c.journey)
    .where(messages.c.run_id == bindparam("run"), messages.c.state.in_(("queued", "sending")))
    .order_by(messages.c.queued_at, messages.c.id)
)
_MESSAGE = select(messages).where(messages.c.id == bindparam("message"))
_LOCK = _MESSAGE.with_for_update()
_LEASE = (
    update(messages)
    .where(messages.c.id == bindparam("message"))
    .values(attempts=messages.c.attempts + 1, reason=None)
)


def message_key(run_id: str, step: str, visit: int) -> str:
    """The idempotency key of a message: the same for every try, another for every visit of the step."""
    return uuid.uuid5(_NAMESPACE, f"{run_id}/{step}/{visit}").hex


def queue(
    connection: Connection,
    run: Row[Any],
    wanted: QueueMessage,
    now: datetime,
    machine_now: datetime,
    skipped: str | None = None,
) -> Row[Any] | None:
    """Put a message in the ledger, or one that is skipped with a reason; its row. Doing it twice changes nothing.

    None where it is there already.
    """
    row = {
        "id": message_key(run.id, wanted.step, wanted.visit),
        "run_id": run.id,
        "lead_id": run.lead_id,
        "journey": run.journey,
        "plan_hash": run.plan_hash,
        "step": wanted.step,
        "visit": wanted.visit,
        "channel": wanted.channel,
        "template": wanted.template,
        "topic": wanted.topic,
        "transactional": wanted.transactional,
        "priority": run.priority,
        "notice": wanted.notice,
        "addressee": wanted.to,
        "context": dict(wanted.context),
        "queued_at": wanted.at,
        "written_at": now,
        "expires_at": wanted.expires_at,
        "progress_at": machine_now,
        "skipped_at": wanted.at if skipped else None,
        "reason": skipped,
    }
    return connection.execute(_QUEUE[connection.dialect.name], row).one_or_none()


def count_toward_limit(connection: Connection, lead_id: str, since: datetime) -> int:
    """How many marketing messages to the lead, of all journeys, hold a place since then."""
    return connection.execute(_TOWARD_LIMIT, {"lead": lead_id, "since": since}).scalar_one()


def counted_since(connection: Connection, lead_id: str, since: datetime) -> list[datetime]:
    """When the messages that `count_toward_limit` counts were queued, oldest first."""
    query = (
        select(messages.c.queued_at)
        .where(
            messages.c.lead_id == lead_id,
            messages.c.queued_at > since,
            messages.c.transactional.is_(False),
            messages.c.notice.is_(False),
            messages.c.state.in_(COUNTED),
        )
        .order_by(messages.c.queued_at)
    )
    return list(connection.execute(query).scalars())


def reserve_slot(connection: Connection, journey: str, at: datetime, spacing: timedelta) -> datetime:
    """Take the journey's next place in the line, not before `at`. Lock its lead and run first."""
    connection.execute(
        insert_into(connection, throttles).values(journey=journey, next_at=at).on_conflict_do_nothing()
    )
    line = select(throttles.c.next_at).where(throttles.c.journey == journey).with_for_update()
    free: datetime = connection.execute(line).scalar_one()
    slot = max(at, free)
    connection.execute(update(throttles).where(throttles.c.journey == journey).values(next_at=slot + spacing))
    return slot


def count_all(connection: Connection, lead_id: str, since: datetime) -> int:
    """How many messages of any kind were really put in the ledger for the lead since then; notices are not for it."""
    return connection.execute(_ALL, {"lead": lead_id, "since": since}).scalar_one()


def open_of_run(connection: Connection, run_id: str) -> list[Row[Any]]:
    """A run's messages that still have to be delivered: queued, or under an attempt."""
    return list(connection.execute(_OPEN, {"run": run_id}))


def load_message(connection: Connection, message_id: str) -> Row[Any] | None:
    """A ledger row as it is now, without a lock."""
    return connection.execute(_MESSAGE, {"message": message_id}).one_or_none()


def lock_message(connection: Connection, message_id: str) -> Row[Any] | None:
    """Lock a ledger row and return it. Lock its lead first."""
    return connection.execute(_LOCK, {"message": message_id}).one_or_none()


@dataclass(frozen=True)
class Content:
    """What leaves, exactly: written with the first lease and the same on every try."""

    locale: str
    recipient: str
    sender: str
    sender_name: str | None
    subject: str | None
    html: str | None
    body: str


def take_lease(
    connection: Connection,
    message_id: str,
    content: Content,
    provider: str,
    machine_now: datetime,
    seconds: float,
) -> str:
    """Begin an attempt on a row that the caller has locked and found queued; the attempt's id."""
    attempt = uuid.uuid4().hex
    lease = {
        "provider": provider,
        "attempt_id": attempt,
        "attempted_at": machine_now,
        "lease_until": machine_now + timedelta(seconds=seconds),
        "progress_at": machine_now,
    }
    connection.execute(_LEASE, {"message": message_id, **vars(content), **lease})
    return attempt


def write_outcome(
    connection: Connection, message_id: str, attempt: str, machine_now: datetime, **facts: Any
) -> bool:
    """Write what an attempt came to, if it still holds the row; facts already known are kept."""
    told = {f"new_{name}": value for name, value in facts.items()}
    key = {"message": message_id, "attempt": attempt, "new_progress_at": machine_now}
    return connection.execute(_outcome(tuple(sorted(facts))), {**key, **told}).rowcount == 1


@cache
def _outcome(facts: tuple[str, ...]) -> Update:
    """The statement that writes these facts."""
    new = {name: bindparam(f"new_{name}", type_=messages.c[name].type) for name in (*facts, "progress_at")}
    first_ones = {
        name: func.coalesce(messages.c[name], new[name]) if name.endswith("_at") else new[name]
        for name in facts
    }
    return (
        update(messages)
        .where(messages.c.id == bindparam("message"), messages.c.attempt_id == bindparam("attempt"))
        .values(**first_ones, progress_at=new["progress_at"])
    )


def give_back(connection: Connection, message_id: str, attempt: str, machine_now: datetime, why: str) -> bool:
    """End an attempt that the provider surely did not accept: the message is queued again."""
    done = connection.execute(
        update(messages)
        .where(messages.c.id == message_id, messages.c.attempt_id == attempt)
        .values(attempt_id=None, lease_until=None, uncertain_at=None, progress_at=machine_now, reason=why)
    )
    return done.rowcount == 1


def decide(
    connection: Connection, message_id: str, machine_now: datetime, reason: str, **facts: datetime
) -> None:
    """Skip, hold or fail a locked row that no attempt holds."""
    connection.execute(
        update(messages)
        .where(messages.c.id == message_id)
        .values(reason=reason, progress_at=machine_now, attempt_id=None, lease_until=None, **facts)
    )


def hold(connection: Connection, message_id: str, machine_now: datetime, reason: str, at: datetime) -> None:
    """Hold a locked uncertain row for a person; its attempt stays known, so that a late word still settles it."""
    connection.execute(
        update(messages)
        .where(messages.c.id == message_id)
        .values(held_at=at, reason=reason, progress_at=machine_now)
    )


def requeue(
    connection: Connection, message_id: str, machine_now: datetime, not_before: datetime | None = None
) -> bool:
    """Let an uncertain or held message be sent (again); False if it has been settled meanwhile."""
    done = connection.execute(
        update(messages)
        .where(messages.c.id == message_id, messages.c.state.in_(("uncertain", "held")))
        .values(
            attempt_id=None,
            lease_until=None,
            uncertain_at=None,
            held_at=None,
            reason=None,
            progress_at=machine_now,
            not_before=not_before,
        )
    )
    return done.rowcount == 1


_REPORT_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "accepted": ("accepted_at",),
    "delivered": ("accepted_at", "delivered_at"),
    "opened": ("accepted_at", "first_opened_at"),
    "clicked": ("accepted_at", "first_clicked_at"),
    "bounced": ("accepted_at", "bounced_at"),
    "complained": ("accepted_at", "complained_at"),
    "unsubscribed": ("accepted_at",),
    "failed": ("failed_at",),
}


def record_report(connection: Connection, report: DeliveryReport, machine_now: datetime) -> Row[Any] | None:
    """Add what a verified webhook says: each time once, in any order, twice, or before our own commit.

    Returns the row as it was before, None where no message has that key (which is no error).
    """
    row = lock_message(connection, report.key)
    if row is None or report.kind not in _REPORT_COLUMNS:
        return None
    # A failure is final only for what the provider had accepted, or may have: an attempt of ours decides else.
    told = ("accepted_at",) if report.by_machine else _REPORT_COLUMNS[report.kind]
    columns = {name: func.coalesce(messages.c[name], report.at) for name in told}
    values: dict[str, Any] = {**columns, "progress_at": machine_now}
    if report.provider_id:
        values["provider_id"] = func.coalesce(messages.c.provider_id, report.provider_id)
    if report.reason and report.kind in ("bounced", "failed", "complained"):
        values["reason"] = report.reason
    connection.execute(update(messages).where(messages.c.id == row.id).values(**values))
    return row


def sent_by(connection: Connection, sender: str, since: datetime) -> int:
    """How many messages left (or may have left) in that sender's name since a machine time."""
    query = select(func.count()).where(
        messages.c.sender == sender,
        messages.c.attempted_at > since,
        or_(messages.c.accepted_at.is_not(None), messages.c.attempt_id.is_not(None)),
    )
    return connection.execute(query).scalar_one()
