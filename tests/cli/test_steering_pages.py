"""What a publisher does on the pages is what the commands do, and stands in the audit log with the publisher's name."""

from __future__ import annotations

import re
from html import unescape

from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import select

from dripline.providers import Outgoing, Uncertain
from dripline.settings import Settings
from dripline.store.house import pulled
from dripline.store.schema import audit
from dripline.web.app import create_app
from tests.access.people import a_person
from tests.cli.conftest import Opened
from tests.cli.test_held_page import BROKEN, HELLO, WORKSPACE, held
from tests.durable.house import NOW, House
from tests.web.test_login import HTML, ORIGIN, enter


def publisher(house: House) -> TestClient:
    a_person(house.store, "publisher", name="Ani")
    app = create_app(Settings(_env_file=None), house.store, WORKSPACE)
    client = TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50_000), headers=HTML)
    enter(client, "publisher@example.com")
    return client


def follow(client: TestClient, page: str, words: str) -> Response:
    """Click the link of these words on a page."""
    links = re.findall(r'<a class="act[^"]*" href="([^"]+)">([^<]+)</a>', client.get(page).text)
    [path] = {unescape(path) for path, said in links if said == words}
    asked: Response = client.get(path)
    assert asked.status_code == 200
    return asked


def send(client: TestClient, asked: Response, **fields: str) -> Response:
    """Send the form of the page as it stands there."""
    form = re.search(r'<form class="card form" method="post" action="([^"]+)">(.*?)</form>', asked.text, re.S)
    assert form, asked.text
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', form[2])
    said = {name: unescape(value) for name, value in hidden} | fields
    answer: Response = client.post(form[1], data=said, headers=ORIGIN)
    assert answer.status_code == 200, answer.text
    return answer


def acts(house: House) -> list[tuple[str, str, str | None]]:
    with house.store.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.id)).all()
    return [(row.what, row.by, row.why) for row in rows if row.by == "Ani"]


def test_everything_is_stopped_and_started_again_on_the_pages(open_house: Opened) -> None:
    house = open_house(HELLO)
    client = publisher(house)
    stopped = send(client, follow(client, "/", "Stop everything…"), why="wrong prices")
    assert "Everything is stopped" in stopped.text
    assert "by Ani" in stopped.text
    house.deliveries.attempt(house.queued_message())
    started = send(client, follow(client, "/", "Let messages leave again…"))
    assert "everything is stopped" in started.text, "it shows what was held meanwhile"
    with house.store.read() as connection:
        assert pulled(connection) is None
    assert acts(house) == [("stop-all", "Ani", "wrong prices"), ("start-all", "Ani", None)]


def test_a_journey_is_paused_and_goes_on_on_the_pages(open_house: Opened) -> None:
    house = open_house(HELLO)
    client = publisher(house)
    paused = send(client, follow(client, "/journeys/welcome", "Pause…"), clock="freeze", why="wrong link")
    assert "wrong link" in paused.text
    assert "its waits stand still" in paused.text
    assert house.happens("lead.created") == [], "nobody enters"
    going = send(client, follow(client, "/journeys/welcome", "Let it go on…"))
    assert "Paused since" not in going.text
    assert acts(house) == [("pause", "Ani", "wrong link"), ("resume", "Ani", None)]
    assert client.get("/journeys/nothing/pause").status_code == 404


def test_a_held_message_is_let_go_or_left_out_on_the_pages(open_house: Opened) -> None:
    house = open_house(HELLO)
    client = publisher(house)
    held(house)
    asked = follow(client, "/held", "Let it go on…")
    assert house.message().state == "held", "to ask changes nothing"
    send(client, asked)
    assert house.message().state == "queued"
    assert acts(house) == [("send-held", "Ani", None)]
    assert client.get("/held/answer?do=send&id=none").status_code == 404
    assert client.get("/held/answer?do=send").status_code == 422


def test_what_may_have_left_already_is_only_sent_again_where_that_is_ticked(open_house: Opened) -> None:
    house = open_house(HELLO)
    client = publisher(house)

    def drop(_message: Outgoing) -> None:
        raise Uncertain("fake.timeout")

    house.email.meanwhile = drop
    house.deliveries.attempt(house.queued_message())
    asked = follow(client, "/held", "Let it go on…")
    assert "the same message twice" in asked.text
    send(client, asked)
    assert house.message().state == "uncertain"
    send(client, asked, may_double="true")
    assert house.message().state == "queued"


def test_a_held_message_is_left_out_with_the_reason_given(open_house: Opened) -> None:
    house = open_house(HELLO)
    client = publisher(house)
    held(house)
    send(client, follow(client, "/held", "Leave it out…"), why="too late")
    assert (house.message().state, house.message().reason) == ("skipped", "too late")
    assert acts(house) == [("skip-held", "Ani", "too late")]


def test_while_everything_is_stopped_nothing_that_would_only_be_held_again_is_let_go(
    open_house: Opened,
) -> None:
    house = open_house(HELLO)
    client = publisher(house)
    key = house.queued_message()
    send(client, follow(client, "/", "Stop everything…"))
    house.deliveries.attempt(key)
    asked = follow(client, "/held", "Let it go on…")
    assert "would only be held again" in asked.text
    assert "<button" not in asked.text


def test_a_parked_run_tries_again(open_house: Opened) -> None:
    house = open_house(BROKEN)
    client = publisher(house)
    [key] = house.happens("lead.created")
    house.advance(key, NOW)
    asked = follow(client, "/held", "Let it go on…")
    send(client, asked)
    assert acts(house) == [("send-held", "Ani", None)]
