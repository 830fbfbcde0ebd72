"""A made-up world that answers a turn's effects, and a driver that jumps from wait to wait."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from dripline.engine.calendar import add, zone
from dripline.engine.effects import (
    Answer,
    AskOutside,
    AskSuppression,
    CountMessages,
    Effect,
    EnrollLead,
    Event,
    FindEvents,
    FindMessages,
    GiveReferralCode,
    IssueDiscount,
    Note,
    Outcome,
    QueueMessage,
    RecordGoal,
    ReserveSlot,
    RunState,
    SkipMessage,
    TurnEnd,
    UnenrollLead,
    Updated,
    UpdateLead,
)
from dripline.engine.policy import spacing
from dripline.engine.turn import take_turn
from dripline.language.plan import Plan

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

ANI: dict[str, Any] = {
    "id": "lead-1",
    "email": "ani@example.com",
    "phone": "+37491123456",
    "locale": "hy",
    "timezone": "UTC",
    "consent": {"email": True, "sms": True},
    "topics": {},
}


def happened(name: str, after: timedelta = timedelta(), number: int = 0, **properties: Any) -> Event:
    """An event so long after MONDAY 09:00."""
    return Event(f"{name}-{after}-{number}", name, properties, MONDAY + after)


class World:
    """One lead's run. `lateness` is how long after a fact the worker takes its turn."""

    def __init__(
        self,
        plan: Plan,
        lead: dict[str, Any] | None = None,
        suppressed: str | None = None,
        already_sent: int = 0,
        pace: float = 1.0,
    ) -> None:
        self.plan = plan
        self.lead = lead or ANI
        self.suppressed = suppressed
        self.pace = pace
        self.sent: list[datetime] = [MONDAY - timedelta(minutes=1)] * already_sent
        self.answers: dict[str, tuple[timedelta, dict[str, Any]]] = {}
        """By step, after how long the world outside answers, and what."""
        self.asked: list[AskOutside] = []
        self.issued: list[IssueDiscount] = []
        self.coming: list[Event] = []
        self.next_slot = MONDAY
        self.events: list[Event] = []
        self.lines: list[str] = []
        self.held: list[str] = []
        self.goal: tuple[datetime, float | None] | None = None
        self.outcome: Outcome | None = None
        self.parked: str | None = None
        self.enrolling: str | None = None
        """Why other journeys do not let the lead in."""
        self.turns = 0
        trigger = happened("lead.created")
        self.state = RunState(
            id="run-1",
            step=None,
            wait=None,
            variables={},
            visits={},
            trigger=trigger,
            last_event=trigger,
            last_message_at=None,
            started_at=MONDAY,
            last_at=MONDAY,
        )

    def turn(self, now: datetime, inbox: Iterable[Event] = ()) -> TurnEnd:
        """Take one turn."""
        self.turns += 1
        turn = take_turn(self.plan, self.state, self.lead, list(inbox), now, self.pace)
        answer: Any = None
        while True:
            try:
                answer = self._answer(turn.send(answer))
            except StopIteration as stop:
                end: TurnEnd = stop.value
                self.state, self.outcome, self.parked = end.state, end.outcome, end.parked
                return end

    def live(self, events: Iterable[Event] = (), lateness: timedelta = timedelta()) -> list[str]:
        """Run to the end (or to a wait that only an event ends), every turn `lateness` after its cause."""
        coming = self.coming = sorted(events, key=lambda event: event.received_at)
        now = MONDAY + lateness
        self._take(now, coming)
        while self.outcome is None and self.parked is None:
            coming.sort(key=lambda event: event.received_at)
            until = self.state.wait.until if self.state.wait else None
            moments = [event.received_at for event in coming[:1]] + ([until] if until else [])
            if not moments:
                break
            now = max(now, min(moments) + lateness)
            self._take(now, coming)
        for event in coming:
            self._credit(event)
        return self.lines

    def _credit(self, event: Event) -> None:
        """What ingest does with a goal that comes after the end."""
        goal = self.plan.goal
        if self.goal or not goal or not goal.within or event.name not in goal.on.events:
            return
        if event.received_at <= add(MONDAY, goal.within, zone("UTC")):
            self.goal = (event.received_at, float(event.properties["total"]))

    def _take(self, now: datetime, coming: list[Event]) -> None:
        inbox = [event for event in coming if event.received_at <= now]
        del coming[: len(inbox)]
        self.events += inbox
        self.turn(now, inbox)

    def _answer(self, effect: Effect) -> Any:
        match effect:
            case FindEvents(names, after):
                return [event for event in self.events if event.name in names and event.received_at > after]
            case CountMessages(since):
                return sum(at > since for at in self.sent)
            case FindMessages(since):
                return sorted(at for at in self.sent if at > since)
            case ReserveSlot(throttle, at):
                slot = max(at, self.next_slot)
                self.next_slot = slot + spacing(throttle)
                return slot
            case AskSuppression():
                return self.suppressed
            case QueueMessage():
                if effect.notice:
                    self._say(effect.at, f"tells {effect.to} {effect.template}")
                else:
                    self.sent.append(effect.at)
                    self._say(effect.at, f"{effect.channel} {effect.template}")
                return f"{effect.step}/{effect.visit}"
            case SkipMessage(message, reason):
                self._say(message.at, f"skipped {message.channel} {message.template}: {reason}")
                return f"{message.step}/{message.visit}"
            case AskOutside():
                self.asked.append(effect)
                self._say(effect.at, f"{effect.kind} {effect.step}")
                said = self.answers.get(effect.step)
                if said is not None:
                    self.coming.append(_answered(effect, *said))
                return f"{effect.step}/{effect.visit}"
            case IssueDiscount():
                self.issued.append(effect)
                return {"code": f"CODE-{len(self.issued)}", "expires_on": effect.expires_on}
            case GiveReferralCode():
                return {
                    "code": "F1",
                    "link": "https://example.com/r/F1",
                    "qr": "https://example.com/r/F1.png",
                }
            case UpdateLead(columns, attributes, changed, at, _):
                self.lead = {**self.lead, **columns, **attributes}
                self._say(at, f"changed {', '.join(changed)}")
                told = Event(f"own-{len(self.events)}", "lead.updated", {"changed": list(changed)}, at)
                self.events.append(told)
                return Updated(self.lead, told)
            case EnrollLead(journey, at):
                self._say(at, f"enters {journey}")
                return self.enrolling
            case UnenrollLead(journey, at):
                self._say(at, f"leaves {journey}")
                return 1
            case RecordGoal(at, value):
                self.goal = (at, value)
                return None
            case Note(at, _, "ended", detail):
                self._say(at, f"ended {detail['reason'] or detail['outcome']}")
                return None
            case Note(at, step, "held", detail):
                self.held.append(f"{at:%m-%d %H:%M} {step} {detail['reason']}, {detail['until'][5:16]}")
                return None
            case Note():
                return None

    def _say(self, at: datetime, text: str) -> None:
        self.lines.append(f"{at:%Y-%m-%d %H:%M} {text}")


def _answered(asked: AskOutside, after: timedelta, said: dict[str, Any]) -> Answer:
    return Answer(f"{asked.step}/{asked.visit}", "", said, asked.at + after, asked.step, asked.visit)
