"""A plan as a Mermaid flowchart, for whatever draws those: wikis, editors, pull requests."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.drawing.faces import face
from dripline.drawing.text import clean
from dripline.drawing.ways import ends, jumps, ways
from dripline.language.labels import say_events, say_reentry, say_trigger
from dripline.language.plan import BranchStep, Plan, SplitStep, Step, WaitForStep

_ESCAPED = str.maketrans({character: f"#{ord(character)};" for character in '#"<>&`;\\|[]{}()'})


def flowchart(plan: Plan) -> str:
    """The text of the flowchart: who enters, the steps in the order of the plan, every way between them."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    names = {step.id: f"s{number}" for number, step in enumerate(plan.steps, 1)}
    yield "flowchart TD"
    yield f'  start(["{_said(say_trigger(plan.trigger), say_reentry(plan.trigger))}"])'
    edges = list(_edges(plan, names))
    for step in plan.steps:
        shown = face(step, plan)
        opening, closing = _shape(step)
        yield f'  {names[step.id]}{opening}"{_said(shown.title, *shown.details)}"{closing}'
    if any(edge.endswith(" finished") for edge in edges):
        yield '  finished(["End: finished"])'
    yield from edges
    if plan.goal:
        yield f'  goal(["{_said(f"Goal, at any time: {say_events(plan.goal.on)}", plan.goal.on.when or "")}"])'
    for number, way_out in enumerate(plan.exits, 1):
        said = _said(
            f"Leaves at any time on {say_events(way_out.on)}",
            way_out.on.when or "",
            f"ends: {way_out.reason}",
        )
        yield f'  exit{number}(["{said}"])'


def _edges(plan: Plan, names: dict[str, str]) -> Iterator[str]:
    def name(to: str | None) -> str:
        return names[to] if to is not None else "finished"

    yield f"  start --> {names[plan.steps[0].id]}" if plan.steps else "  start --> finished"
    for step in plan.steps:
        here = names[step.id]
        for way in ways(step):
            label = f'|"{_said(way.label)}"|' if way.label else ""
            yield f"  {here} -->{label} {name(way.to)}"
        for way in jumps(step):
            yield f'  {here} -.->|"{_said(way.label)}"| {name(way.to)}'
        if not ways(step) and not ends(step):
            yield f"  {here} --> {name(step.next)}"


def _shape(step: Step) -> tuple[str, str]:
    if isinstance(step, BranchStep | SplitStep):
        return "{", "}"
    if isinstance(step, WaitForStep):
        return "{{", "}}"
    return ("([", "])") if ends(step) else ("[", "]")


def _said(*texts: str) -> str:
    """Texts one under another, with nothing in them that Mermaid or HTML would take for its own."""
    return "<br>".join(clean(text).translate(_ESCAPED) for text in texts if text)
