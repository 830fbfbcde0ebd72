"""What is said of experiments and of senders."""

from __future__ import annotations

import pytest

from dripline.engine.statistics.proportions import Counted
from dripline.engine.statistics.verdicts import judge
from dripline.reports.messages import verdict
from dripline.reports.verdict_words import say_verdict


@pytest.mark.parametrize(
    ("arm", "control", "a_day", "said"),
    [
        (
            Counted(600, 5_000),
            Counted(500, 5_000),
            50.0,
            "better than a: 2.0 points more, between 0.8 and 3.2 (95%)",
        ),
        (
            Counted(400, 5_000),
            Counted(500, 5_000),
            50.0,
            "worse than a: 2.0 points fewer, between 0.9 and 3.1 (95%)",
        ),
        (
            Counted(505, 5_000),
            Counted(500, 5_000),
            50.0,
            "no difference was found; if there is one, it is between -1.1 and +1.3 points",
        ),
        (Counted(256, 640), Counted(247, 640), 12.0, "not enough data yet, about 1 more day"),
        (Counted(60, 300), Counted(50, 300), 60.0, "not enough data yet, about 30 more days"),
        (Counted(6, 30), Counted(5, 30), 0.0, "not enough data yet, and nobody comes any more"),
        (Counted(1, 60), Counted(1, 60), 0.5, "not enough data yet, at this pace not within two years"),
    ],
)
def test_an_experiment_is_told_plainly(arm: Counted, control: Counted, a_day: float, said: str) -> None:
    assert say_verdict(judge(arm, control, 0.2, (a_day, a_day)), "a").startswith(said)


@pytest.mark.parametrize(
    ("sent", "bounced", "complained", "said"),
    [
        (1_000, 5, 0, "good"),
        (1_000, 30, 0, "watch the bounces"),
        (1_000, 90, 0, "too many bounces: stop and clean the list"),
        (10_000, 5, 12, "watch the complaints"),
        (10_000, 900, 80, "too many bounces: stop and clean the list; too many complaints"),
        (10, 1, 0, "too few to say"),
        (20, 9, 0, "too many bounces: stop and clean the list"),
        (1_000, 0, 1, "good"),  # one person may always press the wrong button
    ],
)
def test_a_sender_is_told_how_it_does(sent: int, bounced: int, complained: int, said: str) -> None:
    assert verdict(sent, bounced, complained).startswith(said)
