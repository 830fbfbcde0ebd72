"""`dripline report …` and `dripline spend …` over a shop's half a year."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dripline.reports.catalogue import REPORTS
from dripline.store.database import Store
from tests.cli.conftest import run
from tests.reports.shop import Shop

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def shop(workspace: Path, store: Store) -> Path:
    """A workspace whose store has seen half a year."""
    with store.write() as connection:
        Shop(60).fill(connection)
    return workspace


DAYS = ("--since", "2026-01-01", "--until", "2026-12-31")


def test_every_report_is_to_be_had(shop: Path) -> None:
    del shop
    for name in REPORTS:
        status, said = run("report", name, *DAYS)
        assert status == 0, said
        assert "2026-01-01 to 2026-12-31" in said


@pytest.mark.parametrize("name", ["sources", "experiments"])
def test_programs_and_spreadsheets_read_the_same_rows(shop: Path, name: str) -> None:
    del shop
    days = DAYS
    made = json.loads(run("report", name, *days, "--format", "json")[1])
    rows = list(csv.DictReader(io.StringIO(run("report", name, *days, "--format", "csv")[1])))
    assert made["report"] == name
    assert len(rows) == len(made["rows"]) > 0
    assert rows[0].keys() == made["rows"][0].keys()


def test_a_report_of_nothing_says_so(shop: Path) -> None:
    del shop
    assert "There is nothing to count in these days." in run("report", "orders", "--until", "2020-01-01")[1]


REFUSED = (
    (("funnel", "--journey", "ofer"), "no journey `ofer` is published, did you mean `offer`?"),
    (("sources", "--by", "chanel"), "did you mean `channel`?"),
    (("orders", "--since", "soon"), "since: `soon` is neither a day nor a length"),
    (("orders", "--currency", "XXY"), "there is no currency `XXY`"),
)


def test_what_cannot_be_reported_is_told(shop: Path) -> None:
    del shop
    for words, said in REFUSED:
        status, output = run("report", *words)
        assert status == 1
        assert said in output


def test_costs_are_told_imported_listed_and_taken_away(shop: Path) -> None:
    march = ("--first", "2026-03-01", "--last", "2026-03-31", "--source", "google", "--currency", "USD")
    assert run("spend", "add", "310.05", *march) == (0, "Kept.\n")
    assert run("spend", "add", "400", *march) == (0, "The amount was replaced.\n")
    assert run("spend", "add", "400", *march) == (0, "It was known already.\n")
    file = shop / "costs.csv"
    file.write_text(
        "first_day,last_day,source,amount,currency\n2026-03-01,2026-03-31,google,500,USD\n2026-04-01,,,1,USD\n"
    )
    assert run("spend", "import", str(file))[1] == "Kept 1 new cost, replaced 1; known already: 0.\n"
    file.write_text("first_day,amount,currency\n2026-03-01,much,USD\n")
    status, said = run("spend", "import", str(file))
    assert status == 1
    assert said.endswith("costs.csv:2: amount is no number, such as 1250.50.\nNothing was kept.\n")
    told = json.loads(run("spend", "list", "--format", "json")[1])
    assert [one["amount"] for one in told] == [500, 1]
    assert "500 USD" in run("spend", "list")[1]
    days = ("--since", "2026-01-01", "--until", "2026-12-31", "--currency", "USD", "--format", "json")
    sources = json.loads(run("report", "sources", *days)[1])
    assert sources["totals"]["spent"] == pytest.approx(501, abs=400)
    assert run("spend", "remove", told[0]["id"][:8])[0] == 0
    assert run("spend", "remove", told[0]["id"])[1] == "There is no cost of this id.\n"
    assert run("spend", "add", "1", "--first", "March")[1].startswith("first_day is no day")
