"""`dripline campaign …` over a store: begun, watched, steered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dripline.clock import machine_clock
from dripline.ingest.campaigns.moving import Mover
from dripline.language.plan import Trigger
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from tests.cli.conftest import Opened, run
from tests.engine.plans import email, on, plan
from tests.ingest.test_campaigns import SQLITE

BY_HAND = plan(email("hello"), trigger=Trigger(on=on()))
WORKSPACE = Workspace.model_validate({"timezone": "UTC", "locales": ["en"]})


def told(*words: str) -> Any:
    status, said = run("campaign", *words, "--format", "json")
    assert status == 0, said
    return json.loads(said)


@SQLITE
def test_a_campaign_is_started_watched_and_steered(open_house: Opened, store: Store) -> None:
    open_house(BY_HAND)
    whom = ("welcome", "--audience", "lead.email")
    assert told("start", *whom, "--dry-run") == {"found": 1}
    assert run("campaign", "start", *whom, says="n\n")[0] == 1
    made = told("start", *whom, "--yes", "--name", "spring", "--pace", "48 per day", "--holdout", "10%")
    assert (made["stands"], made["per_hour"], made["holdout"]) == ("looking through its audience", 2, 10)
    assert run("campaign", "pause", "spring", "--why", "a misprint")[0] == 0
    assert told("show", "spring")["stands"] == "paused: a misprint"
    assert run("campaign", "resume", made["id"][:13])[0] == 0
    mover = Mover(store, WORKSPACE, machine_clock, sleep=lambda seconds: None, budget=0.2)
    mover.move(made["id"])
    assert [(one["name"], one["found"]) for one in told("list")] == [("spring", 1)]
    status, said = run("campaign", "cancel", "spring", "--yes")
    assert (status, "cancelled" in said) == (0, True)
    assert run("campaign", "resume", "spring") == (1, "The campaign is cancelled.\n")


@SQLITE
@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["start", "welcom", "--audience", "lead.email"], "No journey of that id is published."),
        (["start", "welcome", "--audience", "vips"], "there is no segment `vips`"),
        (["start", "welcome", "--audience", "lead.email", "--pace", "fast"], "--pace: `fast` is no limit"),
        (["start", "welcome", "--audience", "lead.email", "--holdout", "some"], "write it like `10%`"),
        (["show", "autumn"], "There is no campaign autumn"),
    ],
)
def test_what_cannot_be_is_said(open_house: Opened, words: list[str], answer: str) -> None:
    open_house(BY_HAND)
    status, said = run("campaign", *words)
    assert (status, answer in said) == (1, True), said
