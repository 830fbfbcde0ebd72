"""`dripline lead export` writes a file for the lead, for nobody else's eyes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tests.cli.conftest import Opened, run
from tests.durable.house import House
from tests.engine.plans import email, plan

HELLO = plan(email("hello"))


def sent(house: House) -> None:
    house.deliveries.attempt(house.queued_message())


def test_a_zip_is_written_with_a_page_and_the_messages(open_house: Opened, workspace: Path) -> None:
    sent(open_house(HELLO))
    code, said = run("lead", "export", "lead-1")
    path = workspace / "lead-lead-1.zip"
    assert (code, said) == (
        0,
        "Wrote lead-lead-1.zip. It holds everything of this lead: hand it to nobody else.\n",
    )
    assert path.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(path) as file:
        assert "messages/0001.txt" in file.namelist()


def test_json_alone_for_programs(open_house: Opened, tmp_path: Path) -> None:
    sent(open_house(HELLO))
    path = tmp_path / "ani.json"
    assert run("lead", "export", "lead-1", "-o", str(path))[0] == 0
    found = json.loads(path.read_text())
    assert found["leads"][0]["email"] == "ani@example.com"
    assert found["story"][0]["text"] == "event lead.created"
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_erased_lead_has_nothing_to_export(open_house: Opened) -> None:
    open_house()
    run("erase", "lead-1", "--yes")
    code, said = run("lead", "export", "lead-1")
    assert (code, said) == (1, "This lead was erased; nothing is kept of it any more.\n")


def test_a_file_that_cannot_be_written_is_told(open_house: Opened, tmp_path: Path) -> None:
    open_house()
    assert run("lead", "export", "lead-1", "-o", str(tmp_path / "no" / "x.zip"))[0] == 1
    code, said = run("lead", "export", "lead-1", "-o", "x.pdf")
    assert (code, said) == (1, "-o is a file that ends in .zip or .json.\n")
