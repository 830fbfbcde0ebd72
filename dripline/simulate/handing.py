"""Who looks after the made-up lead, and what they have to do for it, by the rules of the store.

Nobody is away and nobody has other leads, unless the scenario's answer of the step says so: `{absent: [anna]}`, or
`{person: aram}` for who shall get the lead.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from dripline.engine.effects import Assigned, AssignLead, Event, SetTask
from dripline.engine.entering import MAX_DEPTH
from dripline.engine.picking import Choice, Handover, Looked, Standing, pick
from dripline.engine.working import after_work
from dripline.language.plan import Duration
from dripline.simulate.recording import Recording
from dripline.simulate.state import Handed, Run, State, TaskOfLead
from dripline.simulate.timeline import Entry

_OF_A_PERSON = ("task.done",)
"""Events that show that whoever has the lead has reacted, beside those that the team names."""


@dataclass
class _Given:
    """The lead as it was given to somebody."""

    wanted: Handover
    react: Duration | None
    at: datetime
    over: bool = False


class Handing:
    """Answers the effects that are about people."""

    def __init__(self, state: State, recording: Recording) -> None:
        self._state = state
        self._recording = recording
        self._given: _Given | None = None
        self._last: dict[tuple[str | None, str], tuple[datetime, int]] = {}

    def assign(self, run: Run, order: AssignLead) -> Assigned | None:
        """Give the lead an owner, or find that nobody can be had."""
        if run.depth >= MAX_DEPTH:
            return None
        answers = self._state.answers.get(order.step, {})
        absent = answers.get("absent", ())
        away = frozenset([absent] if isinstance(absent, str) else map(str, absent))
        wanted = replace(order.wanted, language=self._lead("locale"), owner=self._lead("owner"))
        choice = self._choose(wanted, away, answers.get("person"), order.at)
        detail = {"name": choice.person or "nobody", "how": choice.how}
        self._state.timeline.append(
            Entry(order.at, "deed", "assign", run.plan.journey, run.id, order.step, detail)
        )
        events = self._make_so(wanted, choice, order.react, order.at, away, run.depth + 1)
        if choice.person is not None:
            reactions = wanted.of.reactions if wanted.team is not None else ()
            self._state.handed = Handed(run.id, order.at, reactions)
        told = tuple(Event(one.id, one.name, one.properties, order.at) for one in events)
        return Assigned(choice, self._state.lead, told)

    def set_task(self, run: Run, order: SetTask) -> str:
        """Note the task; once it is due and not done, whoever waits is told."""
        key = f"{run.id}/{order.step}/{order.visit}"
        task = TaskOfLead(key, order.title, order.person, run.id, order.at, order.due_at)
        self._state.tasks[key] = task
        detail = {"name": order.title, "person": order.person or "nobody"}
        self._state.timeline.append(
            Entry(order.at, "deed", "task", run.plan.journey, run.id, order.step, detail)
        )
        if order.due_at is not None:
            self._state.later(order.due_at, lambda: self._fall_due(task, order.escalate_to))
        return key

    def _fall_due(self, task: TaskOfLead, escalate_to: str | None) -> None:
        if not task.done:
            task.person = escalate_to or task.person
            self._recording.record("task.overdue", {"task": task.id, "title": task.title})

    def _choose(self, wanted: Handover, away: frozenset[str], said: object, at: datetime) -> Choice:
        if said is not None:
            return Choice(str(said), wanted.by, (Looked(str(said), True, "the scenario says so"),))
        standings = {
            name: Standing(last_given=last[0], turn=last[1], away=name in away)
            for name in wanted.people
            for last in [self._last.get((wanted.team, name), (None, 0))]
        }
        return pick(wanted, standings, at)

    def _make_so(
        self,
        wanted: Handover,
        choice: Choice,
        react: Duration | None,
        at: datetime,
        away: frozenset[str],
        depth: int,
    ) -> Iterable[Event]:
        person = choice.person
        if person is None:
            return []
        if self._given is not None:
            self._given.over = True
        self._given = given = _Given(wanted, react, at)
        self._last[wanted.team, person] = at, len(self._state.events)
        if react is not None and wanted.team is not None and choice.how != "fallback":
            react_by = after_work(at, react, wanted.people.get(person), wanted.timezone)
            self._state.later(react_by, lambda: self._hand_on(given, person, away))
        events, before = [], self._lead("owner")
        if before != person:
            self._state.lead.update(owner=person, owner_at=at)
            for task in self._state.tasks.values():
                task.person = person if task.person == before and not task.done else task.person
            events.append(self._recording.record("lead.updated", {"changed": ["owner"]}, depth))
        said = {"person": person, "team": wanted.team, "how": choice.how}
        told = {name: value for name, value in said.items() if value is not None}
        return [*events, self._recording.record("lead.assigned", told, depth)]

    def _hand_on(self, given: _Given, person: str, away: frozenset[str]) -> None:
        """Whoever has the lead has not reacted in time: another one gets it."""
        if given.over or self._reacted(given):
            return
        wanted = replace(
            given.wanted,
            owner=person,
            keep_owner=False,
            not_again=given.wanted.not_again | {person},
        )
        now = self._state.now
        choice = self._choose(wanted, away, None, now)
        if choice.person is not None:
            choice = replace(choice, how="fallback" if choice.how == "fallback" else "no-reaction")
            self._make_so(wanted, choice, given.react, now, away, 0)

    def _reacted(self, given: _Given) -> bool:
        names = (*_OF_A_PERSON, *given.wanted.of.reactions)
        return any(event.name in names and event.received_at > given.at for event in self._state.events)

    def _lead(self, name: str) -> str | None:
        value = self._state.lead.get(name)
        return str(value) if value else None
