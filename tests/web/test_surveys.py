"""The page of a survey in the lead's language, and what the API and the pages tell of its answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, insert

from dripline.language.workspace import Workspace
from dripline.reports.surveys import read_results, read_totals
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.leads import add_lead
from dripline.web.app import create_app
from dripline.web.survey_words import SURVEYS
from tests.durable.house import NOW
from tests.ingest.test_surveys import Asking

WORKSPACE = Workspace.model_validate(
    {
        "timezone": "Asia/Yerevan",
        "locales": ["en"],
        "surveys": {
            "recommend": {"kind": "nps", "question": "Would you recommend us?"},
            "why": {"kind": "reasons", "question": "Why?", "answers": {"price": "Price", "time": "Time"}},
        },
    }
)
MONTHS = ((0, "lead", (9, 10, 9, 3)), (31, "customer", (10, 7)))


@pytest.fixture
def client(store: Store) -> TestClient:
    """A workspace whose leads were asked in two months, and answered."""
    app = create_app(Settings(_env_file=None), store, WORKSPACE)
    with store.write() as connection:
        add_lead(connection, "ani", {"email": "ani@example.com"}, NOW)
        number = 0
        for days, stage, scores in MONTHS:
            at = NOW + timedelta(days=days)
            for score in scores:
                number += 1
                said = {"answer": str(score), "score": score, "comment": "<b>slow</b>" if score < 7 else None}
                connection.execute(
                    insert(schema.survey_asks).values(
                        id=str(number), survey="recommend", kind="nps", lead_id="ani", asked_at=at, answered_at=at,
                        about={"stage": stage}, via="email", **said,
                    )
                )  # fmt: skip
    return TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50_000))


def results(client: TestClient, **asked: str) -> Any:
    answer = client.get("/v1/surveys/recommend/results", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_api_tells_the_score_and_tells_it_apart(client: TestClient) -> None:
    found = results(client)
    assert (found["answered"], found["score"]) == (6, 50.0)
    assert found["groups"] == {"promoter": 4, "passive": 1, "detractor": 1}
    low, high = found["interval"]
    assert -100 <= low < 50 < high <= 100
    by_month = results(client, by="month")["apart"]
    assert [(one["name"], one["score"]) for one in by_month] == [("2026-01", 50.0), ("2026-02", 50.0)]
    by_stage = results(client, by="stage")["apart"]
    assert {one["name"]: one["answered"] for one in by_stage} == {"lead": 4, "customer": 2}
    assert results(client, since="2026-02-01")["answered"] == 2
    assert results(client, until="2026-02-01")["answered"] == 4
    assert client.get("/v1/surveys/recommend/results", params={"by": "shoe"}).status_code == 422
    assert client.get("/v1/surveys/recomend/results").status_code == 404


def test_the_api_lists_surveys_and_answers_and_takes_one(client: TestClient) -> None:
    listed = client.get("/v1/surveys").json()
    assert [(one["survey"], one["kind"], one["answered"]) for one in listed] == [
        ("recommend", "nps", 6),
        ("why", "reasons", 0),
    ]
    words = client.get("/v1/surveys/recommend/answers", params={"commented": True}).json()
    assert [(one["answer"], one["comment"]) for one in words] == [("3", "<b>slow</b>")]
    taken = client.post("/v1/surveys/why/answers", json={"lead": "ani", "answer": "price"})
    assert taken.status_code == 202, taken.text
    assert client.get("/v1/surveys/why/results").json()["answers"] == {"price": 1}
    assert client.post("/v1/surveys/why/answers", json={"lead": "ani", "answer": "shoe"}).status_code == 422
    assert client.post("/v1/surveys/who/answers", json={"lead": "ani", "answer": "price"}).status_code == 404


def test_the_pages_show_it_and_escape_what_leads_wrote(client: TestClient) -> None:
    assert "/surveys/recommend" in client.get("/surveys").text
    page = client.get("/surveys/recommend", params={"by": "stage"}).text
    assert "Net Promoter Score" in page
    assert "&lt;b&gt;slow" in page
    assert "<polyline" in page, "two months make a curve"
    assert "customer" in page
    assert client.get("/surveys/recomend").status_code == 404


def test_the_page_of_all_surveys_asks_once_however_many_there_are(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        row = {"lead_id": "ani", "asked_at": NOW, "about": {}}
        for number, answer in enumerate(("price", "price", None)):
            said = {"answer": answer, "answered_at": NOW if answer else None, "comment": answer}
            ask = {"id": f"why-{number}", "survey": "why", "kind": "reasons"}
            connection.execute(insert(schema.survey_asks).values(**ask, **said, **row))
    asked: list[str] = []

    def note(_: object, __: object, statement: str, *more: object) -> None:
        asked.extend([statement] if "survey_asks" in statement else [])

    event.listen(store.engine, "before_cursor_execute", note)
    page = client.get("/surveys").text
    event.remove(store.engine, "before_cursor_execute", note)
    assert len(asked) == 1
    assert "Why?" in page
    with store.read() as connection:
        totals = {(one.survey, one.kind): one.total for one in read_totals(connection)}
        assert totals.keys() == {("recommend", "nps"), ("why", "reasons")}
        for (survey, kind), total in totals.items():
            assert total == read_results(connection, survey, kind).total


@pytest.mark.parametrize(("locale", "says"), [("hy", "Որքա՞ն հավանական է"), ("ru", "Насколько вероятно")])
def test_the_page_speaks_the_leads_language(store: Store, locale: str, says: str) -> None:
    asking = Asking(store, locale=locale)
    page = asking.client.get(asking.links[9]).text
    assert says in page
    assert SURVEYS[locale].send in page


def test_a_link_that_was_altered_or_whose_lead_is_erased_shows_nothing(store: Store) -> None:
    asking = Asking(store)
    assert asking.client.get(asking.links[9][:-1] + "_").status_code == 404
    with store.write() as connection:
        connection.execute(schema.leads.update().values(erased_at=NOW))
    assert asking.client.get(asking.links[9]).status_code == 410
    assert asking.client.post(asking.links[9], data={"do": "send", "q-answer": "9"}).status_code == 410
    assert asking.client.post(asking.links[9], data={"do": "pick", "q-answer": "9"}).status_code in (204, 410)
    assert asking.row().picks is None
