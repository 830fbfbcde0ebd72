"""What a message says, composed from its plan, its run's context and the lead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from dripline.engine.calendar import zone_of
from dripline.engine.effects import Event
from dripline.engine.scope import scope
from dripline.language.plan import MessageStep, NotifyStep, Plan, Sender
from dripline.rendering import render


@dataclass(frozen=True)
class MessageContent:
    """Everything of a message but whom it goes to."""

    locale: str
    sender: str
    sender_name: str | None
    subject: str | None
    html: str | None
    body: str


def compose(plan: Plan, row: Row[Any], lead: Mapping[str, Any], now: datetime) -> MessageContent:
    """Render a ledger row's message, or take what an earlier attempt rendered. Raises RenderError."""
    if row.body is not None:
        return MessageContent(row.locale, row.sender, row.sender_name, row.subject, row.html, row.body)
    step = plan.by_id[row.step]
    wanted_subject = step.subject if isinstance(step, MessageStep | NotifyStep) else None
    locale = None if row.notice else lead.get("locale")
    sender = _sender(plan, step.sender if isinstance(step, MessageStep) else None, row.channel)
    context = row.context
    names = scope(
        plan,
        lead,
        _event(context["trigger"], now),
        _event(context["event"], now),
        context["variables"],
        now,
        zone_of(lead.get("timezone"), lead.get("country"), plan.timezone),
    )
    rendered = render(plan, row.channel, row.template, locale, names, wanted_subject)
    return MessageContent(
        locale=rendered.locale,
        sender=sender.address,
        sender_name=sender.name,
        subject=rendered.subject,
        html=rendered.html,
        body=rendered.text,
    )


def _sender(plan: Plan, name: str | None, channel: str) -> Sender:
    return plan.senders[name or channel]


def _event(kept: Mapping[str, Any] | None, now: datetime) -> Event | None:
    return Event("", kept["name"], kept["properties"], now) if kept else None
