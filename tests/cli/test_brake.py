from __future__ import annotations

from sqlalchemy import select

from dripline.store import schema
from tests.cli.conftest import Opened, run
from tests.engine.plans import email, plan

HELLO = plan(email("hello"))


def test_the_brake_holds_and_its_release_tells_what_waits_and_how_to_let_it_go(open_house: Opened) -> None:
    house = open_house(HELLO)
    code, told = run("stop-all", "--why", "wrong prices")
    assert code == 0
    assert "held, not lost" in told
    house.deliveries.attempt(house.queued_message())
    assert house.message().state == "held"
    code, told = run("start-all")
    assert code == 0
    assert "1 message held meanwhile" in told
    command = told.split("let go: `dripline ")[1].split("`")[0]
    assert command == 'held --send --all --reason "everything is stopped"'
    assert run("held", "--send", "--all", "--reason", "everything is stopped", "--yes")[0] == 0
    assert house.message().state == "queued"


def test_pulled_twice_it_tells_since_when_and_by_whom(open_house: Opened) -> None:
    house = open_house(HELLO)
    run("stop-all")
    code, told = run("stop-all")
    assert (code, "has been stopped since" in told) == (0, True)
    assert run("start-all")[0] == 0
    assert "Nothing was stopped." in run("start-all")[1]
    with house.store.read() as connection:
        acts = connection.execute(
            select(schema.audit.c.what, schema.audit.c.by).order_by(schema.audit.c.id)
        ).all()
    assert [act.what for act in acts] == ["publish", "stop-all", "start-all"]
    assert all(act.by for act in acts[1:])


def test_a_paused_journey_holds_its_messages_until_it_is_resumed(open_house: Opened) -> None:
    house = open_house(HELLO)
    assert run("pause", "welcom")[0] == 1
    assert run("pause", "welcome", "--why", "wrong link")[0] == 0
    assert "paused already" in run("pause", "welcome")[1]
    assert house.happens("lead.created") == [], "nobody enters"
    assert run("resume", "welcome")[0] == 0
    key = house.queued_message()
    run("pause", "welcome")
    house.deliveries.attempt(key)
    assert (house.message().state, house.message().reason) == ("held", "journey paused")
    code, told = run("held", "--send", "--all", "--yes")
    assert (code, "dripline resume welcome" in told) == (1, True)
    assert "1 message held meanwhile" in run("resume", "welcome")[1]
    assert run("held", "--send", "--all", "--yes")[0] == 0
    assert house.message().state == "queued"
