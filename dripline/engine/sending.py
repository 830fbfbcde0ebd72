"""A message that is due: may it go, must it wait, or is it left out? Asked anew after every wait for it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from dripline.engine.about import last_of
from dripline.engine.calendar import add
from dripline.engine.effects import (
    AskSuppression,
    CountMessages,
    Effect,
    FindMessages,
    Note,
    QueueMessage,
    ReserveSlot,
    SkipMessage,
    Wait,
)
from dripline.engine.hours import opens
from dripline.engine.moving import Asking, Moving
from dripline.engine.policy import EXPIRED, Refusal, over_limit, refusal
from dripline.engine.recommending import kept
from dripline.engine.surveying import open_survey
from dripline.language.durations import say_duration
from dripline.language.plan import Duration, Limit, MessageStep
from dripline.language.recommending import FUNCTION, WAYS, choose

HOLDOUT = "holdout"
"""Why a run of the control group sends nothing."""

_LOOK_AGAIN = timedelta(hours=1)
"""How long a message over its cap waits at least, where the calendar counts months forth and back differently."""


@dataclass(frozen=True)
class Hold:
    """A message must wait until then, and why."""

    until: datetime
    reason: str
    kind: Literal["hours", "limit", "throttle"]


def due_message(run: Moving, step: MessageStep) -> Asking:
    """Queue the message, skip it, or rest at its step. `run.state.wait` is what held it until now, if anything."""
    held = run.state.wait
    due = held.began if held else run.at
    expires_at = add(due, step.expires, run.where) if step.expires else None
    verdict = yield from _verdict(run, step, due, expires_at)
    if isinstance(verdict, Hold) and expires_at and verdict.until > expires_at:
        verdict = EXPIRED
    if isinstance(verdict, Hold):
        run.steps_since_wait = 0
        run.state = replace(run.state, wait=Wait(due, verdict.until, verdict.kind))
        detail = {"until": verdict.until.isoformat(), "reason": verdict.reason, "template": step.template}
        yield Note(run.at, step.id, "held", detail)
    else:
        yield from _settle(run, step, verdict, expires_at)


def _settle(run: Moving, step: MessageStep, reason: str | None, expires_at: datetime | None) -> Asking:
    message = QueueMessage(
        step=step.id,
        visit=run.state.visits[step.id],
        channel=step.channel,
        template=step.template,
        topic=step.topic,
        transactional=step.transactional,
        context=run.context(),
        at=run.at,
        expires_at=expires_at,
    )
    if reason is None:
        message, detail = yield from with_products(run, message, step.subject)
        key = yield message
        yield Note(run.at, step.id, "queued", {"message": key, "template": step.template, **detail})
    else:
        key = yield SkipMessage(message, reason)
        yield Note(run.at, step.id, "skipped", {"message": key, "template": step.template, "reason": reason})
    if reason != HOLDOUT:
        yield from open_survey(run, step, key if reason is None else None)
    if reason is None and run.plan.minds_messages:
        run.remember(last_of(step.channel), key)
    if reason in (None, HOLDOUT):  # so that the waits of the control group look back as far as the others'
        run.state = replace(run.state, last_message_at=run.at)
    if step.result:
        sent_it = {
            "message": key,
            "sent": reason is None,
            "skipped": reason is not None,
            "reason": reason,
        }
        run.remember(step.result, sent_it)
    run.go_to(step.fallback if step.fallback and isinstance(reason, Refusal) else step.next)


def with_products(
    run: Moving, message: QueueMessage, subject: str | None
) -> Generator[Effect, Any, tuple[QueueMessage, dict[str, Any]]]:
    """The message with what there is to recommend, where its template asks; and that for the story, with reasons."""
    asks = f"{message.channel}:{message.template}" in run.plan.recommending
    if not asks and FUNCTION not in (subject or ""):
        return message, {}
    picks = yield from run.look_what_to_recommend()
    told = [
        {name: one[name] for name in ("id", "way", "because")}
        for way in WAYS
        for one in choose(run.recommended or (), ways=(way,))
    ]
    context = {**message.context, "recommended": [kept(pick) for pick in picks]}
    return replace(message, context=context), {"recommended": told}


def _verdict(
    run: Moving, step: MessageStep, due: datetime, expires_at: datetime | None
) -> Generator[Effect, Any, str | Hold | None]:
    """Why the message is left out, what holds it, or None if it may go."""
    suppressed = yield AskSuppression(step.channel)
    now = run.wall()
    reason = refusal(
        step.channel, step.topic, step.transactional, run.lead, suppressed, now, run.plan.to_roles
    )
    if reason is not None:
        return reason
    if expires_at and now > expires_at:
        return EXPIRED
    hold = _closed(run, step)
    if hold is not None:
        return hold
    if run.state.holdout:
        return HOLDOUT
    if step.limit and not step.transactional:
        over = yield from _over(run, step, step.limit, due)
        if over is not None:
            return over
    if run.plan.throttle and not step.transactional and not _has_slot(run):
        slot: datetime = yield ReserveSlot(run.plan.throttle, now)
        if slot > now:
            throttle = run.plan.throttle
            return Hold(slot, f"throttle of {throttle.count} per {say_duration(throttle.per)}", "throttle")
    return None


def _closed(run: Moving, step: MessageStep) -> Hold | None:
    """Quiet hours and windows: at the run's own time, and at the moment at which it would really leave."""
    for at, passed in ((run.at, run.at), (run.wall(), run.now)):
        opening = opens(at, run.where, step.quiet_hours, step.window)
        if opening > max(at, passed):
            quiet = step.quiet_hours and opens(at, run.where, step.quiet_hours) > at
            return Hold(opening, "quiet hours" if quiet else "outside the window", "hours")
    return None


def _has_slot(run: Moving) -> bool:
    wait = run.state.wait
    return bool(wait and wait.held == "throttle" and wait.until and wait.until <= run.at)


def _over(
    run: Moving, step: MessageStep, limit: Limit, due: datetime
) -> Generator[Effect, Any, str | Hold | None]:
    since = _since(run, limit)
    sent = yield CountMessages(since)
    reason = over_limit(step, sent)
    if reason is None or step.on_limit is None:
        return reason
    patience = add(due, step.on_limit, run.where)
    if run.at >= patience:
        return reason
    queued: list[datetime] = yield FindMessages(since)
    place = add(queued[-limit.count], limit.per, run.where)
    return Hold(min(max(place, run.at + _LOOK_AGAIN), patience), reason, "limit")


def _since(run: Moving, limit: Limit) -> datetime:
    """When the period of a cap that ends now began."""
    per = limit.per
    return add(run.at, Duration(months=-per.months, days=-per.days, seconds=-per.seconds), run.where)
