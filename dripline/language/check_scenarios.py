"""Whether what a scenario expects can happen: templates and steps that the journeys that it plays have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dripline.language.plan import EnrollStep, Plan
from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem, did_you_mean

Expected = tuple[str, str]
"""The kind of an expectation, and the template, step or reason that it is about."""


def known_expectations(
    document: Document, loc: Loc, expected: Sequence[Expected], plans: Sequence[Plan]
) -> Iterator[Problem]:
    """Every template and step that a scenario expects is one of the journeys that it plays."""
    templates = {key for plan in plans for key in plan.templates}
    steps = {step.id for plan in plans for step in plan.steps}
    for number, (kind, name) in enumerate(expected):
        here = (*loc, "expect", number, kind)
        if kind in ("email", "sms") and f"{kind}:{name}" not in templates:
            there = [key.removeprefix(f"{kind}:") for key in templates if key.startswith(f"{kind}:")]
            hint = did_you_mean(name, there) or "look at the messages of the journey"
            message = f"the journey sends no {kind} template `{name}`"
            yield Problem(
                document.path, *document.place(here), "impossible-expectation", "warning", message, hint
            )
        if kind in ("skipped", "held") and name not in steps:
            hint = did_you_mean(name, steps) or "write the id of a step, like `email:welcome/hello`"
            message = f"no step has the id `{name}`"
            yield Problem(
                document.path, *document.place(here), "impossible-expectation", "warning", message, hint
            )


def played(names: Sequence[str], plans: Mapping[str, Plan]) -> list[Plan] | None:
    """The plans of those journeys, and of those that they enrol leads into; None where one is not known."""
    found: dict[str, Plan] = {}
    left = list(names)
    while left:
        name = left.pop()
        if name not in plans:
            return None
        if name not in found:
            found[name] = plans[name]
            left += [step.journey for step in plans[name].steps if isinstance(step, EnrollStep)]
    return list(found.values())
