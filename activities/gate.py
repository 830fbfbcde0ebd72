"""What must hold at the very moment of sending, asked under the lead's lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from dripline.engine.calendar import zone_of
from dripline.engine.hours import opens
from dripline.engine.policy import ADDRESS, EXPIRED, refusal
from dripline.language.plan import MessageStep, Plan
from dripline.store import messages, schema
from dripline.store.house import House
from dripline.store.leads import facts
from dripline.store.plans import load_plan

# Built once, and one instead of three: building a statement costs three times as much as executing it.
_STANDS = select(
    schema.runs.c.outcome,
    select(schema.journeys.c.paused_at)
    .where(schema.journeys.c.id == schema.runs.c.journey)
    .scalar_subquery()
    .label("paused_at"),
    select(schema.suppressions.c.reason)
    .where(
        schema.suppressions.c.channel == bindparam("channel"),
        schema.suppressions.c.address_hash == bindparam("hash"),
    )
    .scalar_subquery()
    .label("suppressed"),
).where(schema.runs.c.id == bindparam("run"))


LEFT = ("exit", "goal", "merged", "erased", "operator", "unenrolled")
"""The outcomes of runs whose messages are not wanted any more."""


@dataclass(frozen=True)
class Gate:
    """What must hold at the moment of sending, besides the lead's own will."""

    may_message: Callable[[str, str], bool]
    """Whether a channel and address may be messaged from this installation (the development list)."""
    daily_limit: Callable[[str], int | None] = lambda sender: None
    """How many messages a sender may send in 24 hours (warm-up); None: as many as it likes."""


def ask_again(
    connection: Connection, house: House, gate: Gate, row: Row[Any], lead: Row[Any], now: datetime
) -> tuple[str, str] | None:
    """Whether the message must be skipped (`skipped_at`) or held (`held_at`) after all, and why.

    `now` is what the clock on the wall shows (`on_the_wall`): an expiry goes by it, however late we are.
    """
    address = row.addressee if row.notice else getattr(lead, ADDRESS[row.channel])
    hashed = house.address_hash(row.channel, address) if address else ""
    asked = {"run": row.run_id, "channel": row.channel, "hash": hashed}
    run = connection.execute(_STANDS, asked).one()
    if lead.erased_at is not None:
        return "skipped_at", "lead erased"
    if lead.merged_into is not None:
        return "skipped_at", "lead merged"
    if (
        not row.notice
    ):  # a notice is for a colleague: the lead's will and the end of its run do not concern it
        if run.outcome in LEFT:
            return "skipped_at", f"run left by {run.outcome}"
        if row.expires_at is not None and now > row.expires_at:
            return "skipped_at", EXPIRED
        to_roles = load_plan(connection, row.plan_hash).to_roles
        reason = refusal(
            row.channel, row.topic, row.transactional, facts(lead), run.suppressed, now, to_roles
        )
        if reason:
            return "skipped_at", reason
    if not gate.may_message(row.channel, address):
        return "skipped_at", "not on the list of those who may be messaged outside production"
    if house.stopped_at is not None:
        return "held_at", "everything is stopped"
    return ("held_at", "journey paused") if run.paused_at else None


def opens_at(row: Row[Any], plan: Plan, lead: Row[Any], now: datetime) -> datetime:
    """When the message may leave, by quiet hours and windows (house time); `now` (on the wall) if it may now.

    Asked here too, as a message that was queued in time may still be here when the night has begun.
    """
    step = plan.by_id.get(row.step)
    if not isinstance(step, MessageStep):
        return now
    where = zone_of(lead.timezone, lead.country, plan.timezone)
    return opens(now, where, step.quiet_hours, step.window)


def over_daily_limit(connection: Connection, gate: Gate, sender: str, now: datetime) -> bool:
    """Whether the sender, in its warm-up, has sent all that it may within 24 hours (machine time)."""
    limit = gate.daily_limit(sender)
    return limit is not None and messages.sent_by(connection, sender, now - timedelta(hours=24)) >= limit
