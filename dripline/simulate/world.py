"""What a turn asks of the made-up world, and what becomes of its messages.

`answer` answers each effect of the engine by one function of `World`; an effect without an answer is a type error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, assert_never

from dripline.composing import MessageContent, compose
from dripline.engine.effects import (
    AskOutside,
    AskSuppression,
    AssignLead,
    CountMessages,
    Effect,
    EnrollLead,
    Event,
    FindEvents,
    FindMessages,
    FindProducts,
    GiveReferralCode,
    IssueDiscount,
    Note,
    OpenSurvey,
    QueueMessage,
    RecordGoal,
    ReserveSlot,
    SetTask,
    SkipMessage,
    UnenrollLead,
    UpdateLead,
)
from dripline.engine.policy import EXPIRED, refusal, spacing
from dripline.engine.recommending import recommend
from dripline.language.plan import Limit, Plan
from dripline.rendering import RenderError
from dripline.simulate.changing import Changes
from dripline.simulate.handing import Handing
from dripline.simulate.outside import Outside
from dripline.simulate.products import shelf_of
from dripline.simulate.recording import Recording
from dripline.simulate.state import Run, State
from dripline.simulate.timeline import Entry, Fate, Letter

LEFT = ("exit", "goal", "unenrolled")
"""Outcomes after which a message that has not left yet is not wanted any more."""


Writing = Callable[[Plan, Letter, Mapping[str, Any], datetime], MessageContent | None]
"""Says what a letter says to the lead. Raises RenderError."""


def written(plan: Plan, letter: Letter, lead: Mapping[str, Any], now: datetime) -> MessageContent:
    """As production writes it."""
    notice = letter.to is not None
    return compose(plan, letter.step, letter.channel, letter.template, letter.context, lead, now, notice)


class World:
    """What a turn can ask of and do to the world."""

    def __init__(self, state: State, recording: Recording, write: Writing) -> None:
        self._state = state
        self._content = write
        self._outside = Outside(state)
        self._changes = Changes(state, recording)
        self._handing = Handing(state, recording)

    def answer(self, run: Run, effect: Effect) -> Any:
        """The answer to what a turn of the run asks."""
        match effect:
            case FindEvents(names, after):
                return self._found(names, after)
            case CountMessages(since):
                return self._counted(since)
            case FindMessages(since):
                return self._queued_since(since)
            case ReserveSlot(throttle, at):
                return self._reserve(run, throttle, at)
            case AskSuppression(channel):
                return self._state.suppressed.get(channel)
            case QueueMessage():
                return self._write(run, effect, None)
            case SkipMessage(message, reason):
                return self._write(run, message, reason)
            case OpenSurvey():
                return None
            case AskOutside():
                return self._outside.ask(run, effect)
            case IssueDiscount():
                return self._outside.issue(run, effect)
            case GiveReferralCode():
                return self._outside.refer(effect)
            case UpdateLead():
                return self._changes.update(run, effect)
            case AssignLead():
                return self._handing.assign(run, effect)
            case SetTask():
                return self._handing.set_task(run, effect)
            case EnrollLead():
                return self._changes.enroll(run, effect)
            case UnenrollLead():
                return self._changes.unenroll(run, effect)
            case FindProducts(at):
                return recommend(shelf_of(self._state), at)
            case RecordGoal(at, value):
                return self._convert(run, at, value)
            case Note():
                return self._note(run, effect)
            case _:
                assert_never(effect)

    # -- one function an effect ------------------------------------------------------------------------------

    def _found(self, names: tuple[str, ...], after: datetime) -> list[Event]:
        return [event for event in self._state.events if event.name in names and event.received_at > after]

    def _counted(self, since: datetime) -> int:
        return sum(_counts(letter, since) for letter in self._state.letters.values())

    def _queued_since(self, since: datetime) -> list[datetime]:
        return sorted(letter.at for letter in self._state.letters.values() if _counts(letter, since))

    def _reserve(self, run: Run, throttle: Limit, at: datetime) -> datetime:
        slot = max(at, self._state.slots.get(run.plan.journey, at))
        self._state.slots[run.plan.journey] = slot + spacing(throttle)
        return slot

    def _write(self, run: Run, message: QueueMessage, skipped: str | None) -> str:
        key = f"{run.id}/{message.step}/{message.visit}"
        if key not in self._state.letters:
            self._state.letters[key] = letter = Letter(
                id=key,
                run=run.id,
                journey=run.plan.journey,
                step=message.step,
                channel=message.channel,
                template=message.template,
                topic=message.topic,
                transactional=message.transactional,
                context=message.context,
                at=message.at,
                to=message.to if message.notice else None,
                expires_at=message.expires_at,
                fate="skipped" if skipped else "queued",
                reason=skipped,
            )
            self._state.timeline.append(
                Entry(
                    message.at,
                    "message",
                    message.channel,
                    letter.journey,
                    run.id,
                    message.step,
                    letter=letter,
                )
            )
        return key

    def _convert(self, run: Run, _at: datetime, value: float | None) -> None:
        if not run.converted:
            run.converted, run.value = True, value

    def _note(self, run: Run, note: Note) -> None:
        self._state.timeline.append(
            Entry(note.at, "step", note.what, run.plan.journey, run.id, note.step, dict(note.detail))
        )

    # -- what happens after a turn ---------------------------------------------------------------------------

    def deliver(self, run: Run, now: datetime) -> None:
        """Send what the run's turns queued, after asking again whether it may go."""
        for letter in self._state.letters.values():
            if letter.run != run.id or letter.fate != "queued":
                continue
            reason = self._second_thoughts(run, letter, now)
            if reason is not None:
                self._keep_back(run, letter, "skipped", reason, now)
                continue
            try:
                letter.content = self._content(run.plan, letter, self._state.lead, now)
                letter.fate = "sent"
            except RenderError as problem:
                self._keep_back(run, letter, "held", f"template: {problem}", now)

    def _keep_back(self, run: Run, letter: Letter, fate: Fate, reason: str, now: datetime) -> None:
        letter.fate, letter.reason = fate, reason
        detail = {"template": letter.template, "reason": reason}
        self._note(run, Note(now, letter.step, fate, detail))

    def _second_thoughts(self, run: Run, letter: Letter, now: datetime) -> str | None:
        if letter.to is not None:  # a notice: the lead's will and the end of its run do not concern it
            return None
        if run.outcome and run.outcome.kind in LEFT:
            return f"run left by {run.outcome.kind}"
        if letter.expires_at is not None and now > letter.expires_at:
            return EXPIRED
        suppressed = self._state.suppressed.get(letter.channel)
        lead, to_roles = self._state.lead, run.plan.to_roles
        return refusal(letter.channel, letter.topic, letter.transactional, lead, suppressed, now, to_roles)


def _counts(letter: Letter, since: datetime) -> bool:
    """Whether a frequency cap counts it."""
    if letter.transactional or letter.to is not None:
        return False
    return letter.at > since and letter.fate != "skipped"
