from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from dripline.drawing import flowchart
from dripline.language.plan import Arm, BranchStep, Plan, StopStep
from tests.engine.plans import WELCOME, email, plan

LINE = re.compile(
    r'  (?:\w+(?:\(\[|\[|\{\{|\{)"[^"]*"(?:\]\)|\]|\}\}|\})|\w+ (?:-->|-\.->)(?:\|"[^"]*"\|)? \w+)'
)


def test_a_chart_has_every_step_and_every_way() -> None:
    assert flowchart(WELCOME).splitlines() == [
        "flowchart TD",
        '  start(["on lead.created<br>once per lead"])',
        '  s1["E-mail hello"]',
        '  s2["Wait 2 days"]',
        '  s3{{"Wait for demo.booked<br>if event.seats #62;= 5<br>at most 3 days"}}',
        '  s4["SMS see-you-there"]',
        '  s5(["End: booked"])',
        '  s6["E-mail offer"]',
        '  finished(["End: finished"])',
        "  start --> s1",
        "  s1 --> s2",
        "  s2 --> s3",
        '  s3 -->|"demo.booked comes"| s4',
        '  s3 -->|"not in 3 days"| s6',
        "  s4 --> s5",
        "  s6 --> finished",
        '  goal(["Goal, at any time: order.paid"])',
        '  exit1(["Leaves at any time on lead.unsubscribed<br>ends: unsubscribed"])',
    ]


def test_jumps_and_ways_back_are_there(everything: Plan) -> None:
    lines = flowchart(everything).splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == ["flowchart TD"]
    assert any('-.->|"it is past"|' in line for line in lines)
    assert any('-->|"each pass"|' in line for line in lines)


def test_the_end_is_drawn_only_where_something_leads_to_it() -> None:
    arms = (Arm(when="lead.stage == ' finished'", to="stop"), Arm(when=None, to="stop"))
    fork = BranchStep(id="fork", arms=arms, next="stop")
    assert "End: finished" not in flowchart(plan(fork, StopStep(id="stop", reason="gone")))


@given(st.text(max_size=60))
def test_nothing_that_an_author_writes_ends_its_label(words: str) -> None:
    chart = flowchart(plan(email("hello", next="stop"), StopStep(id="stop", reason=f'"]-->{words}')))
    assert [line for line in chart.splitlines() if not LINE.fullmatch(line)] == ["flowchart TD"]
