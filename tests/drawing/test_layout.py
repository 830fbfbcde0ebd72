"""Whatever the plan: every step stands in the picture once, nothing overlaps, no line crosses a box."""

from __future__ import annotations

from itertools import combinations, count
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dripline.drawing import Count, draw, flowchart
from dripline.drawing.layout import Box, Label, Line
from dripline.language.plan import (
    Arm,
    BranchStep,
    DelayStep,
    Duration,
    MessageStep,
    Plan,
    RepeatStep,
    Share,
    SplitStep,
    Step,
    StopStep,
    WaitForStep,
)
from dripline.language.project import load_project
from tests.drawing.conftest import laid_out, plan_of
from tests.engine.plans import on, plan

ROOT = Path(__file__).parents[2]
PROJECT = load_project(ROOT)
SVG = "{http://www.w3.org/2000/svg}"
HOUR = Duration(seconds=3600)


def test_the_journey_of_these_tests_has_every_kind_of_step(everything: Plan) -> None:
    [union, _] = get_args(Step)
    assert {type(step) for step in everything.steps} == set(get_args(union))


def holds(plan: Plan) -> None:
    """What must hold of every picture."""
    boxes, labels, lines = laid_out(plan)
    assert sorted(box.step.id for box in boxes if box.step) == sorted(step.id for step in plan.steps)
    for one, other in combinations([*map(_edges, boxes), *map(_around, labels)], 2):
        assert not _overlap(one, other), (one, other)
    for line in lines:
        for start, end in zip(line.points, line.points[1:], strict=False):
            assert start[0] == end[0] or start[1] == end[1], "lines go at right angles"
            for box in boxes:
                assert not _overlap(_edges(box), _segment(start, end)), (box.face.title, line)
    svg = ET.fromstring(draw(plan, {step.id: Count(3, 1_000) for step in plan.steps}))
    drawn = [group.attrib["data-step"] for group in svg.iter(f"{SVG}g") if "data-step" in group.attrib]
    assert len(drawn) == len(plan.steps)
    _within(svg, boxes, labels, lines)
    chart = flowchart(plan)
    assert chart.startswith("flowchart TD\n")
    assert all(f"  s{number}" in chart for number in range(1, len(plan.steps) + 1))


def _within(svg: ET.Element, boxes: list[Box], labels: list[Label], lines: list[Line]) -> None:
    """All of it is within what is shown."""
    wide, tall = float(svg.attrib["width"]), float(svg.attrib["height"])
    xs = [x for box in boxes for x in (box.x, box.x + box.width)]
    xs += [x for label in labels for x in (label.x - label.width / 2, label.x + label.width / 2)]
    xs += [x for line in lines for x, _ in line.points]
    assert max(xs) - min(xs) <= wide
    assert max(y for line in lines for _, y in line.points) <= tall if lines else True


Edges = tuple[float, float, float, float]


def _edges(box: Box) -> Edges:
    return (box.x, box.y, box.x + box.width, box.y + box.height)


def _around(label: Label) -> Edges:
    wide, tall = label.width / 2, label.height / 2
    return (label.x - wide, label.y - tall, label.x + wide, label.y + tall)


def _segment(start: tuple[float, float], end: tuple[float, float]) -> Edges:
    return (min(start[0], end[0]), min(start[1], end[1]), max(start[0], end[0]), max(start[1], end[1]))


def _overlap(one: Edges, other: Edges) -> bool:
    """Whether they share more than an edge."""
    slack = 0.01
    return (
        one[0] < other[2] - slack
        and other[0] < one[2] - slack
        and one[1] < other[3] - slack
        and other[1] < one[3] - slack
    )


@pytest.mark.parametrize("journey", sorted(PROJECT.plans))
def test_every_journey_of_the_repository_can_be_drawn(journey: str) -> None:
    holds(plan_of(PROJECT, journey))


def test_every_verb_can_be_drawn(everything: Plan) -> None:
    holds(everything)


def test_the_same_plan_is_the_same_picture(everything: Plan) -> None:
    again = Plan.model_validate(everything.model_dump(mode="json"))
    assert draw(again) == draw(everything)
    assert flowchart(again) == flowchart(everything)


