"""Telling a colleague: a message of the ledger with a recipient of its own."""

from __future__ import annotations

from dripline.engine.effects import Note, QueueMessage, SkipMessage
from dripline.engine.moving import Asking, Moving
from dripline.engine.sending import with_products
from dripline.language.notices import OWNER, address_channel, person_channel
from dripline.language.plan import Channel, NotifyStep


def notify(run: Moving, step: NotifyStep, visit: int) -> Asking:
    """Queue the notice, or skip it with the reason. No consent and no cap of the lead is asked: it is not for it."""
    found = _addressee(run, step)
    reason = found if isinstance(found, str) else None
    channel, address = ("email", None) if isinstance(found, str) else found
    if run.state.holdout:
        reason = "holdout"
    message = QueueMessage(
        step=step.id,
        visit=visit,
        channel=channel,
        template=step.template,
        topic=None,
        transactional=True,
        context=run.context(),
        at=run.at,
        to=address,
        notice=True,
    )
    if reason is None:
        message, _ = yield from with_products(run, message, step.subject)
        key = yield message
        yield Note(run.at, step.id, "notifies", {"message": key, "to": step.to})
    else:
        key = yield SkipMessage(message, reason)
        yield Note(run.at, step.id, "skipped", {"message": key, "template": step.template, "reason": reason})
    run.go_to(step.next)


def _addressee(run: Moving, step: NotifyStep) -> tuple[Channel, str] | str:
    """The channel and address of whom to tell; or why there is none."""
    name = step.to
    if name == OWNER:
        name = run.lead.get("owner") or run.plan.default_owner or ""
        if not name:
            return "the lead has no owner"
    direct = address_channel(name)
    if direct is not None:
        return direct, name
    person = run.plan.people.get(name)
    channel = person_channel(person) if person else None
    if person is None or channel is None:
        return (
            f"nobody called {name} can be told" if step.to != OWNER else "the owner is not among the people"
        )
    return channel, (person.email if channel == "email" else person.phone) or ""
