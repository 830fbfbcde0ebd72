"""Made-up journeys, and made-up edits of them."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from dripline.language.plan import Plan
from tests.publishing.journeys import delay, email, journey, wait

Steps = list[dict[str, Any]]

_LENGTHS = st.sampled_from(["1 hour", "1 day", "2 days", "1 week"])
_EVENTS = st.sampled_from(["demo.booked", "order.paid"])


@st.composite
def _leaves(draw: DrawFn) -> dict[str, Any]:
    what = draw(st.integers(0, 9))
    if what < 4:
        return email(draw(st.sampled_from("abcde")))
    if what < 7:
        return delay(draw(_LENGTHS))
    if what < 9:
        return wait(draw(_EVENTS), draw(_LENGTHS))
    return {"discount": {"percent": 10}, "as": "offer"}


@st.composite
def _steps(draw: DrawFn, depth: int = 1) -> dict[str, Any]:
    inner = st.lists(_leaves() if depth == 0 else _steps(depth=0), min_size=1, max_size=3)
    what = draw(st.integers(0, 9)) if depth else 9
    if what == 0:
        arms: list[dict[str, Any]] = [{"when": "lead.vip", "steps": draw(inner)}]
        if draw(st.booleans()):
            arms.append({"else": draw(inner)})
        return {"branch": arms}
    if what == 1:
        return wait(draw(_EVENTS), draw(_LENGTHS), then=draw(inner), **{"else": draw(inner)})
    if what == 2:
        return {"repeat": {"every": draw(_LENGTHS), "times": 2, "steps": draw(inner)}}
    if what == 3:
        shares = [
            {"percent": 50, "name": "one", "steps": draw(inner)},
            {"percent": 50, "name": "two", "steps": draw(inner)},
        ]
        return {"split": shares}
    return draw(_leaves())


@st.composite
def edited_journeys(draw: DrawFn) -> tuple[Plan, Plan]:
    """A journey and an edit of it."""
    old = draw(st.lists(_steps(), min_size=2, max_size=7))
    new = copy.deepcopy(old)
    for _ in range(draw(st.integers(1, 3))):
        _edit(draw, new)
    return journey(*old), journey(*(new or [email("a")]))


def _edit(draw: DrawFn, steps: Steps) -> None:
    block = draw(st.sampled_from(_blocks(steps)))
    what = draw(st.sampled_from(["take out", "put in", "length", "swap", "name"]))
    at = draw(st.integers(0, len(block) - 1)) if block else 0
    if what == "put in" or not block:
        block.insert(at, draw(_leaves()))
    elif what == "take out" and len(block) > 1:
        del block[at]
    elif what == "length" and "delay" in block[at]:
        block[at] |= delay(draw(_LENGTHS))
    elif what == "length" and "timeout" in block[at]:
        block[at]["timeout"] = draw(_LENGTHS)
    elif what == "swap" and at:
        block[at - 1], block[at] = block[at], block[at - 1]
    elif what == "name" and "id" not in block[at]:
        block[at]["id"] = f"step {draw(st.integers(0, 10**9))}"


def _blocks(steps: Steps) -> list[Steps]:
    found = [steps]
    for step in steps:
        for inner in (step.get("then"), step.get("else"), step.get("repeat", {}).get("steps")):
            found += _blocks(inner) if inner else []
        for arm in (*step.get("branch", ()), *step.get("split", ())):
            found += _blocks(arm.get("steps") or arm.get("else"))
    return found
