"""What a message says, composed from its plan, its run's context and the lead. Real runs and simulated ones alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dripline.engine.asked import survey_scope
from dripline.engine.calendar import zone_of
from dripline.engine.effects import Event
from dripline.engine.recommending import in_words
from dripline.engine.scope import scope
from dripline.language.links import MakeLink, stand_in
from dripline.language.plan import MessageStep, NotifyStep, Plan, Sender
from dripline.language.recommending import RECOMMENDED
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


def compose(
    plan: Plan,
    step_id: str,
    channel: str,
    template: str,
    context: Mapping[str, Any],
    lead: Mapping[str, Any],
    now: datetime,
    notice: bool = False,
    links: MakeLink = stand_in,
) -> MessageContent:
    """Render the message that a step queued with this context. Raises RenderError.

    A `notice` is for a colleague: it is in the workspace's language, whatever the lead's. `links` makes the
    addresses of the message's links; by default they only stand for what a lead would get.
    """
    step = plan.by_id[step_id]
    wanted_subject = step.subject if isinstance(step, MessageStep | NotifyStep) else None
    sender = _sender(plan, step.sender if isinstance(step, MessageStep) else None, channel)
    names = scope(
        plan,
        lead,
        _event(context["trigger"], now),
        _event(context["event"], now),
        context["variables"],
        now,
        zone_of(lead.get("timezone"), lead.get("country"), plan.timezone),
    )
    if context.get("recommended") is not None:
        names[RECOMMENDED] = in_words(context["recommended"], lead.get("locale"), plan.locale)
    if isinstance(step, MessageStep):
        names |= survey_scope(plan, step, lead.get("locale"), links)
    locale = None if notice else lead.get("locale")
    marketing = not notice and not (isinstance(step, MessageStep) and step.transactional)
    rendered = render(plan, channel, template, locale, names, wanted_subject, links, marketing=marketing)
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
