"""The pages as a real browser shows them: on a desk, on a phone, by day and by night."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, update

from dripline.clock import machine_clock
from dripline.language.project import load_project
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.plans import publish
from dripline.store.schema import messages, runs
from dripline.web.app import create_app
from tests.web.chromium import PROGRAM, Browser

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")

ROOT = Path(__file__).parents[2]
LONG = "averylongnamewithoutasinglespaceorhyphen" * 2
MAIL = f"<!doctype html><html><head></head><body><h1>{LONG}</h1><script>document.title='run'</script></body></html>"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()


@pytest.fixture
def address(store: Store) -> Iterator[str]:
    """Where the pages are, with the repository's journeys and leads whose names are long."""
    project = load_project(ROOT)
    assert project.workspace is not None
    with store.write() as connection:
        open_house(connection)
        for plan in project.plans.values():
            publish(connection, plan, datetime.now(UTC))
    app = create_app(Settings(_env_file=None), store, project.workspace)
    _fill(TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50_000)), store)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def _fill(client: TestClient, store: Store) -> None:
    for number in range(3):
        body = {
            "email": f"{LONG[:55]}{number}@example.com",
            "attributes": {"company": LONG},
            "consent": {"email": True},
        }
        assert client.put("/v1/leads", json=body).status_code == 201
    now = machine_clock()
    with store.write() as connection:
        found = connection.execute(select(runs).order_by(runs.c.id)).all()
        states: tuple[dict[str, Any], ...] = (
            {"accepted_at": now, "html": MAIL, "body": f"{LONG}\n\n{LONG}", "subject": LONG},
            {"held_at": now, "reason": f"the name {LONG} is missing"},
            {"uncertain_at": now, "attempt_id": "a", "reason": "timeout"},
        )
        for number, (run, state) in enumerate(zip(found, states, strict=False)):
            connection.execute(
                insert(messages).values(
                    id=f"m{number}", run_id=run.id, lead_id=run.lead_id, journey=run.journey, visit=1,
                    plan_hash=run.plan_hash, step="email:welcome/hello", channel="email", template="welcome/hello",
                    transactional=False, priority=50, context={}, progress_at=now, queued_at=now, written_at=now,
                    **state,
                )
            )  # fmt: skip
        connection.execute(
            update(runs)
            .where(runs.c.id == found[0].id)
            .values(
                step="after email:welcome/hello",
                wait={"began": now.isoformat()},
                until=now + timedelta(days=2),
            )
        )
        connection.execute(update(runs).where(runs.c.id == found[1].id).values(parked_reason=LONG, step=LONG))
    _look_after(client, f"/v1/leads/{found[0].lead_id}")


def _look_after(client: TestClient, lead: str) -> None:
    """Give the lead everything that people do with one, in words that are long."""
    client.post(f"{lead}/owner", json={"to": "sales"})
    client.post(f"{lead}/tasks", json={"title": LONG, "due": "1h"})
    task = client.post(f"{lead}/tasks", json={"title": LONG}).json()["id"]
    client.post(f"/v1/tasks/{task}/done", json={"result": LONG})
    client.post(f"{lead}/stage", json={"stage": "customer", "reason": LONG})
    assert client.put(f"{lead}/customer", json={"fields": {"contract": LONG}}).status_code == 200


REPORTS = ("/reports/funnel?journey=welcome", "/reports/deliverability")


def _paths(store: Store) -> list[str]:
    with store.read() as connection:
        lead = connection.execute(select(runs.c.lead_id).order_by(runs.c.id)).scalars().first()
    journeys = [f"/journeys/{name}" for name in ("welcome", "reactivation", "farewell")]
    return [
        "/",
        "/journeys",
        *journeys,
        *REPORTS,
        "/mailbox",
        "/messages/m0",
        "/held",
        f"/leads/{lead}",
        "/nowhere",
    ]


@pytest.mark.parametrize("width", [390, 1_280])
def test_no_page_has_to_be_scrolled_sideways_or_wants_what_it_may_not_have(
    browser: Browser, address: str, store: Store, width: int
) -> None:
    browser.complaints.clear()
    for path in _paths(store):
        page = browser.look(address + path, width)
        assert page["width"] <= page["seen"], f"{path} at {width}"
        assert "Held" in page["text"], path
        assert "/leads/" not in path or "Still empty" in page["text"]
    refused = [text for text in browser.complaints if "404" not in text and "scripting" not in text]
    assert refused == []


def test_a_page_is_light_by_day_and_dark_by_night(browser: Browser, address: str) -> None:
    grounds = [
        browser.look(f"{address}/journeys/welcome", 1_280, dark=dark)["ground"] for dark in (False, True)
    ]
    assert grounds[0] != grounds[1]
    colour = "getComputedStyle(document.querySelector('figure svg text')).fill"
    ink = "getComputedStyle(document.body).color"
    assert browser.evaluate(colour) == browser.evaluate(ink), "the picture is drawn in the text's colour"


@pytest.mark.parametrize("width", [390, 1_280])
def test_a_story_s_times_stay_whole_and_its_words_apart(
    browser: Browser, address: str, store: Store, width: int
) -> None:
    page = _paths(store)[-2]
    said = {"name": "subscription.cancelled", "lead": page.removeprefix("/leads/")}
    assert httpx.post(f"{address}/v1/events", json=said).status_code == 202
    browser.look(address + page, width)
    rows = """(() => {
        const time = document.querySelector(".story time"), text = document.createRange();
        time.innerText = "20:08:58";
        text.selectNodeContents(time);
        return text.getClientRects().length;
    })()"""
    assert browser.evaluate(rows) == 1
    lines = browser.evaluate(
        "[...document.querySelectorAll('.story small')].map(one => one.parentNode.innerText)"
    )
    assert lines
    assert all(line.endswith(" welcome") for line in lines), lines


def test_an_e_mail_s_scripts_do_not_run(browser: Browser, address: str) -> None:
    browser.look(f"{address}/messages/m0", 1_280)
    assert browser.evaluate("document.title") == f"{LONG} · Dripline"
    assert browser.evaluate("document.querySelector('iframe').offsetHeight >= 280")
