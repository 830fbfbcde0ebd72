"""What a turn asks of the made-up world, and what becomes of its messages.

`answer` answers each effect of the engine by one function of `World`; an effect without an answer is a type error.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never

from dripline.composing import compose
from dripline.engine.effects import (
    AskSuppression,
    CountMessages,
    Effect,
    Event,
    FindEvents,
    Note,
    QueueMessage,
    RecordGoal,
    SkipMessage,
)
from dripline.engine.policy import refusal
from dripline.rendering import RenderError
from dripline.simulate.recording import Recording
from dripline.simulate.state import Run, State
from dripline.simulate.timeline import Entry, Fate, Letter

LEFT = ("exit", "goal")
"""Outcomes after which a message that has not left yet is not wanted any more."""


class World:
    """What a turn can ask of and do to the world."""

    def __init__(self, state: State, recording: Recording) -> None:
        self._state = state
        self._recording = recording

    def answer(self, run: Run, effect: Effect) -> Any:
        """The answer to what a turn of the run asks."""
        match effect:
            case FindEvents(names, after):
                return self._found(names, after)
            case CountMessages(since):
                return self._counted(since)
            case AskSuppression(channel):
                return self._state.suppressed.get(channel)
            case QueueMessage():
                return self._write(run, effect, None)
            case SkipMessage(message, reason):
                return self._write(run, message, reason)
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
        return sum(
            letter.at > since and not letter.transactional and letter.fate != "skipped"
            for letter in self._state.letters.values()
        )

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
            reason = self._second_thoughts(run, letter)
            if reason is not None:
                self._keep_back(run, letter, "skipped", reason, now)
                continue
            try:
                letter.content = compose(
                    run.plan,
                    letter.step,
                    letter.channel,
                    letter.template,
                    letter.context,
                    self._state.lead,
                    now,
                )
                letter.fate = "sent"
            except RenderError as problem:
                self._keep_back(run, letter, "held", f"template: {problem}", now)

    def _keep_back(self, run: Run, letter: Letter, fate: Fate, reason: str, now: datetime) -> None:
        letter.fate, letter.reason = fate, reason
        detail = {"template": letter.template, "reason": reason}
        self._note(run, Note(now, letter.step, fate, detail))

    def _second_thoughts(self, run: Run, letter: Letter) -> str | None:
        if run.outcome and run.outcome.kind in LEFT:
            return f"run left by {run.outcome.kind}"
        suppressed = self._state.suppressed.get(letter.channel)
        return refusal(letter.channel, letter.topic, letter.transactional, self._state.lead, suppressed)
