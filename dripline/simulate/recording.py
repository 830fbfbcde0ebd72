"""What comes in, by the rules of ingest: who listens, who enters, which goal counts late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from dripline.engine.effects import Event, RunState
from dripline.engine.entering import MAX_DEPTH, EarlierRun, allows, bar, hears, reached_late, triggers
from dripline.engine.keys import key_of
from dripline.engine.scheduling import belongs
from dripline.engine.topics import changed
from dripline.language.expressions import EvaluationError
from dripline.language.orders import Unreadable, read_order
from dripline.language.plan import Gathering, Plan
from dripline.language.stages import CUSTOMER, LOST, Told, first_card, readable_card, stage_events
from dripline.language.surveys.answers import ANSWERED
from dripline.language.workspace import LEAD_FIELDS
from dripline.simulate.membership import Segments
from dripline.simulate.receiving import NoSuchLetter, answered, completed
from dripline.simulate.scoring import Scores
from dripline.simulate.state import Run, State
from dripline.simulate.timeline import Entry

ENROLLED = "journey.enrolled"
"""The event that an enrolment is recorded as."""


class Recording:
    """Records what happens to the lead."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.scores = Scores(state)
        self.segments = Segments(state)

    def record(self, name: str, properties: Mapping[str, Any], depth: int = 0) -> Event:
        """Record an event, tell the runs that listen, count late goals, start the journeys that it triggers."""
        event = Event(
            f"event-{len(self._state.events) + 1}", name, self._completed(name, properties), self._in_order()
        )
        self._note_done(event)
        self._state.events.append(event)
        self._state.timeline.append(Entry(event.received_at, "event", name, detail=event.properties))
        told = [*self._bought(event), *self.scores.follow(event), *self.segments.follow(event)]
        told += self._reacted(event)
        for run in self._state.runs:
            if run.outcome is None and _hears(run, event):
                run.inbox.append(event)
                run.woken = True
            elif run.outcome is not None and not run.converted:
                self._credit(run, event)
        for plan in sorted(self._state.plans.values(), key=lambda plan: plan.journey):
            if self._triggers(plan, event) and depth <= MAX_DEPTH:
                self.enter(plan, event, depth)
        for what, said in told:
            self.record(what, said, depth)
        return event

    def _bought(self, event: Event) -> list[Told]:
        """What an order tells, where it makes leads customers."""
        rules, lead = self._state.rules.orders, self._state.lead
        if rules is None or not rules.customer or event.name != rules.event or lead["stage"] == CUSTOMER:
            return []
        try:
            order = read_order(rules, event.properties, self._state.rules.currency)
        except Unreadable:
            return []
        before, lead["stage"] = lead["stage"], CUSTOMER
        changed: Told = ("lead.updated", {"changed": ["stage"]})
        return [changed, *self._stage(before, event.received_at, order=order.reference)]

    def _reacted(self, event: Event) -> list[Told]:
        """What a reaction of whoever has the lead tells: that the task of the hand-over is done."""
        handed = self._state.handed
        if handed is None or event.name not in handed.reactions or event.received_at <= handed.at:
            return []
        asked = min(
            (
                one
                for one in self._state.tasks.values()
                if one.run == handed.run and one.created_at >= handed.at
            ),
            key=lambda one: (one.created_at, one.due_at is None, one.due_at or one.created_at),
            default=None,
        )
        return (
            [] if asked is None or asked.done else [("task.done", {"task": asked.id, "title": asked.title})]
        )

    def age(self) -> None:
        """Let time do to the score, and to the segments, what it does."""
        for what, said in (*self.scores.age(), *self.segments.age()):
            self.record(what, said)

    def _completed(self, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        """What becomes of a message, with which message it is; one that nobody has got is told as trouble."""
        if name == "task.done" and "task" not in properties:
            return self._the_first_open(properties)
        try:
            if name == ANSWERED:
                return answered(properties, self._state.letters.values(), self._state.plans)
            return completed(name, properties, self._state.letters.values())
        except NoSuchLetter as problem:
            entry = Entry(self._state.now, "step", "no-such-letter", detail={"reason": str(problem)})
            self._state.timeline.append(entry)
            return dict(properties)

    def _the_first_open(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Where a scenario does not say which task was done, it is the oldest that was not."""
        task = next((one for one in self._state.tasks.values() if not one.done), None)
        return {**({"task": task.id, "title": task.title} if task else {}), **properties}

    def _note_done(self, event: Event) -> None:
        task = self._state.tasks.get(str(event.properties.get("task")))
        if event.name == "task.done" and task is not None:
            task.done = True

    def _in_order(self) -> datetime:
        """Now, or just after the newest moment that the lead's runs have seen, as ingest does."""
        seen = [event.received_at for event in self._state.events] + [
            run.state.last_at for run in self._state.runs
        ]
        return max([self._state.now, *(moment + timedelta(microseconds=1) for moment in seen)])

    def _credit(self, run: Run, event: Event) -> None:
        state = run.state
        try:
            reached, value = reached_late(
                run.plan, self._state.lead, state.trigger, state.variables, state.started_at, event
            )
        except EvaluationError:
            return
        if reached:
            run.converted, run.value = True, value
            detail = {"event": event.name, "value": value}
            self._state.timeline.append(
                Entry(event.received_at, "step", "goal", run.plan.journey, run.id, None, detail)
            )

    def _triggers(self, plan: Plan, event: Event) -> bool:
        try:
            return triggers(plan, self._state.lead, event)
        except EvaluationError as problem:
            self._trigger_failed(plan, event.received_at, problem)
            return False

    def _trigger_failed(self, plan: Plan, at: datetime, problem: EvaluationError) -> None:
        detail = {"journey": plan.journey, "reason": str(problem)}
        self._state.timeline.append(Entry(at, "step", "trigger-failed", plan.journey, detail=detail))

    def let_in(self, plan: Plan, name: str, properties: Mapping[str, Any], depth: int) -> str | None:
        """Start a run past the trigger, with an event that nobody else is told of; or why not."""
        event = Event(f"event-{len(self._state.events) + 1}", name, dict(properties), self._in_order())
        why_not = self.enter(plan, event, depth)
        if why_not is None:
            self._state.events.append(event)
        return why_not

    def enter(self, plan: Plan, event: Event, depth: int) -> str | None:
        """Start a run of the journey, unless its re-entry rule bars the lead; then why."""
        before = [run for run in self._state.runs if run.plan.journey == plan.journey]
        key = key_of(plan, event.properties)
        earlier = [
            EarlierRun(run.state.started_at, run.outcome is not None) for run in before if run.key == key
        ]
        why_not = bar(plan, self._state.lead, earlier, event.received_at)
        if why_not is not None:
            detail = {"event": event.name, "reason": why_not}
            self._state.timeline.append(
                Entry(event.received_at, "step", "barred", plan.journey, detail=detail)
            )
            return why_not
        self._begin(plan, event.received_at, key, event, depth)
        return None

    def enter_on_date(self, plan: Plan, year: str, at: datetime) -> None:
        """Start the run of that year, unless there is one, or the trigger's condition keeps the lead out."""
        if any(run.plan.journey == plan.journey and run.key == year for run in self._state.runs):
            return
        at = self._in_order()
        try:
            allowed = allows(plan, self._state.lead, None, at)
        except EvaluationError as problem:
            self._trigger_failed(plan, at, problem)
            return
        if allowed:
            self._begin(plan, at, year, None, 0)

    def has_entered(self, plan: Plan) -> bool:
        """Whether the lead is or was in the journey."""
        return any(run.plan.journey == plan.journey for run in self._state.runs)

    def enter_gathered(self, plan: Plan, gathering: Gathering, at: datetime) -> None:
        """Let the lead in, if it is one of the audience and the re-entry rule does not bar it."""
        at = self._in_order()
        try:
            if not belongs(gathering, plan, self._state.lead, at):
                return
        except EvaluationError as problem:
            self._trigger_failed(plan, at, problem)
            return
        before = [run for run in self._state.runs if run.plan.journey == plan.journey]
        earlier = [EarlierRun(run.state.started_at, run.outcome is not None) for run in before]
        if bar(plan, self._state.lead, earlier, at) is None:
            self._begin(plan, at, None, None, 0)

    def _begin(self, plan: Plan, at: datetime, key: str | None, event: Event | None, depth: int) -> None:
        number = 1 + sum(run.plan.journey == plan.journey for run in self._state.runs)
        state = RunState(
            id=f"{plan.journey}-{number}",
            step=None,
            wait=None,
            variables={},
            visits={},
            trigger=event,
            last_event=None,
            last_message_at=None,
            started_at=at,
            last_at=at,
        )
        self._state.runs.append(Run(plan, state, key, depth))

    def enrol(self, journey: str, properties: Mapping[str, Any]) -> None:
        event = self.record(ENROLLED, {**properties, "journey": journey})
        self.enter(self._state.plans[journey], event, 0)

    def change(self, values: Mapping[str, Any]) -> None:
        after = {name: laid_over(self._state.lead.get(name), name, value) for name, value in values.items()}
        names = sorted(name for name, value in after.items() if self._state.lead.get(name) != value)
        if names:
            if "score" in names and self.scores.set("api", float(after["score"] or 0), self._state.now):
                del after["score"]  # it follows from the points, as the event is recorded
            before = self._state.lead.get("stage")
            self._state.lead.update(after)
            self.record("lead.updated", {"changed": names})
            self.follow_stage(before, self._state.now)

    def follow_stage(
        self, before: str | None, at: datetime, reason: str | None = None, depth: int = 0
    ) -> list[Event]:
        """Tell of a change of the lead's stage, which is made already, as ingest does; the events."""
        return [self.record(name, said, depth) for name, said in self._stage(before, at, reason)]

    def _stage(
        self, before: str | None, at: datetime, reason: str | None = None, order: str | None = None
    ) -> list[Told]:
        lead, after = self._state.lead, self._state.lead.get("stage")
        converted = after == CUSTOMER and not lead.get("customer")
        told = stage_events(before, after, reason=reason, order=order, converted=converted)
        if told:
            lead["stage_at"] = at
        if told and after in (CUSTOMER, LOST):
            self._state.handed = None
        if converted:
            own = {name: value for name, value in lead.items() if name not in LEAD_FIELDS}
            card = first_card(lead, own)
            lead["customer"] = readable_card(card, at, lead.get("owner"), order)
        return told


def laid_over(before: Any, name: str, value: Any) -> Any:
    """What a field of the lead becomes: consent and topics keep what is not said anew."""
    if name == "topics":
        return changed(before, value)
    return {**(before or {}), **value} if name == "consent" else value


def _hears(run: Run, event: Event) -> bool:
    try:
        return hears(run.plan, run.state.step, event)
    except EvaluationError:  # the turn meets it as well, and says so
        return True
