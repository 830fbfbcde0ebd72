"""What must hold of the journeys of a workspace together."""

from __future__ import annotations

from collections.abc import Sequence

from dripline.language.constraints import State, holding
from dripline.language.expressions import tree_of
from dripline.language.look import Draft
from dripline.language.problems import Problem, listed
from dripline.language.ways import begin_of, met
from dripline.language.workspace import Workspace


def own_ids(drafts: Sequence[Draft], _: Workspace) -> list[Problem]:
    """No two journeys have one id."""
    seen: dict[str, str] = {}
    problems = []
    for draft in drafts:
        first = seen.setdefault(draft.journey.journey, draft.document.path)
        if first != draft.document.path:
            message = f"`{draft.journey.journey}` is the id of {first} too"
            problems.append(draft.problem(("journey",), "duplicate-journey", message, "give it its own"))
    return problems


def apart_triggers(drafts: Sequence[Draft], workspace: Workspace) -> list[Problem]:
    """No two journeys that write to leads take in the same leads at the same event.

    It is told of the journey that comes later by the name of its file, unless comparisons with constants in the
    triggers' `when` keep the two apart.
    """
    problems = []
    for number, draft in enumerate(drafts):
        if not any(draft.messages()):
            continue
        others: dict[str, list[str]] = {}
        for other in drafts[:number]:
            if other.journey.journey != draft.journey.journey and any(other.messages()):
                for event in _shared(other, draft, workspace):
                    others.setdefault(event, []).append(other.journey.journey)
        for event, names in others.items():
            loc = ("trigger", "event", draft.journey.trigger.event.index(event))
            message = (
                f"at `{event}` the same lead may enter {listed(names)} as well, and get the messages of all"
            )
            hint = "tell them apart in the triggers' `when`, or make one journey of them"
            problems.append(draft.warning(loc, "overlapping-triggers", message, hint, offset=0))
    return problems


def _shared(one: Draft, other: Draft, workspace: Workspace) -> list[str]:
    """The events at which a lead may enter both."""
    return [
        event
        for event in one.journey.trigger.event
        if event in other.journey.trigger.event and _both(one, other, event, workspace)
    ]


def _both(one: Draft, other: Draft, event: str, workspace: Workspace) -> bool:
    states = [met(State(begin_of(one.journey, workspace), {}), (event,))]
    for draft in (one, other):
        if draft.journey.trigger.when is not None:
            states = holding(tree_of(draft.journey.trigger.when), states)
    return bool(states)


RULES_TOGETHER = (own_ids, apart_triggers)
"""Every rule, in the order in which they are told."""


def check_project(drafts: Sequence[Draft], workspace: Workspace) -> list[Problem]:
    """Everything that is wrong with journeys that have nothing left out, seen together."""
    return [problem for rule in RULES_TOGETHER for problem in rule(drafts, workspace)]
