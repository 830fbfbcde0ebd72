from __future__ import annotations

import json
from pathlib import Path

from sqlalchemy import update

from dripline.store import schema
from tests.cli.conftest import Opened, run
from tests.engine.plans import email, plan

HELLO = plan(email("hello"))


def test_who_lacks_somebody_that_can_be_reached_is_listed(open_house: Opened, tmp_path: Path) -> None:
    house = open_house(HELLO)
    file = tmp_path / "leads.csv"
    file.write_text("email,phone,first_name\ninfo@shop.am,,\nani@example.com,,\nb@gmial.com,010 540000,Bob\n")
    assert run("lead", "import", str(file))[0] == 0
    code, told = run("lead", "list", "--incomplete", "--format", "json")
    assert code == 0
    assert [(one["email"], one["lacks"]) for one in json.loads(told)] == [
        ("info@shop.am", ["person", "contact"])
    ]
    assert json.loads(told)[0]["doubts"] == {"email": "belongs to a role, not to a person"}
    code, told = run("lead", "list")
    assert (code, "ani@example.com" in told, "mistyped" in told) == (0, True, True)
    assert run("lead", "list", "--limit", "1")[1].count("There are more than 1") == 1
    with house.store.write() as connection:
        connection.execute(update(schema.leads).values(erased_at=schema.leads.c.created_at))
    assert "Every lead is a person" in run("lead", "list", "--incomplete")[1]


def test_a_name_that_comes_later_makes_a_lead_complete(open_house: Opened, tmp_path: Path) -> None:
    open_house(HELLO)
    file = tmp_path / "leads.csv"
    file.write_text("phone\n010 540000\n")
    assert run("lead", "import", str(file))[0] == 0
    assert "+37410540000" in run("lead", "list", "--incomplete")[1]
    file.write_text("phone,first_name\n010 540000,Ani\n")
    assert run("lead", "import", str(file))[0] == 0
    assert "+37410540000" not in run("lead", "list", "--incomplete")[1]
