"""The page of what is held gives commands: they are given here as they stand there."""

from __future__ import annotations

import shlex
from html import unescape
from re import findall

from fastapi.testclient import TestClient

from dripline.language.plan import Arm, BranchStep
from dripline.language.workspace import Workspace
from dripline.providers import Outgoing, Uncertain
from dripline.settings import Settings
from dripline.web.app import create_app
from tests.cli.conftest import Opened, run
from tests.durable.house import NOW, House
from tests.engine.plans import email, plan

HELLO = plan(email("hello"))
BROKEN = plan(BranchStep(id="which", arms=(Arm(when="lead.email > 3", to=None),)))
WORKSPACE = Workspace(timezone="Asia/Yerevan", locales=["en"])


def look(house: House, path: str = "/held") -> str:
    app = create_app(Settings(_env_file=None), house.store, WORKSPACE)
    with TestClient(app, base_url="http://127.0.0.1:8080", client=("127.0.0.1", 50_000)) as client:
        answer = client.get(path)
    assert answer.status_code == 200
    return str(answer.text)


def commands(page: str) -> list[list[str]]:
    return [shlex.split(unescape(code)) for code in findall(r"<dd><code>(dripline .*?)</code>", page)]


def give(command: list[str]) -> str:
    code, told = run(*command[1:], "--yes")
    assert code == 0, told
    return told


def held(house: House) -> str:
    assert run("stop-all", "--why", "wrong prices")[0] == 0
    key = house.queued_message()
    house.deliveries.attempt(key)
    assert run("start-all")[0] == 0
    return key


def test_a_held_message_stands_there_with_its_reason_and_goes_on_by_the_command(open_house: Opened) -> None:
    house = open_house(HELLO)
    key = held(house)
    page = look(house)
    for words in ("everything is stopped", "email hello", "ani@example.com", '<b class="count"'):
        assert words in page
    send, skip = commands(page)
    assert send == ["dripline", "held", "--send", key[:12]]
    give(send)
    assert house.message().state == "queued"
    assert "Nothing waits for a person" in look(house)
    assert 'class="count"' not in look(house)
    assert skip[2] == "--skip"


def test_a_message_that_may_have_left_says_so_and_its_commands_do_what_they_say(open_house: Opened) -> None:
    house = open_house(HELLO)

    def drop(_message: Outgoing) -> None:
        raise Uncertain("fake.timeout")

    house.email.meanwhile = drop
    house.deliveries.attempt(house.queued_message())
    page = look(house, "/held?state=uncertain")
    assert "may give the lead the same message twice" in page
    send, skip = commands(page)
    assert send[-1] == "--may-double"
    give(skip)
    assert house.message().state == "skipped"


def test_a_run_that_stopped_stands_there_and_tries_again_by_the_command(open_house: Opened) -> None:
    house = open_house(BROKEN)
    [key] = house.happens("lead.created")
    house.advance(key, NOW)
    assert house.run(key).parked_reason
    page = look(house, "/held?state=parked&journey=welcome")
    assert "which" in page
    retry, skip = commands(page)
    assert retry == ["dripline", "runs", "retry", key]
    give(retry)
    give(skip)
    assert house.run(key).ended_at is not None


def test_many_of_one_reason_are_answered_at_once(open_house: Opened) -> None:
    house = open_house(plan(email("hello", next="email:again"), email("again")))
    assert run("stop-all", "--why", "wrong prices")[0] == 0
    [key] = house.happens("lead.created")
    for delivery in house.advance(key, NOW).deliver:
        house.deliveries.attempt(delivery.message)
    page = look(house)
    assert "would only be held again" in page
    assert "2 for one reason: everything is stopped" in page
    assert run("start-all")[0] == 0
    everything = commands(page)[0]
    assert everything[:5] == ["dripline", "held", "--send", "--state", "held"]
    assert "2 of 2 will go on" in give(everything)


def test_a_paused_journey_says_what_takes_the_pause_back(open_house: Opened) -> None:
    house = open_house(HELLO)
    held(house)
    assert run("pause", "welcome")[0] == 0
    assert "<code>dripline resume welcome</code>" in look(house)
