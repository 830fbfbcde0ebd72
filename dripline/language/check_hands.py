"""Whether the teams and people are there to whom journeys give leads and tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.notices import OWNER
from dripline.language.people import AssignStep, TaskStep
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean


def known_hands(look: Look) -> Iterator[Problem]:
    """Leads are given to teams and people, and tasks to people, whom dripline.yaml declares."""
    people, teams = look.workspace.people, look.workspace.teams
    for loc, step in every_step(look.journey.steps):
        if isinstance(step, AssignStep):
            to = step.assign.to
            if to not in people and to not in teams:
                yield _unknown(look, (*loc, "assign", "to"), to, {*teams, *people}, "team or person")
            elif to in people and (step.assign.by is not None or step.assign.react is not None):
                key = "by" if step.assign.by is not None else "react"
                message = f"`{to}` is one person: there is nobody to choose from"
                yield look.draft.problem(
                    (*loc, "assign", key), "wrong-value", message, "remove it, or name a team", key=True
                )
        elif isinstance(step, TaskStep):
            if step.task.for_ not in people and step.task.for_ != OWNER:
                yield _unknown(look, (*loc, "task", "for"), step.task.for_, {*people, OWNER}, "person")
            escalate = step.task.escalate_to
            if escalate is not None and escalate not in people:
                yield _unknown(look, (*loc, "task", "escalate_to"), escalate, set(people), "person")
            if escalate is not None and step.task.due is None:
                message, hint = "a task that is never due is never overdue", "add `due`, like `due: 4h`"
                yield look.draft.problem(
                    (*loc, "task", "escalate_to"), "missing-key", message, hint, key=True
                )


def _unknown(look: Look, loc: Loc, name: str, known: Collection[str], what: str) -> Problem:
    hint = did_you_mean(name, known) or f"declare the {what} in dripline.yaml"
    return look.draft.problem(loc, "unknown-person", f"there is no {what} called `{name}`", hint)
