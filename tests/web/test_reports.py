"""Reports and costs over the API."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from dripline.reports.catalogue import REPORTS
from dripline.store.database import Store
from tests.reports.shop import Shop

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
YEAR = {"since": "2026-01-01", "until": "2026-12-31"}
MARCH = {"first_day": "2026-03-01", "last_day": "2026-03-31", "source": "google", "currency": "USD"}


@pytest.fixture
def shop(store: Store, client: TestClient) -> TestClient:
    with store.write() as connection:
        Shop(60).fill(connection)
    return client


def test_every_report_is_answered_in_the_shape_that_the_document_tells(shop: TestClient) -> None:
    document = shop.get("/openapi.json").json()
    for name in REPORTS:
        answer = shop.get(f"/v1/reports/{name}", params=YEAR)
        assert answer.status_code == 200, answer.text
        made = answer.json()
        assert made["rows"]
        told = document["paths"][f"/v1/reports/{name}"]["get"]["responses"]["200"]["content"]
        shape = told["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert set(made) == set(document["components"]["schemas"][shape]["properties"])
        file = shop.get(f"/v1/reports/{name}", params={**YEAR, "format": "csv"})
        assert file.headers["content-type"].startswith("text/csv")
        assert file.text.split("\r\n")[0].split(",") == list(made["rows"][0])


REFUSED = (
    ("funnel?journey=none", 404, None),
    ("orders?since=soon", 422, "since"),
    ("orders?until=2026-02-30", 422, "until"),
    ("sources?by=colour", 422, "by"),
    ("sources?currency=XXY", 422, "currency"),
    ("unknown", 404, None),
    ("../spends?since=0", 422, "since"),
)


def test_what_cannot_be_reported_is_refused(client: TestClient) -> None:
    for path, status, field in REFUSED:
        answer = client.get(f"/v1/reports/{path}")
        assert answer.status_code == status, path
        assert [one["field"] for one in answer.json().get("errors", [])] == ([field] if field else [])


def test_every_report_has_a_page_with_a_picture_and_a_file(shop: TestClient) -> None:
    for name in REPORTS:
        page = shop.get(f"/reports/{name}", params=YEAR)
        assert page.status_code == 200
        assert "<svg viewBox" in page.text.partition("<main id")[2]
        assert f'href="/reports/{name}/csv?since=2026-01-01&amp;until=2026-12-31"' in page.text
        file = shop.get(f"/reports/{name}/csv", params=YEAR)
        assert file.text.count("\r\n") > 1
        assert file.headers["content-disposition"].endswith('2026-12-31.csv"')
    assert "aria-current=page>Funnel" in shop.get("/reports").text
    assert "There is nothing to count in these days" in shop.get("/reports/orders?until=2020-01-01").text
    assert shop.get("/reports/none").status_code == 404
    assert "E-mail a" in shop.get("/reports/funnel", params={**YEAR, "journey": "offer"}).text


def test_a_page_says_what_its_columns_are_and_offers_the_currencies_that_orders_have(
    client: TestClient, store: Store
) -> None:
    assert "Amounts in" not in client.get("/reports/orders").text
    with store.write() as connection:
        Shop(60).fill(connection)
    page = client.get("/reports/orders", params=YEAR).text
    assert '<select name="currency"><option>AMD</option><option selected>USD</option></select>' in page
    assert "<dt>New customers</dt><dd>Leads who bought for the first time.</dd>" in page
    other = client.get("/reports/orders", params={**YEAR, "currency": "AMD"}).text
    assert "<option selected>AMD</option><option>USD</option></select>" in other
    assert 'href="/reports/revenue?since=2026-01-01&amp;until=2026-12-31&amp;currency=AMD"' in other
    assert "Amounts in" not in client.get("/reports/funnel", params=YEAR).text


def test_costs_are_kept_once_listed_and_taken_away(shop: TestClient) -> None:
    def put(*spends: dict[str, Any]) -> Any:
        return shop.put("/v1/spends", json={"spends": list(spends)})

    assert put({**MARCH, "amount": 310.05}).json() == {"new": 1, "changed": 0}
    assert put({**MARCH, "amount": 310.05}).json() == {"new": 0, "changed": 0}
    assert put({**MARCH, "amount": "400"}, {**MARCH, "campaign": "spring", "amount": 1}).json() == {
        "new": 1,
        "changed": 1,
    }
    refused = put(
        {**MARCH, "amount": 1}, {**MARCH, "amount": 1.001}, {**MARCH, "currency": "XXY", "amount": 1}
    )
    assert [one["field"] for one in refused.json()["errors"]] == ["spends.1.amount", "spends.2.currency"]
    page = shop.get("/v1/spends", params={"limit": 1}).json()
    rest = shop.get("/v1/spends", params={"after": page["next"]}).json()
    both = page["spends"] + rest["spends"]
    assert sorted(one["amount"] for one in both) == [1, 400]
    assert shop.get("/v1/spends", params={"since": "2026-04-01"}).json()["spends"] == []
    assert shop.delete(f"/v1/spends/{both[0]['id']}").json() == {"removed": both[0]["id"]}
    assert shop.delete(f"/v1/spends/{both[0]['id']}").status_code == 404
