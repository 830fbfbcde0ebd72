from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event, insert, update

from dripline.clock import HouseClock
from dripline.language.sms import measure
from dripline.store.database import Store
from dripline.store.house import open_house, set_clock
from dripline.store.schema import messages, runs, step_log
from tests.ingest.journeys import a_plan, published, run_rows
from tests.web.conftest import Opened

MAIL = (
    "<!doctype html><html><head><title>x</title></head><body><h1>Բարև</h1>"
    '<script>alert(1)</script><img src="http://tracker.example/x.gif"></body></html>'
)


@pytest.fixture
def lead(client: TestClient, store: Store) -> str:
    """A lead with a run that waits, an e-mail that was delivered, and an SMS that was not sent."""
    with store.write() as connection:
        open_house(connection)
        published(connection, a_plan())
    body = {"email": "ani@example.com", "external_id": "<b>crm</b>", "attributes": {"company": "<i>Arpi</i>"}}
    lead_id: str = client.put("/v1/leads", json=body).json()["id"]
    now = datetime.now(UTC)
    with store.write() as connection:
        [run] = run_rows(connection)
        wait = {"began": now.isoformat()}
        until = now + timedelta(days=3)
        connection.execute(update(runs).values(step="for-the-demo", turn=1, wait=wait, until=until))
        for what, step, detail in (
            ("entered", None, {"event": "lead.created"}),
            ("queued", "email:welcome/hello", {"message": "m1", "template": "welcome/hello"}),
            ("waits", "for-the-demo", {"until": until.isoformat(), "events": ["demo.booked"]}),
        ):
            connection.execute(
                insert(step_log).values(run_id=run.id, turn=1, at=now, step=step, what=what, detail=detail)
            )
        common: dict[str, Any] = {
            "run_id": run.id, "lead_id": lead_id, "journey": "welcome", "plan_hash": run.plan_hash, "visit": 1,
            "transactional": False, "priority": 50, "context": {}, "progress_at": now, "queued_at": now,
            "written_at": now,
        }  # fmt: skip
        connection.execute(
            insert(messages).values(
                **common, id="m1", step="email:welcome/hello", channel="email", template="welcome/hello",
                recipient="ani@example.com", subject="Բարի գալուստ <3", html=MAIL, body="Բարև text", provider="mailbox",
                accepted_at=now, delivered_at=now,
            )
        )  # fmt: skip
        connection.execute(
            insert(messages).values(
                **common, id="m2", step="sms:welcome/nudge", channel="sms", template="welcome/nudge",
                skipped_at=now, reason="no phone number",
            )
        )  # fmt: skip
    return lead_id


def test_an_empty_house_says_what_to_do_next(client: TestClient, store: Store) -> None:
    assert "No journey is published yet" in client.get("/").text
    with store.write() as connection:
        published(connection, a_plan())
    page = client.get("/").text
    assert "Nobody has entered yet" in page
    assert "curl -X PUT http://127.0.0.1:8080/v1/leads" in page
    assert "No messages yet" in page
    assert "No messages yet" in client.get("/mailbox").text
    assert "Nothing waits for a person" in client.get("/held").text


def test_the_overview_shows_where_each_run_stands_and_the_newest_messages(
    client: TestClient, lead: str
) -> None:
    page = client.get("/").text
    for words in (
        "ani@example.com",
        "waits for demo.booked, until",
        "in 2 d",
        "Բարի գալուստ &lt;3",
        "delivered",
        "skipped",
    ):
        assert words in page
    assert 'href="/messages/m1"' in page


def test_every_page_leads_to_the_others_and_says_where_one_is(client: TestClient, lead: str) -> None:
    for path in ("/", "/journeys", "/mailbox", "/held", f"/leads/{lead}", "/messages/m1"):
        page = client.get(path).text
        assert re.findall(r'<a href="([^"]*)"[^>]*>(?:Overview|Journeys|Mailbox|Held)', page) == [
            "/",
            "/journeys",
            "/mailbox",
            "/held",
        ]
        assert page.count("aria-current=page") == (0 if path.startswith("/leads") else 1)
    assert "Overview" in client.get("/none", headers={"Accept": "text/html"}).text


def test_the_mailbox_shows_each_message_as_it_looks_and_what_became_of_it(
    client: TestClient, lead: str
) -> None:
    page = client.get("/mailbox").text
    for words in ("Բարև text", "no phone number", "delivered 1", "skipped 1"):
        assert words in page
    assert "<iframe" not in page, "a list does not load every e-mail"
    assert "Բարև text" not in client.get("/mailbox?state=skipped").text
    assert "No more messages" in client.get("/mailbox?state=held").text


