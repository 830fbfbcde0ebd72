"""One turn of a run: what it does between two waits.

`take_turn` is a generator over the plan. It yields effects, is sent their answers, and returns a TurnEnd. It
takes facts (events, the ends of waits) in the order in which they became true, each at its own instant, so
that a late worker changes nothing in the outcome. At the same instant: exit, goal, wait, timeout.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from dripline.engine.calendar import add, zone_of
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
    TurnEnd,
    Wait,
)
from dripline.engine.policy import over_limit, refusal
from dripline.engine.scope import goal_value, scope
from dripline.language.expressions import EvaluationError, compile_expression
from dripline.language.plan import (
    BranchStep,
    DelayStep,
    Duration,
    EventFilter,
    Limit,
    MessageStep,
    Plan,
    Step,
    StopStep,
    WaitForStep,
)

MAX_STEPS = 1000
"""Steps without a wait after which a run ends as `too-long`, and steps after which a turn ends at its next wait."""

MAX_ACCEPTED = 200
"""How many of the events that ended a wait a run remembers."""

Turn = Generator[Effect, Any, TurnEnd]
Asking = Generator[Effect, Any, Any]


def take_turn(
    plan: Plan, run: RunState, lead: Mapping[str, Any], inbox: Sequence[Event], now: datetime
) -> Turn:
    """Take a run as far as it goes by `now`. Every event of `inbox` counts as having happened.

    Never raises for what a journey's author or a lead's data did wrong: the run is parked, with the reason.
    """
    turn = _Turn(plan, run, lead, inbox, max(now, run.last_at))
    try:
        end = yield from turn.take()
    except EvaluationError as problem:
        yield Note(turn.at, turn.state.step, "parked", {"reason": str(problem)})
        end = TurnEnd(replace(turn.state, last_at=turn.at), parked=str(problem))
    for when, (name, reason) in turn.failed_filters.items():
        yield Note(turn.at, end.state.step, "filter-failed", {"event": name, "when": when, "reason": reason})
    return end


class _Turn:
    """The moving parts of one turn: its instant `at`, the run's state, the events not yet looked at."""

    def __init__(
        self, plan: Plan, run: RunState, lead: Mapping[str, Any], inbox: Sequence[Event], now: datetime
    ) -> None:
        self.plan = plan
        self.state = run
        self.lead = lead
        self.now = now
        self.at = run.last_at
        self.where: ZoneInfo = zone_of(lead.get("timezone"), lead.get("country"), plan.timezone)
        self.pending = {event.id: event for event in inbox}
        self.failed_filters: dict[str, tuple[str, str]] = {}
        self.steps_taken = 0
        self.steps_since_wait = 0

    def take(self) -> Turn:
        if self.state.step is None and not self.state.visits:
            yield Note(self.at, None, "entered", {"event": self.state.trigger and self.state.trigger.name})
            self._go_to(self.plan.steps[0].id)
        outcome: Outcome | None = None
        while outcome is None:
            resting = self.state.wait is not None
            fact = self._next_fact()
            if resting and fact is None:
                return TurnEnd(replace(self.state, last_at=max(self.at, self.now)))
            if resting and self.steps_taken > MAX_STEPS:  # enough for one transaction: the next turn goes on
                return TurnEnd(replace(self.state, last_at=self.at))
            if fact is not None:
                outcome = yield from self._take_fact(fact)
            elif self.state.step is None:
                outcome = Outcome("finished")
            else:
                outcome = yield from self._enter(self.plan.by_id[self.state.step])
        if outcome.kind != "goal":
            yield from self._convert_late()
        yield Note(self.at, self.state.step, "ended", {"outcome": outcome.kind, "reason": outcome.reason})
        return TurnEnd(replace(self.state, wait=None, last_at=self.at), outcome)

    # -- facts ---------------------------------------------------------------------------------------------

    def _next_fact(self) -> Event | datetime | None:
        """The next thing that became true: an event, or the end of the wait (its instant)."""
        wait = self.state.wait
        events = sorted(self.pending.values(), key=lambda event: event.received_at)
        if wait is None:  # between two steps: only what is true by now, and only exits and goals count
            events = [event for event in events if event.received_at <= self.at]
        reached = max(self.now, events[0].received_at) if events else self.now
        end = wait.until if wait and wait.until and wait.until <= reached else None
        if events and (end is None or events[0].received_at <= end):
            first = [event for event in events if event.received_at == events[0].received_at]
            return min(first, key=self._rank)
        return end

    def _rank(self, event: Event) -> int:
        if any(self._matches(way_out.on, event) for way_out in self.plan.exits):
            return 0
        return 1 if self._is_goal(event) else 2

    def _take_fact(self, fact: Event | datetime) -> Generator[Effect, Any, Outcome | None]:
        if isinstance(fact, datetime):
            self.at = max(self.at, fact)
            yield from self._wait_ended()
            return None
        self.at = max(self.at, fact.received_at)
        del self.pending[fact.id]
        for way_out in self.plan.exits:
            if self._matches(way_out.on, fact):
                yield Note(self.at, self.state.step, "exit", {"event": fact.name, "reason": way_out.reason})
                return Outcome("exit", way_out.reason)
        if self._is_goal(fact):
            yield from self._convert(fact)
            return Outcome("goal", fact.name)
        step = self.plan.by_id.get(self.state.step or "")
        if self.state.wait and isinstance(step, WaitForStep) and self._may_accept(step, fact):
            yield from self._accept(step, fact)
        return None

    def _is_goal(self, event: Event) -> bool:
        goal = self.plan.goal
        if goal is None or not self._matches(goal.on, event):
            return False
        return goal.within is None or event.received_at <= add(self.state.started_at, goal.within, self.where)

    def _convert(self, event: Event) -> Asking:
        value = goal_value(self.plan.goal, self._scope(event)) if self.plan.goal else None
        at = max(self.at, event.received_at)
        yield RecordGoal(at, value)
        yield Note(at, self.state.step, "goal", {"event": event.name, "value": value})

    def _convert_late(self) -> Asking:
        """Count a goal that came after the end, but before this (late) turn: ingest saw the run still open."""
        goal = self.plan.goal
        coming = sorted(self.pending.values(), key=lambda event: event.received_at)
        reached = next((event for event in coming if self._is_goal(event)), None)
        if goal and goal.within and reached:
            yield from self._convert(reached)

    def _wait_ended(self) -> Asking:
        step = self.plan.by_id[self.state.step or ""]
        if isinstance(step, WaitForStep):
            yield Note(self.at, step.id, "timeout", {"events": list(step.on.events)})
            self._go_to(step.otherwise)
        else:
            yield Note(self.at, step.id, "woke", {})
            self._go_to(step.next)

    # -- steps ---------------------------------------------------------------------------------------------

    def _enter(self, step: Step) -> Generator[Effect, Any, Outcome | None]:
        self.steps_taken += 1
        self.steps_since_wait += 1
        if self.steps_since_wait > MAX_STEPS:
            return Outcome("too-long", f"more than {MAX_STEPS} steps without a wait")
        if step.condition and not self._holds(step.condition):
            yield Note(self.at, step.id, "if-false", {"if": step.condition})
            self._go_to(step.next)
            return None
        visit = self.state.visits.get(step.id, 0) + 1
        self.state = replace(self.state, visits={**self.state.visits, step.id: visit})
        match step:
            case MessageStep():
                yield from self._message(step, visit)
            case DelayStep():
                yield from self._rest(step, step.duration)
            case WaitForStep():
                yield from self._wait_for(step)
            case BranchStep():
                yield from self._branch(step)
            case StopStep():
                return Outcome("stopped", step.reason)
            case _:
                assert_never(step)
        return None

    def _message(self, step: MessageStep, visit: int) -> Asking:
        message = QueueMessage(
            step=step.id,
            visit=visit,
            channel=step.channel,
            template=step.template,
            topic=step.topic,
            transactional=step.transactional,
            context=self._context(),
            at=self.at,
        )
        suppressed = yield AskSuppression(step.channel)
        reason = refusal(step.channel, step.topic, step.transactional, self.lead, suppressed)
        if reason is None and step.limit and not step.transactional:
            sent = yield CountMessages(self._since(step.limit))
            reason = over_limit(step, sent)
        if reason is None:
            key = yield message
            self.state = replace(self.state, last_message_at=self.at)
            yield Note(self.at, step.id, "queued", {"message": key, "template": step.template})
        else:
            key = yield SkipMessage(message, reason)
            yield Note(
                self.at, step.id, "skipped", {"message": key, "template": step.template, "reason": reason}
            )
        if step.result:
            sent_it = {
                "message": key,
                "sent": reason is None,
                "skipped": reason is not None,
                "reason": reason,
            }
            self._remember(step.result, sent_it)
        self._go_to(step.next)

    def _since(self, limit: Limit) -> datetime:
        """When the period of a cap that ends now began."""
        per = limit.per
        return add(
            self.at,
            Duration(months=-per.months, days=-per.days, seconds=-per.seconds),
            self.where,
        )

    def _rest(self, step: Step, duration: Duration | None) -> Asking:
        self.steps_since_wait = 0
        until = add(self.at, duration, self.where) if duration else None
        self.state = replace(self.state, wait=Wait(self.at, until))
        detail: dict[str, Any] = {"until": until.isoformat() if until else None}
        if isinstance(step, WaitForStep):
            detail["events"] = list(step.on.events)
        yield Note(self.at, step.id, "waits", detail)

    def _wait_for(self, step: WaitForStep) -> Asking:
        """Rest at the step, then look back: what already counts is accepted here and now."""
        yield from self._rest(step, step.timeout)
        seen: list[Event] = yield FindEvents(step.on.events, self._look_back(step))
        for event in seen:
            if not self._may_accept(step, event):
                continue
            if event.received_at <= self.at:
                self.pending.pop(event.id, None)
                yield from self._accept(step, event)
                return
            self.pending.setdefault(event.id, event)

    def _look_back(self, step: WaitForStep) -> datetime:
        match step.since:
            case "now":
                return self.at
            case "start":
                return self.state.started_at
            case "message":
                return self.state.last_message_at or self.state.started_at
            case Duration() as ago:
                back = Duration(months=-ago.months, days=-ago.days, seconds=-ago.seconds)
                return add(self.at, back, self.where)

    def _may_accept(self, step: WaitForStep, event: Event) -> bool:
        trigger = self.state.trigger
        if event.id in self.state.accepted or (trigger and event.id == trigger.id):
            return False
        return self._matches(step.on, event)

    def _accept(self, step: WaitForStep, event: Event) -> Asking:
        accepted = (*self.state.accepted, event.id)[-MAX_ACCEPTED:]
        self.state = replace(self.state, last_event=event, accepted=accepted)
        if step.result:
            self._remember(step.result, {**event.properties, "name": event.name})
        yield Note(self.at, step.id, "accepted", {"event": event.name, "event_id": event.id})
        self._go_to(step.then)

    def _branch(self, step: BranchStep) -> Asking:
        for number, arm in enumerate(step.arms, 1):
            if arm.when is None or self._holds(arm.when):
                yield Note(self.at, step.id, "branch", {"arm": number, "when": arm.when or "else"})
                self._go_to(arm.to)
                return
        yield Note(self.at, step.id, "branch", {"arm": None, "when": None})
        self._go_to(step.next)

    # -- small things --------------------------------------------------------------------------------------

    def _go_to(self, step: str | None) -> None:
        self.state = replace(self.state, step=step, wait=None)

    def _remember(self, name: str, value: Mapping[str, Any]) -> None:
        self.state = replace(self.state, variables={**self.state.variables, name: value})

    def _context(self) -> dict[str, Any]:
        """What a template may read besides the lead: kept with the message, as plain JSON."""
        trigger, event = self.state.trigger, self.state.last_event or self.state.trigger
        return {
            "variables": dict(self.state.variables),
            "trigger": {"name": trigger.name, "properties": dict(trigger.properties)} if trigger else None,
            "event": {"name": event.name, "properties": dict(event.properties)} if event else None,
        }

    def _scope(self, event: Event | None = None) -> dict[str, Any]:
        candidate = event or self.state.last_event or self.state.trigger
        return scope(
            self.plan, self.lead, self.state.trigger, candidate, self.state.variables, self.at, self.where
        )

    def _holds(self, condition: str) -> bool:
        return compile_expression(condition).holds(self._scope())

    def _matches(self, wanted: EventFilter, event: Event) -> bool:
        """Whether the filter lets the event through; one that cannot be evaluated lets nothing through."""
        if event.name not in wanted.events:
            return False
        if wanted.when is None:
            return True
        try:
            return compile_expression(wanted.when).holds(self._scope(event))
        except EvaluationError as problem:
            self.failed_filters[wanted.when] = (event.name, str(problem))
            return False
