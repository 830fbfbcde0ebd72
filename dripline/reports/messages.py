"""What became of messages: whom they reached, what people did with them, and how well they arrived."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, case, func, select

from dripline.engine.statistics.proportions import Counted, share_interval
from dripline.reports.days import day_of, slot_of
from dripline.reports.period import Period
from dripline.reports.shapes import Line, Report, figure
from dripline.store.schema import consents, inbound, messages

Kinds = Literal["channel", "journey", "topic", "template", "provider"]
KINDS: dict[Kinds, ColumnElement[Any]] = {
    "channel": messages.c.channel,
    "journey": messages.c.journey,
    "topic": messages.c.topic,
    "template": messages.c.template,
    "provider": messages.c.provider,
}
Ways = Literal["sender", "domain", "provider", "channel"]

_OURS = messages.c.notice.is_(False)
"""Messages to leads: notices to colleagues are not counted."""
_SENT = messages.c.accepted_at.is_not(None) | messages.c.state.in_(("delivered", "bounced"))

BOUNCES, COMPLAINTS = 0.02, 0.001
"""From these shares on mailbox providers look closer (Google's rules for senders: complaints below 0.1 %)."""
MANY_BOUNCES, MANY_COMPLAINTS = 0.05, 0.003
"""From these on they refuse mail (the same rules: never 0.3 %)."""
MOST_DOMAINS = 50


class ChannelRow(Line):
    """What became of messages of one kind."""

    key: str | None = figure("text", "by", "What the messages have in common.", "email")
    queued: int = figure("count", "queued", "Messages that journeys asked for.", 1_200)
    sent: int = figure("count", "sent", "Those that a provider took.", 1_000)
    reached: int = figure("count", "leads reached", "Leads to whom one was sent.", 640)
    delivered: int = figure("count", "delivered", "Those that the provider says have arrived.", 980)
    opened: int = figure("count", "opened", "Those that a person opened, as far as is tracked.", 400)
    clicked: int = figure("count", "clicked", "Those of which a person followed a link.", 90)
    replied: int = figure("count", "replied", "Those that were answered.", 12)
    left: int = figure("count", "left", "Those by which somebody unsubscribed.", 3)
    skipped: int = figure("count", "skipped", "Those that were not sent, such as without consent.", 150)
    held: int = figure("count", "held", "Those that wait for a person.", 0)
    open_rate: float | None = figure("share", "open rate", "Opened of those sent.", 0.4)
    click_rate: float | None = figure("share", "click rate", "Clicked of those sent.", 0.09)


class DeliveryRow(Line):
    """How well messages arrived."""

    key: str | None = figure("text", "by", "What the messages have in common.", "gmail.com")
    sent: int = figure("count", "sent", "Messages that a provider took.", 1_000)
    delivered: int = figure("count", "delivered", "Those that the provider says have arrived.", 980)
    bounced: int = figure("count", "bounced", "Those that came back.", 15)
    complained: int = figure("count", "complained", "Those that were called spam.", 1)
    failed: int = figure("count", "failed", "Those that no provider would take.", 2)
    uncertain: int = figure("count", "uncertain", "Those of which nobody knows whether they left.", 0)
    delivered_rate: float | None = figure("share", "delivered", "Delivered of those sent.", 0.98)
    bounce_rate: float | None = figure("share", "bounces", "Bounced of those sent.", 0.015)
    complaint_rate: float | None = figure("share", "complaints", "Complaints of those sent.", 0.001)
    verdict: str = figure("text", "verdict", "What that means.", "good")


def report_channels(connection: Connection, period: Period, by: Kinds) -> Report[ChannelRow]:
    """Messages that were queued in the period, by what they have in common."""
    key = KINDS[by]
    rows = [_channel_row(row.key, row) for row in connection.execute(_counts(period, key)).all()]
    everything = connection.execute(_counts(period, None)).one()
    more = {name: _answers(connection, period, key, name) for name in ("replied", "left")}
    rows = [_with_answers(row, {name: known.get(row.key, 0) for name, known in more.items()}) for row in rows]
    totals = {name: sum(known.values()) for name, known in more.items()}
    return Report[ChannelRow](
        report="channels",
        title=f"Messages by {by}",
        by=by,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=None,
        rows=sorted(rows, key=lambda row: (-row.sent, -row.queued, row.key or "")),
        totals=_with_answers(_channel_row(None, everything), totals),
        notes=[],
    )


def report_deliverability(connection: Connection, period: Period, by: Ways) -> Report[DeliveryRow]:
    """How well the messages of the period arrived, by sender, provider, or the domain of the addressee."""
    query = _counts(period, _way(connection, by))
    if by == "domain":
        query = query.where(messages.c.channel == "email")
    found = connection.execute(query).all()
    tried = [row for row in found if row.sent or row.failed or row.uncertain]
    rows = sorted((_delivery_row(row.key, row._asdict()) for row in tried), key=lambda row: -row.sent)
    notes = []
    if by == "domain" and len(rows) > MOST_DOMAINS:
        notes = [f"The {MOST_DOMAINS} domains with the most messages; all others stand together."]
        rows = [*rows[:MOST_DOMAINS], _together("all others", rows[MOST_DOMAINS:])]
    return Report[DeliveryRow](
        report="deliverability",
        title=f"Deliverability by {by}",
        by=by,
        since=period.first,
        until=period.last,
        zone=period.zone.key,
        currency=None,
        rows=rows,
        totals=_together(None, rows) if rows else None,
        notes=notes,
    )


def messages_by_day(connection: Connection, period: Period) -> dict[str, dict[str, int]]:
    """Sent, bounced and failed messages by the local day on which they were queued, oldest first."""
    slot = slot_of(connection, messages.c.queued_at)
    query = (
        select(
            slot.label("slot"),
            func.count().filter(_SENT & messages.c.bounced_at.is_(None)).label("sent"),
            func.count(messages.c.bounced_at).label("bounced"),
            func.count().filter(messages.c.state == "failed").label("failed"),
        )
        .where(_OURS, period.holds(messages.c.queued_at))
        .group_by(slot)
        .order_by(slot)
    )
    days: dict[str, dict[str, int]] = {}
    for row in connection.execute(query):
        day = days.setdefault(day_of(row.slot, period.zone).isoformat(), dict.fromkeys(_STATES, 0))
        for name in _STATES:
            day[name] += getattr(row, name)
    return days


def verdict(sent: int, bounced: int, complained: int) -> str:
    """What bounces and complaints mean for a sender, in words; a few messages are not yet held against anybody."""
    told = []
    for hits, what, watch, most in (
        (bounced, "bounces", BOUNCES, MANY_BOUNCES),
        (complained, "complaints", COMPLAINTS, MANY_COMPLAINTS),
    ):
        counted = Counted(hits, sent)
        sure = share_interval(counted).low
        if sure >= most:
            told.append(f"too many {what}: stop and clean the list")
        elif sure >= watch or (sent >= 100 and hits > 1 and counted.share >= watch):
            told.append(f"watch the {what}")
    if told:
        return "; ".join(told)
    return "good" if sent >= 100 else "too few to say"


_STATES = ("sent", "bounced", "failed")


def _counts(period: Period, key: ColumnElement[Any] | None) -> Any:
    counts = (
        func.count().label("queued"),
        func.count().filter(_SENT).label("sent"),
        func.count(case((_SENT, messages.c.lead_id)).distinct()).label("reached"),
        func.count(messages.c.delivered_at).label("delivered"),
        func.count(messages.c.first_opened_at).label("opened"),
        func.count(messages.c.first_clicked_at).label("clicked"),
        func.count(messages.c.bounced_at).label("bounced"),
        func.count(messages.c.complained_at).label("complained"),
        func.count().filter(messages.c.state == "failed").label("failed"),
        func.count().filter(messages.c.state == "uncertain").label("uncertain"),
        func.count().filter(messages.c.state == "skipped").label("skipped"),
        func.count().filter(messages.c.state == "held").label("held"),
    )
    within = (_OURS, period.holds(messages.c.queued_at))
    if key is None:
        return select(*counts).where(*within)
    return select(key.label("key"), *counts).where(*within).group_by(key)


def _channel_row(key: str | None, row: Any) -> ChannelRow:
    names = ("queued", "sent", "reached", "delivered", "opened", "clicked", "skipped", "held")
    return ChannelRow(
        key=key,
        **{name: getattr(row, name) for name in names},
        replied=0,
        left=0,
        open_rate=_rate(row.opened, row.sent),
        click_rate=_rate(row.clicked, row.sent),
    )


def _with_answers(row: ChannelRow, answers: Mapping[str, int]) -> ChannelRow:
    return row.model_copy(update=dict(answers))


def _answers(
    connection: Connection, period: Period, key: ColumnElement[Any], what: str
) -> dict[str | None, int]:
    """How many messages of the period were answered, or led to somebody's leaving, by key."""
    if what == "replied":
        which = select(inbound.c.message_id).where(inbound.c.intent == "reply")
    else:
        which = select(consents.c.proof["message"].as_string()).where(consents.c.state == "denied")
    query = (
        select(key.label("key"), func.count().label("number"))
        .where(_OURS, period.holds(messages.c.queued_at), messages.c.id.in_(which))
        .group_by(key)
    )
    return {row.key: row.number for row in connection.execute(query)}


def _way(connection: Connection, by: Ways) -> ColumnElement[Any]:
    if by != "domain":
        return {"sender": messages.c.sender, "provider": messages.c.provider, "channel": messages.c.channel}[
            by
        ]
    address = func.lower(messages.c.recipient)
    if connection.dialect.name == "sqlite":
        return func.substr(address, func.instr(address, "@") + 1)
    return func.split_part(address, "@", 2)


def _delivery_row(key: str | None, row: Mapping[str, Any]) -> DeliveryRow:
    names = ("sent", "delivered", "bounced", "complained", "failed", "uncertain")
    counts = {name: int(row[name]) for name in names}
    sent = counts["sent"]
    return DeliveryRow(
        key=key,
        **counts,
        delivered_rate=_rate(counts["delivered"], sent),
        bounce_rate=_rate(counts["bounced"], sent),
        complaint_rate=_rate(counts["complained"], sent),
        verdict=verdict(sent, counts["bounced"], counts["complained"]),
    )


def _together(key: str | None, rows: list[DeliveryRow]) -> DeliveryRow:
    names = ("sent", "delivered", "bounced", "complained", "failed", "uncertain")
    return _delivery_row(key, {name: sum(getattr(row, name) for row in rows) for name in names})


def _rate(number: int, of: int) -> float | None:
    return number / of if of else None