def test_an_e_mail_is_shown_in_a_frame_of_its_own_beside_its_text(client: TestClient, lead: str) -> None:
    page = client.get("/messages/m1").text
    assert "<pre>Բարև text</pre>" in page
    [height] = re.findall(r'<iframe [^>]*height="(\d+)"', page)
    assert 280 <= int(height) <= 1_200
    frame = unescape(page.split('srcdoc="')[1].split('"')[0])
    assert frame.index("Content-Security-Policy") < frame.index("<script>"), (
        "the policy stands before the mail"
    )
    assert "<script>" not in page, "nothing of a message is part of the page itself"
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_pages_run_no_scripts_and_are_framed_by_nobody(client: TestClient, lead: str) -> None:
    for path in (
        "/",
        "/journeys",
        "/journeys/welcome",
        "/mailbox",
        "/held",
        "/messages/m1",
        f"/leads/{lead}",
    ):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200
        assert policy.startswith("default-src 'none'")
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_lead_page_tells_every_decision_and_escapes_what_the_lead_wrote(
    client: TestClient, lead: str
) -> None:
    page = client.get(f"/leads/{lead}").text
    for words in (
        "enters the journey by lead.created",
        "queues email:welcome/hello",
        "waits for demo.booked, until",
    ):
        assert words in page
    assert "was delivered" in page
    assert "&lt;i&gt;Arpi" in page
    assert "<i>" not in page


def test_what_is_not_there_is_a_page_for_people_and_a_problem_for_programs(client: TestClient) -> None:
    for path in ("/messages/none", "/leads/none", "/none"):
        page = client.get(path, headers={"Accept": "text/html"})
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert client.get(path).headers["content-type"] == "application/problem+json"


def test_runs_are_chosen_by_journey_and_by_whether_they_are_open(client: TestClient, lead: str) -> None:
    assert "None like that" in client.get("/?show=ended").text
    assert "waits for demo.booked" in client.get("/?show=open&journey=welcome").text
    assert "None like that" in client.get("/?journey=other").text


def test_a_quick_house_says_how_long_a_day_takes(open_app: Opened, store: Store) -> None:
    with store.write() as connection:
        open_house(connection)
        set_clock(connection, HouseClock().at_rate(43_200.0, datetime.now(UTC)))
    assert "a day takes 2 s" in open_app().get("/").text


@pytest.mark.parametrize(
    ("text", "encoding", "segments"),
    [
        ("a" * 160, "GSM-7", 1),
        ("a" * 161, "GSM-7", 2),
        ("€" * 80, "GSM-7", 1),
        ("€" * 81, "GSM-7", 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 3),
        ("Բ" * 70, "UCS-2", 1),
        ("Բ" * 71, "UCS-2", 2),
        ("😀" * 35, "UCS-2", 1),
        ("😀" * 36, "UCS-2", 2),
    ],
)
def test_an_sms_is_counted_as_it_is_paid_for(text: str, encoding: str, segments: int) -> None:
    assert (measure(text).encoding, measure(text).segments) == (encoding, segments)


def test_a_lead_s_list_is_shown_as_people_write_it(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        open_house(connection)
    body = {"email": "ani@example.com", "attributes": {"interests": ["vip", "beta"]}}
    lead = client.put("/v1/leads", json=body).json()["id"]
    assert "<dd>vip, beta</dd>" in client.get(f"/leads/{lead}").text


def test_a_lead_s_story_is_told_by_the_lead_s_own_clock(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        open_house(connection)
    zones: tuple[dict[str, str], ...] = ({"timezone": "Asia/Tokyo"}, {"country": "GE"}, {})
    told = ("Asia/Tokyo, where the lead is", "Asia/Tbilisi, where the lead is", "Asia/Yerevan.")
    for number, (known, words) in enumerate(zip(zones, told, strict=True)):
        body = {"email": f"lead{number}@example.com", **known}
        lead = client.put("/v1/leads", json=body).json()["id"]
        page = client.get(f"/leads/{lead}").text
        assert f"Times of {words}" in page
        at = datetime.now(ZoneInfo(words.partition(",")[0].rstrip(".")))
        assert at.strftime("%A, %-d %B %Y") in page


def test_no_page_reads_whole_tables_of_messages_and_runs(client: TestClient, lead: str, store: Store) -> None:
    """Rows hold whole e-mails: what counts and lists them goes by an index, however many there are."""
    if store.engine.dialect.name != "sqlite":
        pytest.skip("the planner of PostgreSQL reads small tables whole, and rightly so")
    asked: list[tuple[str, Any]] = []
    listen = partial(event.listens_for, store.engine, "before_cursor_execute")

    @listen()
    def note(_connection: Any, _cursor: Any, sql: str, given: Any, *_rest: Any) -> None:
        asked.append((sql, given))

    for path in (
        "/",
        "/journeys",
        "/journeys/welcome?step=x",
        "/mailbox?state=held",
        "/held",
        f"/leads/{lead}",
    ):
        assert client.get(path).status_code == 200
    event.remove(store.engine, "before_cursor_execute", note)
    plans = [
        row[3] for sql, given in asked if sql.startswith("SELECT") for row in _explained(store, sql, given)
    ]
    assert len(plans) > 20
    assert [plan for plan in plans if re.match(r"SCAN (messages|runs|step_log|events)$", plan)] == []


def _explained(store: Store, sql: str, given: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given).all())


def test_a_lead_page_says_what_it_lacks_and_where_it_came_from(client: TestClient) -> None:
    touch = {"source": "google", "medium": "cpc", "cost": 0.5, "currency": "USD"}
    lead = client.put("/v1/leads", json={"email": "info@shop.am", "touch": touch}).json()
    assert lead["lacks"] == ["person", "contact"]
    page = client.get(f"/leads/{lead['id']}").text
    assert "a way to reach that person" in page
    assert "the e-mail address belongs to a role, not to a person" in page
    assert "paid-search · google · cpc for 0.5 USD" in page
    assert "Came last by" not in page
