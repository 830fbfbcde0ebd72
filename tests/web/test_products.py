"""The catalogue by the API, and on the pages."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from dripline.ingest.counting import count_anew
from dripline.language.rules import Rules
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.rules import keep_rules
from tests.ingest.journeys import MONDAY, a_lead
from tests.ingest.test_products import RULES

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

TEA = {"title": {"en": "Tea", "hy": "Թեյ"}, "price": 4500, "currency": "AMD", "related": ["pot"]}


def put(client: TestClient, id_: str, **said: Any) -> dict[str, Any]:
    answer = client.put(f"/v1/products/{id_}", json=said)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_shop_keeps_its_catalogue(client: TestClient) -> None:
    assert put(client, "tea", **TEA, replenish_days=30)["price"] == 4500
    assert client.patch("/v1/products/tea", json={"price": 3999.5}).json()["price"] == 3999.5
    assert client.patch("/v1/products/tea", json={"in_stock": False}).json()["in_stock"] is False
    many = {"products": [{"id": f"cup-{n}", "title": f"Cup {n}"} for n in range(3)]}
    assert client.post("/v1/products", json=many).json() == {"new": 3, "changed": 0, "same": 0}
    assert client.post("/v1/products", json=many).json()["same"] == 3
    page = client.get("/v1/products", params={"words": "cup", "limit": 2}).json()
    assert [one["id"] for one in page["products"]] == ["cup-0", "cup-1"]
    after = client.get("/v1/products", params={"words": "cup", "after": page["next"]}).json()
    assert [one["id"] for one in after["products"]] == ["cup-2"]
    assert client.delete("/v1/products/tea").json()["archived_at"]
    assert client.delete("/v1/products/tea").status_code == 404
    assert client.get("/v1/products/tea").json()["archived_at"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"title": "Tea", "price": 45.001, "currency": "AMD"}, "price"),
        ({"title": "Tea", "price": 45}, "price"),
        ({"title": {"zz-nothing": "Tea"}}, "title"),
        ({"title": "Tea", "prize": 45}, "prize"),
        ({"price": 45}, "title"),
    ],
)
def test_what_is_wrong_with_a_product_is_named(client: TestClient, said: dict[str, Any], field: str) -> None:
    answer = client.put("/v1/products/tea", json=said)
    assert answer.status_code == 422
    assert field in [one["field"] for one in answer.json()["errors"]]


@pytest.fixture
def shop(client: TestClient, store: Store) -> TestClient:
    """Tea and pots, and two leads who bought both."""
    with store.write() as connection:
        open_house(connection)
        keep_rules(connection, Rules(**{**dict(RULES), "timezone": "UTC"}), MONDAY)
        a_lead(connection)
        a_lead(connection, "lead-2")
    put(client, "tea", **TEA)
    put(client, "pot", title="Pot", price=12000, currency="AMD", upgrade="samovar")
    put(client, "samovar", title="Samovar")
    put(client, "cup", title="Cup")
    return client


def test_recommendations_come_with_their_reasons(shop: TestClient, store: Store) -> None:
    from dripline.ingest.recording import record
    from dripline.store.events import Event

    baskets = [
        ("lead-2", ["tea", "pot"]),
        ("lead-2", ["tea", "pot"]),
        ("lead-2", ["cup"]),
        ("lead-1", ["tea"]),
    ]
    for number, (lead, items) in enumerate(baskets):
        said = {"order_id": f"o-{number}", "total": 1, "items": items}
        with store.write() as connection:
            record(connection, Event(f"e{number}", lead, "order.paid", said, MONDAY), MONDAY)
    count_anew(store, lambda: MONDAY)
    answer = shop.get("/v1/leads/lead-1/recommendations").json()
    [pot] = answer["products"]
    assert {name: pot[name] for name in ("id", "way", "because", "both", "of", "price")} == {
        "id": "pot",
        "way": "together",
        "because": "Թեյ",
        "both": 2,
        "of": 3,
        "price": 12000,
    }
    only = shop.get("/v1/leads/lead-2/recommendations", params={"way": "upgrade"}).json()
    assert [one["id"] for one in only["products"]] == ["samovar"]
    assert shop.get("/v1/leads/lead-1/recommendations", params={"way": "togethr"}).status_code == 422
    page = shop.get("/leads/lead-1").text
    assert "in 2 of the 3 orders with" in page
    assert "2 of 3" in shop.get("/products/tea").text


def test_the_pages_of_the_catalogue_find_and_escape(shop: TestClient) -> None:
    put(shop, "x", title="<b>100%_cotton</b>")
    assert "&lt;b&gt;100%_cotton" in shop.get("/products", params={"words": "%_COT"}).text
    assert "Nothing is called so" in shop.get("/products", params={"words": "0_c"}).text
    assert shop.get("/products/nothing").status_code == 404
