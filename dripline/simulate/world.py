"""A made-up world: one lead, its runs, what happened to it and what it was sent, all in memory.

`answer` answers each effect of the engine by one function of `World`; an effect without an answer is a type error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    Outcome,
    QueueMessage,
    RecordGoal,
    RunState,
    SkipMessage,
)
from dripline.engine.policy import refusal
from dripline.language.plan import Plan
from dripline.rendering import RenderError
from dripline.simulate.timeline import Entry, Fate, Letter

LEFT = ("exit", "goal")
"""Outcomes after which a message that has not left yet is not wanted any more."""


@dataclass
class Run:
    """One way of the lead through a journey."""

    plan: Plan
    state: RunState
    depth: int = 0
    inbox: list[Event] = field(default_factory=list)
    woken: bool = True
    outcome: Outcome | None = None
    parked: str | None = None
    converted: bool = False
    value: float | None = None

    @property
    def id(self) -> str:
        """Made of the journey and a number."""
        return self.state.id


class World:
    """What a turn can ask of and do to the world. `lead` is as conditions see it (see the store's `facts`)."""

    def __init__(self, lead: Mapping[str, Any], suppressed: Mapping[str, str] | None = None) -> None:
        self.lead = dict(lead)
        self.suppressed = dict(suppressed or {})
        self.runs: list[Run] = []
        self.events: list[Event] = []
        self.letters: dict[str, Letter] = {}
        self.timeline: list[Entry] = []

    def answer(self, run: Run, effect: Effect) -> Any:
        """The answer to what a turn of the run asks."""
        match effect:
            case FindEvents(names, after):
                return self._found(names, after)
            case CountMessages(since):
                return self._counted(since)
            case AskSuppression(channel):
                return self.suppressed.get(channel)
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
        return [event for event in self.events if event.name in names and event.received_at > after]

    def _counted(self, since: datetime) -> int:
        return sum(
            letter.at > since and not letter.transactional and letter.fate != "skipped"
            for letter in self.letters.values()
        )

    def _write(self, run: Run, message: QueueMessage, skipped: str | None) -> str:
        key = f"{run.id}/{message.step}/{message.visit}"
        if key not in self.letters:
            self.letters[key] = letter = Letter(
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
            self.timeline.append(
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
        self.timeline.append(
            Entry(note.at, "step", note.what, run.plan.journey, run.id, note.step, dict(note.detail))
        )

    # -- what happens after a turn ---------------------------------------------------------------------------

    def deliver(self, run: Run, now: datetime) -> None:
        """Send what the run's turns queued, after asking again whether it may go."""
        for letter in self.letters.values():
            if letter.run != run.id or letter.fate != "queued":
                continue
            reason = self._second_thoughts(run, letter)
            if reason is not None:
                self._keep_back(run, letter, "skipped", reason, now)
                continue
            try:
                letter.content = compose(
                    run.plan, letter.step, letter.channel, letter.template, letter.context, self.lead, now
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
        suppressed = self.suppressed.get(letter.channel)
        return refusal(letter.channel, letter.topic, letter.transactional, self.lead, suppressed)
