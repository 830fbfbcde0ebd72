"""`dripline product …` over a store, and what is said where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dripline.store.database import Store
from dripline.store.house import open_house
from tests.cli.conftest import run
from tests.ingest.journeys import a_lead

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

CSV = """id;title.en;title.hy;price;currency;related;replenish;in_stock
tea;Tea;Թեյ;4500;AMD;pot, cup;30 days;true
pot;Pot;;12000;AMD;;;false
cup;Cup;;2000;AMD;;;

"""


@pytest.fixture
def file(workspace: Path, store: Store) -> Path:
    with store.write() as connection:
        open_house(connection)
        a_lead(connection)
    path = workspace / "shop.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def test_a_file_of_a_shop_becomes_the_catalogue(file: Path) -> None:
    assert run("product", "load", str(file), "--dry-run") == (
        0,
        "3 new, 0 changed, 0 taken out; 0 would be as they were.\n",
    )
    assert run("product", "load", str(file))[1].startswith("3 new")
    assert run("product", "load", str(file))[1].endswith("3 are as they were.\n")
    [cup, pot, tea] = json.loads(run("product", "list", "--json")[1])
    assert (tea["title"], tea["related"], tea["replenish_days"]) == (
        {"en": "Tea", "hy": "Թեյ"},
        ["pot", "cup"],
        30,
    )
    assert (pot["in_stock"], cup["in_stock"], cup["price"]) == (False, True, 2000)


def test_price_and_stock_are_changed_and_shown(file: Path) -> None:
    run("product", "load", str(file))
    assert run("product", "set", "tea", "--price", "3900", "--out-of-stock") == (
        0,
        "tea: 3,900 AMD, out of stock.\n",
    )
    said = json.loads(run("product", "show", "tea", "--json")[1])
    assert {one["what"] for one in said["changes"]} == {"price", "stock"}
    assert "price from 4,500 to 3,900 AMD" in run("product", "show", "tea")[1]
    assert run("product", "archive", "tea") == (0, "Taken out: tea.\n")
    assert "tea" not in run("product", "list")[1]


def test_nothing_to_recommend_is_said_and_a_way_that_is_none_too(file: Path) -> None:
    run("product", "load", str(file))
    assert run("product", "recommend", "lead-1") == (0, "There is nothing to recommend to this lead.\n")
    assert run("product", "recommend", "lead-1", "--way", "togethr") == (
        1,
        "There is no way togethr: did you mean `together`?.\n",
    )
    assert run("product", "together", "tea")[0] == 0
    assert run("product", "count") == (0, "Counted: 0 numbers different from before.\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,titel\ntea,Tea\n", "shop.csv:1:1: error[unknown-key]"),
        ("id,title\ntea,Tea\ntea,Tea\n", "shop.csv:3:1: error[duplicate-key]"),
        ("id,title,price\ntea,Tea,much\n", "shop.csv:2:1: error[wrong-value]"),
        ("id,title,related\ntea,Tea,pto\npot,Pot,\n", "shop.csv:2:1: error[unknown-product]"),
    ],
)
def test_a_wrong_file_changes_nothing_and_is_told_by_line(file: Path, text: str, told: str) -> None:
    file.write_text(text, encoding="utf-8")
    status, said = run("product", "load", str(file))
    assert (status, told in said) == (1, True), said
    assert run("product", "list")[1] == "There is no product like that in the catalogue.\n"


def test_an_unknown_product_is_told_with_what_was_perhaps_meant(file: Path) -> None:
    run("product", "load", str(file))
    assert run("product", "show", "taa") == (1, "There is no product taa: did you mean `tea`?\n")
