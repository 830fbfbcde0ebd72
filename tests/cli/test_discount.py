"""`dripline discount …` over a store, and what is said where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dripline.clock import machine_clock
from dripline.language.plan import Budget, DiscountStep, Duration
from dripline.store import schema
from dripline.store.database import Store
from tests.cli.conftest import WORKSPACE, Opened, run
from tests.engine.plans import email, plan

OFFER = plan(
    DiscountStep(
        id="offer",
        percent=15,
        valid=Duration(days=14),
        budget="spring",
        most=5_000,
        currency="USD",
        result="offer",
        next="email:offer",
    ),
    email("offer"),
    budgets={"spring": Budget(amount=100_000, currency="USD")},
)


@pytest.fixture
def code(open_house: Opened, store: Store) -> str:
    """A code that a lead was issued just now."""
    house = open_house(OFFER)
    now = machine_clock()
    for one in house.happens("lead.created", now):
        house.advance(one, now)
    with store.read() as connection:
        return str(connection.execute(select(schema.discounts.c.code)).scalar_one())


def told(*words: str) -> Any:
    status, said = run("discount", *words, "--format", "json")
    assert status == 0, said
    return json.loads(said)


def test_a_discount_is_shown_redeemed_and_reported(code: str) -> None:
    assert told("show", code.lower())["state"] == "open"
    assert run("discount", "redeem", code, "--order", "o-1")[0] == 1, "the budget must know what it comes to"
    assert told("redeem", code, "--order", "o-1", "--total", "400 USD")["state"] == "redeemed"
    assert told("redeem", code, "--order", "o-1", "--total", "400 USD")["redeemed_for"] == "o-1"
    status, said = run("discount", "redeem", code, "--order", "o-2", "--total", "400 USD")
    assert (status, said) == (1, "This discount was redeemed for something else.\n")
    made = json.loads(run("report", "discounts", "--format", "json")[1])
    [row] = made["rows"]
    assert (row["issued"], row["redeemed"], row["given"], row["total"]) == (1, 1, 50, 400)
    [budget] = told("budgets")
    assert (budget["spent"], budget["committed"], budget["amount"]) == (50, 0, 1000)
    assert "50 USD" in run("discount", "budgets")[1]
    assert "in USD" in run("report", "discounts", "--by", "budget")[1]
    assert "no journey `wellcome`" in run("report", "discounts", "--journey", "wellcome")[1]


def test_a_discount_is_taken_back_after_asking(code: str) -> None:
    status, said = run("discount", "revoke", code, "--why", "a mistake", says="n\n")
    assert (status, told("show", code)["state"]) == (1, "open")
    assert "Nothing was done." in said
    assert run("discount", "revoke", code, "--why", "a mistake", says="y\n")[0] == 0
    assert told("show", code)["state"] == "revoked"
    assert run("discount", "show", code)[1].count("a mistake") == 1


def test_codes_of_others_are_imported_once_and_counted(
    open_house: Opened, workspace: Path, tmp_path: Path, code: str
) -> None:
    (workspace / "dripline.yaml").write_text(WORKSPACE + "pools: {partner: {low: 3}}\n")
    file = tmp_path / "codes.csv"
    file.write_text(f"A-1;x\nB-1\n\n{code}\na1\nC 2\n", encoding="utf-8-sig")
    status, said = run("discount", "import", "partner", str(file))
    assert status == 1
    assert "Added 3 codes to the pool partner; there already: 0." in said
    assert "Left out, as another pool or a discount has them: 1 code." in said
    file.write_text("B-1\nC-1\n")
    status, said = run("discount", "import", "partner", str(file))
    assert (status, said.strip()) == (0, "Added 1 code to the pool partner; there already: 1.")
    assert told("pools") == [{"pool": "partner", "left": 4, "all": 4, "low": False, "declared": True}]
    assert "low" not in run("discount", "pools")[1].split("\n", 3)[3]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "NOBODYS"), "There is no discount of this code."),
        (("redeem", "X", "--order", "o", "--total", "much"), "--total: `much` is no amount of money"),
        (
            ("import", "partnr", "dripline.yaml"),
            "There is no pool partnr in dripline.yaml: declare it under `pools`.",
        ),
    ],
)
def test_what_is_wrong_is_said(open_house: Opened, words: tuple[str, ...], said: str) -> None:
    open_house(OFFER)
    status, output = run("discount", *words)
    assert status == 1
    assert said in output


def test_what_there_is_none_of_is_said(open_house: Opened) -> None:
    open_house(plan(email("hello")))
    assert "There is nothing to count in these days." in run("report", "discounts")[1]
    assert run("discount", "budgets")[1] == "No journey that has been published has a budget.\n"
    assert run("discount", "pools")[1] == "There is no pool: declare one under `pools` in dripline.yaml.\n"
