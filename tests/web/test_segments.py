"""Segments over the API and on their pages."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient

from dripline.drawing.overlap import draw_overlap
from dripline.ingest.membership.keeping import SegmentKeeper
from dripline.language.orders import Ordered
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.orders import keep_order
from dripline.web.app import create_app
from tests.ingest.journeys import MONDAY, a_lead
from tests.web.conftest import HERE

WORKSPACE = Workspace.model_validate(
    {
        "timezone": "UTC",
        "locales": ["en"],
        "currency": "AMD",
        "orders": "order.paid",
        "events": {"order.paid": {"order_id": "text", "total": "number"}},
        "segments": {
            "lost": "lead.stage == 'lost'",
            "buyers": {"title": "Who <bought>", "bought": {}},
            "silent": {"not_bought": {"within": "30 days"}},
        },
    }
)


@pytest.fixture
def client(store: Store, tmp_path: Path) -> TestClient:
    app = create_app(Settings(_env_file=None, data=tmp_path), store, WORKSPACE)
    with store.write() as connection:
        for name, stage in (("ani", "lost"), ("babken", "customer"), ("davit", "lost"), ("eva", None)):
            a_lead(connection, name, stage=stage, email=f"{name}@example.com")
        for name in ("ani", "babken"):
            keep_order(connection, name, Ordered(f"o-{name}", 5_000, "AMD", ()), MONDAY, None)
    return TestClient(app, base_url=HERE, client=("127.0.0.1", 50_000))


def test_programs_ask_which_segments_there_are_who_is_in_one_and_what_they_share(
    client: TestClient, store: Store
) -> None:
    assert [one["leads"] for one in client.get("/v1/segments").json()["segments"]] == [None, None, None]
    SegmentKeeper(store, budget=60).keep()
    [lost, buyers, silent] = client.get("/v1/segments").json()["segments"]
    assert (lost["leads"], buyers["leads"], silent["leads"]) == (2, 2, 4)
    assert buyers["title"] == "Who <bought>"
    page = client.get("/v1/segments/lost/leads", params={"limit": 1}).json()
    assert page == {"leads": ["ani"], "next": "ani"}
    assert client.get("/v1/segments/lost/leads", params={"after": "ani"}).json()["leads"] == ["davit"]
    assert client.get("/v1/segments/lots/leads").status_code == 404
    asked = {"audiences": ["lost", "buyers", "lead.email == 'eva@example.com'"]}
    told = client.post("/v1/segments/preview", json=asked).json()
    assert (told["leads"], told["looked_at"], told["sizes"]["lost"]) == (4, 4, 2)
    assert {(*one["audiences"], one["leads"]) for one in told["together"]} == {
        ("buyers", "lost", 1),
        ("buyers", 1),
        ("lost", 1),
        ("lead.email == 'eva@example.com'", 1),
    }
    refused = client.post("/v1/segments/preview", json={"audiences": ["losst"]})
    assert refused.status_code == 422
    assert "did you mean `lost`" in refused.text
    cells = client.get("/v1/rfm").json()["cells"]
    assert cells == [{"r": 1, "f": 1, "leads": 2}]


def test_people_see_how_many_which_together_and_who(client: TestClient, store: Store) -> None:
    assert "not counted yet" in client.get("/segments").text
    SegmentKeeper(store, budget=60).keep()
    page = client.get("/segments").text
    assert "Who &lt;bought&gt;" in page
    assert "Who <bought>" not in page
    assert "Segments and their overlap" in page
    assert 'class="heat-5" title="lead.rfm.r == 1 and lead.rfm.f == 1">2</td>' in page
    one = client.get("/segments/lost").text
    assert "ani@example.com" in one
    assert "babken@example.com" not in one
    assert client.get("/segments/none").status_code == 404


def test_the_picture_says_how_many_are_in_each_and_in_just_which_together() -> None:
    together = {frozenset({"a"}): 7, frozenset({"a", "b"}): 2_500, frozenset({"b"}): 1}
    picture = draw_overlap({"a": 2_507, "b": 2_501}, together, {"b": "Those & these"})
    svg = ET.fromstring(picture)
    said = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert said == ["a", "2,507", "Those & these", "2,501", "2,500", "7", "1"]
    assert "In just these and no other: Those & these and a: 2,500; a: 7" in picture.replace("&amp;", "&")
