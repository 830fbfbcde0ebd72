"""`dripline segment` over a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dripline.language.workspace import load_workspace
from dripline.store.database import Store
from dripline.store.rules import make_known
from tests.cli.conftest import WORKSPACE, run
from tests.ingest.journeys import a_lead

SEGMENTS = """\
segments:
  lost: "lead.stage == 'lost'"
  readers: "lead.score > 5"
"""


@pytest.fixture
def shop(workspace: Path, store: Store) -> Path:
    (workspace / "dripline.yaml").write_text(WORKSPACE + SEGMENTS)
    with store.write() as connection:
        a_lead(connection, "ani", stage="lost", score=9, email="ani@example.com")
        a_lead(connection, "babken", stage="lost")
        a_lead(connection, "davit", score=7)
    return workspace


def test_segments_are_counted_before_they_are_kept_and_listed_after(shop: Path, store: Store) -> None:
    code, said = run("segment", "preview", "--format", "json", "--svg", "out/overlap.svg")
    told = json.loads(said)
    assert (code, told["sizes"], told["leads"]) == (0, {"lost": 2, "readers": 2}, 3)
    assert {"segments": ["lost", "readers"], "leads": 1} in told["together"]
    assert (shop / "out/overlap.svg").read_text().startswith("<svg")
    assert "not counted yet" in run("segment", "list")[1]
    code, said = run("segment", "compute")
    assert (code, "run `dripline publish`" in said) == (1, True)
    workspace, _ = load_workspace(shop)
    assert workspace is not None
    make_known(store, workspace)
    said = run("segment", "compute")[1]
    assert said.strip() == "lost: 2 leads\nreaders: 2 leads\nOf 3 leads in all."
    assert [one["leads"] for one in json.loads(run("segment", "list", "--format", "json")[1])] == [2, 2]


def test_the_leads_of_a_segment_or_a_condition_are_listed_a_page_at_a_time(shop: Path) -> None:
    assert "ani@example.com" in run("segment", "leads", "lost")[1]
    assert "add --after ani" in run("segment", "leads", "lost", "--limit", "1")[1]
    told = json.loads(run("segment", "leads", "lead.stage != 'lost'", "--format", "json")[1])
    assert told == {"leads": ["davit"], "after": None}
    code, said = run("segment", "leads", "lots")
    assert (code, said) == (1, "there is no segment `lots` (did you mean `lost`?).\n")


def test_nobody_is_ranked_where_there_are_no_orders(shop: Path) -> None:
    assert "Nobody is ranked yet" in run("segment", "rfm")[1]
