"""Segments in the workspace file: what they may say, and what is told of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dripline.language.check_segments import wrong_audience
from dripline.language.segments import Times
from dripline.language.workspace import FILE, Workspace, load_workspace

HEAD = """\
timezone: Asia/Yerevan
locales: [en]
currency: AMD
attributes: {plan: text, birthday: date}
events: {order.paid: {total: number}, page.viewed: {}}
segments:
"""


def told(folder: Path, segments: str) -> list[str]:
    (folder / FILE).write_text(HEAD + segments)
    _, problems = load_workspace(folder)
    return [str(problem).removeprefix(f"{FILE}:") for problem in problems]


def a_workspace(**segments: Any) -> Workspace:
    return Workspace.model_validate(
        {
            "timezone": "Asia/Yerevan",
            "locales": ["en"],
            "events": {"order.paid": {"total": "number"}},
            "segments": {name.replace("_", "-"): said for name, said in segments.items()},
        }
    )


def test_a_segment_is_a_condition_or_says_what_leads_did_and_bought(tmp_path: Path) -> None:
    said = """\
  lost: "lead.stage == 'lost'"
  regulars:
    title: {en: Regulars, hy: Մշտական հաճախորդներ}
    did: {event: order.paid, times: at least 3, within: 1 year, when: "event.total > 100"}
    bought: {spent: 50000 AMD, times: 2 to 9}
    did_not: [lead.unsubscribed, {event: page.viewed, within: 90 days}]
    not_in: lost
  either:
    any:
      - {in: [lost]}
      - {not_bought: {product: [mug, cup], within: 30 days}}
"""
    assert told(tmp_path, said) == []


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("at least 3", Times(3, None)),
        ("at most 2", Times(0, 2)),
        ("exactly 1", Times(1, 1)),
        ("2 to 5", Times(2, 5)),
    ],
)
def test_how_often_is_said_in_one_of_four_ways(text: str, times: Times) -> None:
    [found] = a_workspace(x={"did": {"event": "order.paid", "times": text}}).segments["x"].did
    assert found.times == times


@pytest.mark.parametrize("text", ["3", "", "at least many", "5 to 2", "at least 3 times"])
def test_a_number_alone_does_not_say_how_often(text: str) -> None:
    with pytest.raises(ValidationError):
        a_workspace(x={"did": {"event": "order.paid", "times": text}})


@pytest.mark.parametrize(
    ("segment", "problem"),
    [
        ("{}", "7:6: error[missing-key]: it is not said who belongs to it (add `when`, `did` or `bought`)"),
        (
            "\"lead.plann == 'pro'\"",
            "7:7: error[unknown-attribute]: leads have no `plann` (did you mean `lead.plan`?)",
        ),
        (
            "\"'x' in lead.tags and event.total\"",
            "7:28: error[unknown-name]: there is no `event` here (there are `lead`, `now`, `today`)",
        ),
        (
            '"lead.birthday > 5"',
            "7:7: error[cannot-compare]: `lead.birthday` is a date, `5` is a number:"
            " neither is more or less than the other",
        ),
        (
            "{did: order.payd}",
            "7:12: error[unknown-event]: no event `order.payd` (did you mean `order.paid`?)",
        ),
        (
            '{did: {event: order.paid, when: "event.totl > 5"}}',
            "7:39: error[unknown-property]: `event` has no `totl` (did you mean `event.total`?)",
        ),
        ("{in: [y]}", "7:12: error[unknown-segment]: there is no segment `y`"),
        ("{not_in: x}", "7:15: error[segment-loop]: `x` goes by this segment itself"),
        ("{bought: {spent: 0.001 AMD}}", "7:23: error[bad-amount]: AMD has 2 digits behind the point"),
        (
            "\"'x' in lead.segments\"",
            "7:14: error[segment-loop]: a segment cannot go by the list of segments",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_place(tmp_path: Path, segment: str, problem: str) -> None:
    found = told(tmp_path, f"  x: {segment}\n")
    assert [one for one in found if one.startswith(problem)], found


def test_segments_that_go_by_one_another_in_a_circle_are_told(tmp_path: Path) -> None:
    found = told(tmp_path, "  a: {in: b}\n  b: {not_in: [c]}\n  c: {any: [{in: a}]}\n")
    assert [line.split(": ")[1] for line in found] == ["error[segment-loop]"] * 3


@pytest.mark.parametrize(
    ("audience", "code", "hint"),
    [
        ("lost-90-dayz", "unknown-segment", "did you mean `lost-90-days`?"),
        ("lead.stage = 'x'", "bad-expression", "write `==` for `=`"),
        ("lead.stge == 'x'", "unknown-attribute", "did you mean `lead.stage`?"),
        ("trigger.total > 5", "unknown-name", "there are `lead`, `now`, `today`"),
    ],
)
def test_an_audience_that_is_none_says_what_to_do(audience: str, code: str, hint: str) -> None:
    workspace = a_workspace(lost_90_days="lead.stage == 'lost'")
    wrong = wrong_audience(workspace, audience)
    assert wrong is not None
    assert (wrong[1], wrong[3]) == (code, hint)


@pytest.mark.parametrize("audience", ["lost-90-days", "lead.stage == 'lost' and lead.score > 3"])
def test_an_audience_is_the_name_of_a_segment_or_a_condition(audience: str) -> None:
    assert wrong_audience(a_workspace(lost_90_days="lead.stage == 'lost'"), audience) is None
