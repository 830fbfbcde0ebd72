"""Rules of scores: what can be said, and what is told where something is wrong."""

from __future__ import annotations

import pytest

from dripline.language.compile_scoring import compile_scoring
from dripline.language.scoring import DAY, ScoreRule
from tests.language.conftest import WORKSPACE, Folder

HEAD = "scoring:\n  warm: 20\n  hot: 50\n  rules:\n"
FIRST = len(WORKSPACE.lstrip("\n").splitlines()) + 5
"""The line of the first rule."""


def told(folder: Folder, *rules: str, head: str = HEAD) -> list[str]:
    folder.write("dripline.yaml", WORKSPACE + head + "".join(f"    - {rule}\n" for rule in rules))
    return [
        f"{p.line - FIRST}:{p.column} {p.code}" for p in folder.load().problems if p.path == "dripline.yaml"
    ]


def test_rules_are_read_as_they_are_meant(folder: Folder) -> None:
    rules = (
        "{event: demo.booked, when: 'event.seats >= 5', points: 30, half_life: 60 days, most: 1 per week}",
        "{event: [page.viewed, email.clicked], points: 2, name: Looks around, most: 3}",
        "{event: lead.unsubscribed, points: -40, half_life: never}",
        "{when: 'lead.plan', points: 5}",
    )
    assert told(folder, *rules) == []
    workspace = folder.load().workspace
    assert workspace is not None
    scoring = compile_scoring(workspace)
    assert scoring is not None
    assert scoring.rules[0] == ScoreRule(
        name="demo.booked if event.seats >= 5",
        events=("demo.booked",),
        when="event.seats >= 5",
        points=30,
        half_life=60 * DAY,
        most=1,
        per=7 * DAY,
    )
    looks, left, known = scoring.rules[1:]
    assert (looks.name, looks.half_life, looks.most) == ("Looks around", 30 * DAY, 3)
    assert looks.per == 36_000 * DAY, "ever"
    assert (left.points, left.half_life) == (-40, None)
    assert (known.name, known.events, known.half_life) == ("lead.plan", (), None)
    assert scoring.event_times == {"demo.booked": {"starts_at": "datetime"}}


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("{event: demo.boked, points: 1}", "0:15 unknown-event"),
        ("{event: demo.booked, when: 'event.seat > 1', points: 1}", "0:35 unknown-property"),
        ("{event: demo.booked, when: 'lead.plam', points: 1}", "0:35 unknown-attribute"),
        ("{event: demo.booked, when: \"event.seats > '5'\", points: 1}", "0:35 cannot-compare"),
        ("{when: event.seats, points: 1}", "0:14 unknown-name"),
        ("{event: lead.warmed, points: 1}", "0:15 scored-by-itself"),
        ("{when: lead.score > 5, points: 1}", "0:14 scored-by-itself"),
        ("{points: 1}", "0:7 missing-key"),
        ("{event: demo.booked, points: 0}", "0:28 out-of-range"),
        ("{event: demo.booked, points: many}", "0:36 wrong-type"),
        ("{when: lead.plan, points: 1, most: 1 per day}", "0:36 wrong-value"),
        ("{event: demo.booked, points: 1, half_life: 0 days}", "0:50 bad-duration"),
        ("{event: demo.booked, points: 1, most: often}", "0:45 bad-limit"),
        ("{event: demo.booked, points: 1, halflife: 3 days}", "0:39 unknown-key"),
    ],
)
def test_a_rule_that_is_wrong_is_told_where_it_is(folder: Folder, rule: str, code: str) -> None:
    assert told(folder, rule) == [code]


def test_two_rules_of_one_name_are_told_and_names_that_others_have(folder: Folder) -> None:
    rule = "{event: demo.booked, points: 1}"
    assert told(folder, rule, rule) == ["1:7 duplicate-rule"]
    assert told(folder, "{event: demo.booked, points: 1, name: api}") == ["0:7 duplicate-rule"]


@pytest.mark.parametrize(
    "head",
    [
        "scoring:\n  warm: 50\n  hot: 20\n  rules:\n",
        "scoring:\n  warm: 20\n  hot: 25\n  margin: 6\n  rules:\n",
        "scoring:\n  warm: 20\n  hot: 50\n  grades: {A: 5, B: 10}\n  rules:\n",
    ],
)
def test_thresholds_out_of_order_are_told(folder: Folder, head: str) -> None:
    [problem] = told(folder, "{event: demo.booked, points: 1}", head=head)
    assert problem.endswith("out-of-range")


def test_journeys_read_grade_and_warmth_and_are_told_of_another_warmth(folder: Folder) -> None:
    folder.write(
        "journeys/j.yaml",
        """
        journey: j
        trigger: {event: lead.warmed, when: "event.after == 'hot' and lead.grade == 'A'"}
        messages: {topic: newsletter}
        steps:
          - email: hello
            if: lead.warmth != 'cold'
        """,
    )
    folder.write("dripline.yaml", WORKSPACE + HEAD + "    - {event: demo.booked, points: 1}\n")
    assert folder.told() == []
