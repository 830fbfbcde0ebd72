"""Handing leads over to people, and giving people things to do."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from dripline.engine.changing import MAX_ACCEPTED
from dripline.engine.effects import TOO_LONG, Assigned, AssignLead, Effect, Note, Outcome, SetTask
from dripline.engine.moving import Asking, Moving
from dripline.engine.picking import Handover
from dripline.engine.sending import HOLDOUT
from dripline.engine.working import after_work
from dripline.language.notices import OWNER
from dripline.language.plan import AssignStep, Plan, TaskStep, Team
from dripline.language.texts import fill_text

MAX_TITLE = 1_000
"""Letters of a task's title that are kept."""


def assign(run: Moving, step: AssignStep, visit: int) -> Generator[Effect, Any, Outcome | None]:
    """Give the lead an owner, or leave it without one where nobody can be had; not in the control group."""
    if run.state.holdout:
        _remember(run, step, {"skipped": True, "reason": HOLDOUT})
        yield Note(run.at, step.id, "not-assigned", {"reason": HOLDOUT})
        run.go_to(step.next)
        return None
    wanted = handover(run.plan, step)
    answer: Assigned | None = yield AssignLead(step.id, visit, wanted, _react(run.plan, step), run.at)
    if answer is None:
        return Outcome("too-long", TOO_LONG)
    run.lead = answer.lead
    run.pending |= {event.id: event for event in answer.events}
    own = (*run.state.accepted, *(event.id for event in answer.events))
    run.state = replace(run.state, accepted=own[-MAX_ACCEPTED:])
    choice = answer.choice
    person = run.plan.people.get(choice.person or "")
    said = {
        "person": choice.person,
        "name": person.name or choice.person if person else None,
        "email": person.email if person else None,
        "phone": person.phone if person else None,
        "how": choice.how,
        "reason": choice.looked[0].why if choice.looked else None,
        "skipped": choice.person is None,
    }
    _remember(run, step, {name: value for name, value in said.items() if value is not None})
    told = {"person": choice.person, "to": step.to, "how": choice.how, "reason": said["reason"]}
    yield Note(run.at, step.id, "assigned" if choice.person else "not-assigned", told)
    run.go_to(step.next)
    return None


def handover(plan: Plan, step: AssignStep) -> Handover:
    """What the step wants handed over, as far as the plan says it."""
    team = plan.teams.get(step.to)
    of = team or Team(people=(step.to,))
    return Handover(
        team=step.to if team else None,
        of=of,
        people=plan.people,
        by=step.by or of.by,
        timezone=plan.timezone,
        keep_owner=step.keep_owner,
    )


def set_task(run: Moving, step: TaskStep, visit: int) -> Asking:
    """Give a colleague a task; whom, and by when, is reckoned now."""
    if run.state.holdout:
        _remember(run, step, {"skipped": True, "reason": HOLDOUT})
        yield Note(run.at, step.id, "no-task", {"reason": HOLDOUT})
        run.go_to(step.next)
        return
    title = fill_text(step.title, run.names())[:MAX_TITLE]
    name: str | None = step.to
    if name == OWNER:
        name = run.lead.get("owner") or run.plan.default_owner
    person = run.plan.people.get(name or "")
    due_at = after_work(run.at, step.due, person, run.plan.timezone) if step.due else None
    task = yield SetTask(step.id, visit, name, title, due_at, step.escalate_to, run.at)
    said = {"id": task, "person": name, "title": title, "due_at": due_at.isoformat() if due_at else None}
    _remember(run, step, {"skipped": False, **{key: value for key, value in said.items() if value}})
    yield Note(run.at, step.id, "task", said)
    run.go_to(step.next)


def _react(plan: Plan, step: AssignStep) -> Any:
    team = plan.teams.get(step.to)
    return step.react or (team.react if team else None)


def _remember(run: Moving, step: AssignStep | TaskStep, said: dict[str, Any]) -> None:
    if step.result:
        run.remember(step.result, said)
