from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dripline.cli import app
from dripline.clock import machine_clock
from dripline.doctor.installation import examine_store
from dripline.language.project import load_project
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.strays import MOST, Stray, list_strays, note_strays

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
SEEN = {
    Stray("event", "", "Demo Bookd", "is not declared"): 12,
    Stray("event", "", "Order Completed", "is not declared"): 3,
    Stray("property", "demo.booked", "seet", "is not declared"): 2,
    Stray("trait", "", "lastname", "`last_name` must be a text of at most 10000 characters"): 1,
}


@pytest.fixture
def here(store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("DRIPLINE_DATABASE_URL", store_url)
    monkeypatch.setenv("DRIPLINE_WORKSPACE", str(ROOT))
    return store


def test_what_came_and_had_no_place_is_shown_with_what_was_meant(here: Store) -> None:
    with here.write() as connection:
        note_strays(connection, SEEN, AT)
        note_strays(connection, SEEN, AT)
    shown = CliRunner().invoke(app, ["strays"]).output
    assert "event Demo Bookd" in shown
    assert "did you mean `demo.booked`?" in shown
    told = json.loads(CliRunner().invoke(app, ["strays", "--format", "json"]).output)
    assert [(one["name"], one["times"]) for one in told] == [
        ("Demo Bookd", 24),
        ("Order Completed", 6),
        ("seet", 4),
        ("lastname", 2),
    ]
    assert CliRunner().invoke(app, ["strays", "--forget"]).output == "Forgot 4 names.\n"
    assert "All that came had its place." in CliRunner().invoke(app, ["strays"]).output


def test_names_that_somebody_makes_up_do_not_fill_the_store(store: Store) -> None:
    letters = "abcdefghij"
    names = ["".join(letters[int(digit)] for digit in str(number)) for number in range(MOST + 50)]
    made_up = {Stray("event", "", name, "is not declared"): 1 for name in names}
    with store.write() as connection:
        note_strays(connection, made_up, AT)
        note_strays(connection, SEEN, AT)
        assert len(list_strays(connection)) == MOST


def test_the_doctor_tells_of_events_that_nobody_declared(here: Store, store_url: str) -> None:
    with here.write() as connection:
        note_strays(connection, SEEN, machine_clock())
    found = examine_store(Settings(_env_file=None, database_url=store_url), load_project(ROOT))
    [told] = [one for one in found if one.part == "strays"]
    assert "`Demo Bookd` (12 times)" in told.text
