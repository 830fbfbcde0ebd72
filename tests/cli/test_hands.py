"""`dripline person`, `dripline task`, `dripline lead stage` and `dripline lead card`, as their users see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dripline.clock import machine_clock
from dripline.store.database import Store
from dripline.store.leads import add_lead
from tests.cli.conftest import WORKSPACE, run

PEOPLE = """\
people:
  anna: {email: anna@example.com}
  aram: {email: aram@example.com}
teams:
  sales: {people: [anna, aram], by: load}
cards:
  lead: [first_name, email, phone]
  customer: {first_name: text, email: text, phone: text, a: text, b: text, c: text, d: text, e: text, f: text, g: text}
"""


@pytest.fixture
def lead(workspace: Path, store: Store) -> str:
    (workspace / "dripline.yaml").write_text(WORKSPACE + PEOPLE)
    with store.write() as connection:
        add_lead(connection, "lead-1", {"email": "ani@example.com", "stage": "lead"}, machine_clock())
    return "lead-1"


def told(*words: str) -> Any:
    status, said = run(*words, "--format", "json")
    assert status == 0, said
    return json.loads(said)


def test_who_is_away_gets_no_lead_and_the_reasons_stay(lead: str) -> None:
    assert run("person", "away", "anna", "--until", "2999-01-01")[0] == 0
    assert told("person", "assign", lead, "--to", "sales")["person"] == "aram"
    [given] = told("person", "why", lead)
    assert (given["person"], given["how"]) == ("aram", "by-hand")
    assert {one["person"]: one["why"] for one in given["why"]}["anna"] == "is away"
    assert run("person", "back", "anna") == (0, "anna is back.\n")
    assert {one["person"]: one["open"] for one in told("person", "list")} == {"anna": 0, "aram": 1}
    assert run("person", "assign", lead, "--to", "selas")[0] == 1
    assert run("person", "assign", lead, "--to", "sales", "--by", "lot")[0] == 1


def test_a_task_is_set_listed_and_done(lead: str) -> None:
    run("person", "assign", lead, "--to", "aram")
    assert run("task", "add", lead, "--title", "Call Ani", "--due", "4h")[0] == 0
    [task] = told("task", "list", "--person", "aram")
    assert (task["title"], task["done_at"]) == ("Call Ani", None)
    assert run("task", "done", task["id"], "--result", "wants it") == (0, "Done.\n")
    assert told("task", "list") == []
    [done] = told("task", "list", "--all")
    assert done["result"] == "wants it"
    assert told("task", "list", "--all", "--lead", lead) == [done]
    assert run("task", "list", "--lead", "nobody@example.com")[0] == 1
    assert "    reacted " in run("person", "why", lead)[1]
    assert run("task", "done", "nothing") == (1, "There is no task nothing.\n")
    assert run("task", "add", lead, "--title", "Call", "--due", "soon")[0] == 1


def test_a_customer_has_a_card_and_its_quality_is_told_by_person(lead: str) -> None:
    run("person", "assign", lead, "--to", "aram")
    assert run("lead", "card", lead)[0] == 1
    assert run("lead", "stage", lead, "customer", "--reason", "signed")[0] == 0
    history = told("lead", "stage", lead)
    assert [(one["after"], one["reason"]) for one in history][-1] == ("customer", "signed")
    assert run("lead", "card", lead, "--set", "a=A-7")[0] == 0
    card = told("lead", "card", lead)
    assert "  event lead.assigned\n" in run("lead", "card", lead)[1]
    assert (card["card"], card["owner"]) == ({"email": "ani@example.com", "a": "A-7"}, "aram")
    assert run("lead", "card", lead, "--set", "contrakt=A-7")[0] == 1
    found = {one["person"]: one for one in told("person", "quality")}
    assert found["aram"]["customers"]["share"] == pytest.approx(0.2)