class _Written:
    """Steps put together as the compiler does: each way leads on to where all of them meet."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self._numbers = count()

    def id(self) -> str:
        return f"step <{next(self._numbers)}>"

    def block(self, shapes: list[Any], after: str | None) -> str | None:
        first = after
        for shape in reversed(shapes):
            first = self.step(shape, first)
        return first

    def step(self, shape: Any, after: str | None) -> str:
        kind, ways = shape
        if kind == "wait":
            then, otherwise = (self.block(way, after) for way in ways)
            made: Step = WaitForStep(
                id=self.id(),
                on=on("a.b", when="event.x > 1"),
                timeout=HOUR,
                next=after,
                then=then,
                otherwise=otherwise,
            )
        elif kind == "branch":
            tos = [self.block(way, after) for way in ways]
            arms = tuple(Arm(when=f"lead.n > {number}", to=to) for number, to in enumerate(tos))
            made = BranchStep(
                id=self.id(), arms=arms, next=after, condition="lead.vip" if len(arms) > 1 else None
            )
        elif kind == "split":
            tos = [self.block(way, after) for way in ways]
            shares = tuple(Share(percent=100 / len(tos), name="n" * 40, to=to) for to in tos)
            made = SplitStep(id=self.id(), arms=shares, next=after)
        elif kind == "repeat":
            id_ = self.id()
            first = self.block(ways[0], id_)
            made = RepeatStep(id=id_, every=HOUR, times=2, first=first or id_, within=(), next=after)
        elif kind == "stop":
            made = StopStep(id=self.id(), reason="w" * 60, next=after)
        elif kind == "email":
            made = MessageStep(
                id=self.id(), channel="email", template="a/very-long-" + "name-" * 9, next=after
            )
        else:
            made = DelayStep(id=self.id(), duration=HOUR, next=after, condition="lead.x and " * 30 + "lead.y")
        self.steps.append(made)
        return made.id


LEAF: st.SearchStrategy[Any] = st.sampled_from([("email", []), ("delay", []), ("stop", [])])


def _forks(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    block = st.lists(inner, max_size=3)
    return st.one_of(
        st.tuples(st.just("wait"), st.tuples(block, block)),
        st.tuples(st.just("branch"), st.lists(block, min_size=1, max_size=4)),
        st.tuples(st.just("split"), st.lists(block, min_size=2, max_size=3)),
        st.tuples(st.just("repeat"), st.tuples(st.lists(inner, min_size=1, max_size=3))),
    )


@settings(max_examples=60, deadline=None)
@given(st.lists(st.recursive(LEAF, _forks, max_leaves=12), min_size=1, max_size=5))
def test_every_journey_that_can_be_written_can_be_drawn(shapes: list[Any]) -> None:
    written = _Written()
    written.block(shapes, None)
    holds(plan(*reversed(written.steps)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_leads_wherever_each_step_is_drawn_once(data: st.DataObject) -> None:
    """Plans of other versions, or none that a compiler would make: ways that cross, go back, or lead to themselves."""
    ids = [f"s{number}" for number in range(data.draw(st.integers(1, 9)))]
    to = st.one_of(st.none(), st.sampled_from(ids))
    steps: list[Step] = []
    for id_ in ids:
        kind = data.draw(st.sampled_from(["wait", "branch", "delay", "repeat"]))
        following = data.draw(to)
        if kind == "wait":
            steps.append(
                WaitForStep(
                    id=id_,
                    on=on("a.b"),
                    timeout=HOUR,
                    next=following,
                    then=data.draw(to),
                    otherwise=data.draw(to),
                )
            )
        elif kind == "branch":
            arms = tuple(Arm(when="lead.x", to=data.draw(to)) for _ in range(data.draw(st.integers(1, 3))))
            steps.append(BranchStep(id=id_, arms=arms, next=following))
        elif kind == "repeat":
            first = data.draw(st.sampled_from(ids))
            steps.append(RepeatStep(id=id_, every=HOUR, times=2, first=first, within=(), next=following))
        else:
            steps.append(DelayStep(id=id_, duration=HOUR, next=following))
    holds(plan(*steps))
