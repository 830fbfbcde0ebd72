"""Workbooks: read as people read them, and never trusted."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from tests.cli.conftest import Opened, run
from tests.cli.test_lead_import import HELLO, leads


def book(folder: Path, *rows: list[Any], sheet: str = "Leads") -> Path:
    made = Workbook()
    assert made.active is not None
    made.active.title = sheet
    for row in rows:
        made.active.append(row)
    path = folder / "leads.xlsx"
    made.save(path)
    return path


def test_a_workbook_is_read_as_people_read_it(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    path = book(
        tmp_path,
        [None, None, None, None, None],
        ["Էլ. փոստ", "Телефон", "First Name", "Seats", "Дата рождения", None],
        ["ani@example.com", 37491123456.0, "Անի", 8.0, datetime(1990, 2, 28)],
        [None, None, None, None, None],
        ["bob@example.com", 12025550199, "Bob", "9", date(1991, 3, 1)],
        ["carl@example.com", "091 654321", None, None, None],
    )
    code, told = run("lead", "import", str(path))
    assert (code, "Imported: 3 new" in told) == (0, True), told
    found = leads(house.store)
    ani = found["ani@example.com"]
    assert (ani.phone, ani.attributes) == (
        "+37491123456",
        {"first_name": "Անի", "seats": 8, "birthday": "1990-02-28"},
    )
    assert (found["bob@example.com"].phone, found["bob@example.com"].attributes["seats"]) == (
        "+12025550199",
        9,
    )
    assert found["carl@example.com"].phone == "+37491654321"
    assert "0 new, 0 changed, 3 as they were" in run("lead", "import", str(path))[1]


def test_bad_rows_of_a_workbook_are_told_by_its_own_lines(open_house: Opened, tmp_path: Path) -> None:
    open_house(HELLO)
    path = book(
        tmp_path,
        ["email", "seats"],
        ["ani@example.com", "#N/A"],
        [],
        ["b@example.com", 1, "more"],
        ["nobody", 2.5],
    )
    code, told = run("lead", "import", str(path))
    assert code == 1
    assert "leads.xlsx:2: seats is an error of the spreadsheet: #N/A" in told
    assert "leads.xlsx:4: it has more than the 2 cells of the first line" in told
    assert "leads.xlsx:5: email is not an e-mail address" in told
    assert (tmp_path / "leads.rejected.csv").exists()
    assert run("lead", "import", str(tmp_path / "leads.rejected.csv"))[0] == 1


def test_a_sheet_is_chosen_by_its_name(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    made = Workbook()
    assert made.active is not None
    made.active.append(["nothing"])
    made.create_sheet("Leads").append(["email"])
    made["Leads"].append(["ani@example.com"])
    path = tmp_path / "leads.xlsx"
    made.save(path)
    code, told = run("lead", "import", str(path), "--sheet", "Leeds")
    assert (code, "did you mean `Leads`?" in told) == (1, True)
    assert run("lead", "import", str(path), "--sheet", "Leads")[0] == 0
    assert "ani@example.com" in leads(house.store)


def test_formulas_are_what_they_came_to_and_merged_cells_their_first(
    open_house: Opened, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    made = Workbook()
    assert made.active is not None
    for row in (["email", "first_name"], ["ani@example.com", "Ani"], ["bob@example.com", None]):
        made.active.append(row)
    made.active.merge_cells("B2:B3")
    made.active["B4"] = '=CONCATENATE("a","b")'
    made.active["A4"] = "carl@example.com"
    made.save(tmp_path / "leads.xlsx")
    assert run("lead", "import", str(tmp_path / "leads.xlsx"))[0] == 0
    found = leads(house.store)
    assert found["bob@example.com"].attributes == {}
    assert found["carl@example.com"].attributes == {}, "nobody has reckoned it yet"


def _zip(path: Path, parts: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def _damaged(path: Path, cut: int) -> Path:
    whole = book(path.parent, ["email"], *(["a@example.com"] for _ in range(50))).read_bytes()
    path.write_bytes(whole[:cut])
    return path


def _with_a_document_type(path: Path) -> Path:
    book(path.parent, ["email"], ["ani@example.com"]).rename(path)
    with zipfile.ZipFile(path) as file:
        parts = {info.filename: file.read(info) for info in file.infolist()}
    entities = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>'
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = entities + parts[sheet].partition(b"?>")[2]
    return _zip(path, parts)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: _zip(path, {"xl/worksheets/sheet1.xml": b"\0" * 80_000_000}), "holds too much"),
        (lambda path: _zip(path, {"a.txt": b"no workbook"}), "is damaged, or no workbook"),
        (lambda path: _damaged(path, 3_000), "is damaged, or no workbook"),
        (lambda path: _damaged(path, 40), "is damaged, or no workbook"),
        (_with_a_document_type, "is damaged, or no workbook"),
        (
            lambda path: path.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600),
            "protected by a password",
        ),
        (lambda path: book(path.parent, []).rename(path), "is empty: its first line must name the columns"),
    ],
    ids=["bomb", "zip", "half", "cut", "entities", "password", "empty"],
)
def test_what_is_no_sound_workbook_is_refused_in_plain_words(
    open_house: Opened, tmp_path: Path, make: Any, says: str
) -> None:
    house = open_house(HELLO)
    path = tmp_path / "bad.xlsx"
    make(path)
    code, told = run("lead", "import", str(path))
    assert (code, says in told.replace("\n", " ")) == (1, True), told
    assert leads(house.store) == {}
