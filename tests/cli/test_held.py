from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from dripline.clock import machine_clock
from dripline.language.plan import Arm, BranchStep
from dripline.providers import Outgoing, Uncertain
from dripline.store import schema
from dripline.store.answers import send_held
from dripline.store.database import Store
from dripline.store.held import Wanted, list_held
from dripline.store.overview import house_clock
from tests.cli.conftest import Opened, run
from tests.durable.house import NOW, House
from tests.engine.plans import email, plan

HELLO = plan(email("hello"))


def stopped(house: House) -> str:
    """A message that the brake held."""
    assert run("stop-all", "--why", "wrong prices")[0] == 0
    key = house.queued_message()
    house.deliveries.attempt(key)
    assert house.message().state == "held"
    return key


def uncertain(house: House) -> str:
    """A message of which nobody knows whether it left."""

    def drop(_message: Outgoing) -> None:
        raise Uncertain("fake.timeout")

    house.email.meanwhile = drop
    key = house.queued_message()
    house.deliveries.attempt(key)
    house.email.meanwhile = lambda _message: None
    assert house.message().state == "uncertain"
    return key


def wanted_wakes(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(
            connection.execute(select(schema.runs).where(schema.runs.c.wake_wanted > schema.runs.c.wake_done))
        )


def test_nothing_waits_in_a_new_house(open_house: Opened) -> None:
    open_house(HELLO)
    assert run("held") == (0, "Nothing waits for a person.\n")
    assert run("held", "--send", "--all") == (0, "Nothing waits for a person.\n")


def test_what_the_brake_held_is_shown_with_its_reason_and_sent_after_a_yes(open_house: Opened) -> None:
    house = open_house(HELLO)
    key = stopped(house)
    code, told = run("held")
    assert code == 0
    assert key[:12] in told
    assert "held: everything is stopped" in told
    assert "ani@example.com" in told
    code, told = run("held", "--send", "--all", "--yes")
    assert (code, "start-all` first" in told) == (1, True), "it would only be held again"
    run("start-all")
    assert run("held", "--send", key[:8], says="n\n")[0] == 1
    assert house.message().state == "held"
    code, told = run("held", "--send", key[:8], says="y\n")
    assert code == 0, told
    assert house.message().state == "queued"
    assert wanted_wakes(house.store)
    house.deliveries.attempt(key)
    assert house.email.sent == [key]
    assert "lets the e-mail hello be sent after all" in run("why", "lead-1")[1]


def test_what_may_have_left_is_never_sent_again_unasked(open_house: Opened) -> None:
    house = open_house(HELLO)
    key = uncertain(house)
    code, told = run("held", "--send", "--all", "--yes")
    assert code == 1
    assert "may give people the same message twice" in told
    assert house.message().state == "uncertain"
    code, told = run("held", "--send", key, says="y\ny\n")
    assert (code, house.message().state) == (0, "queued"), told


def test_saying_that_it_may_double_is_enough_for_a_script(open_house: Opened) -> None:
    house = open_house(HELLO)
    key = uncertain(house)
    code, told = run("held", "--send", key, "--yes", "--may-double")
    assert (code, "may now be sent twice" in told) == (0, True)
    assert house.message().state == "queued"


def test_a_skipped_message_is_never_sent_and_keeps_the_reason(open_house: Opened) -> None:
    house = open_house(HELLO)
    key = stopped(house)
    code, told = run("held", "--skip", key[:10], "--why", "the offer is over", says="y\n")
    assert code == 0, told
    row = house.message()
    assert (row.state, row.reason) == ("skipped", "the offer is over")
    house.deliveries.attempt(key)
    assert house.email.sent == []


def test_what_was_settled_since_the_list_was_made_is_left_alone(open_house: Opened) -> None:
    house = open_house(HELLO)
    key = uncertain(house)
    with house.store.read() as connection:
        [seen] = list_held(connection, house_clock(house.store), Wanted())
    with house.store.write() as connection:
        connection.execute(update(schema.messages).values(accepted_at=NOW))
    with house.store.write() as connection:
        assert send_held(connection, [seen], NOW, machine_clock(), "anna") == set()
    assert house.message().state == "accepted"
    assert key == seen.id


def test_a_message_that_became_uncertain_since_is_not_sent_by_an_answer_given_before(
    open_house: Opened,
) -> None:
    house = open_house(HELLO)
    stopped(house)
    with house.store.read() as connection:
        [seen] = list_held(connection, house_clock(house.store), Wanted())
    with house.store.write() as connection:
        connection.execute(update(schema.messages).values(attempt_id="a1", uncertain_at=machine_clock()))
    with house.store.write() as connection:
        assert send_held(connection, [seen], NOW, machine_clock(), "anna") == set()


def test_filters_and_programs(open_house: Opened) -> None:
    house = open_house(HELLO)
    key = stopped(house)
    assert [one["id"] for one in json.loads(run("held", "--format", "json")[1])] == [key]
    for miss in (["--journey", "other"], ["--reason", "template"], ["--state", "parked"]):
        assert json.loads(run("held", *miss, "--format", "json")[1]) == []
    for hit in (["--journey", "welcome"], ["--reason", "STOPPED"], ["--lead", "lead-1"]):
        assert len(json.loads(run("held", *hit, "--format", "json")[1])) == 1


def test_orders_that_say_too_little_or_too_much_are_refused(open_house: Opened) -> None:
    open_house(HELLO)
    assert run("held", "--send", "--skip", "x")[0] == 1
    assert run("held", "abc")[0] == 1
    assert run("held", "--send")[0] == 1
    assert run("held", "--send", "nobody")[0] == 1
    assert run("held", "--send", "--all", "nobody")[0] == 1


BAD = plan(
    BranchStep(id="fork", arms=(Arm(when="trigger.total > 'x'", to="email:hello"),)),
    email("hello"),
)


def parked(house: House) -> str:
    """A run whose condition cannot be evaluated."""
    [key] = house.happens("lead.created", total=5)
    house.advance(key, NOW)
    assert house.run(key).parked_reason
    with house.store.write() as connection:
        connection.execute(update(schema.runs).values(wake_done=schema.runs.c.wake_wanted))
    return key


def test_a_run_that_stopped_is_shown_and_tries_again(open_house: Opened) -> None:
    house = open_house(BAD)
    key = parked(house)
    told = run("held")[1]
    assert "parked:" in told
    assert "stands at fork" in told
    turn = house.run(key).turn
    code, told = run("runs", "retry", key, says="y\n")
    assert code == 0, told
    assert wanted_wakes(house.store)
    house.advance(key, NOW + timedelta(minutes=1), seen=0)  # a workflow that was started again
    assert house.run(key).turn == turn + 1, "it tried, wherever its workflow believed it to be"
    house.advance(key, NOW + timedelta(minutes=2), seen=0)
    assert house.run(key).turn == turn + 1, "once"


def test_runs_still_lists_runs(open_house: Opened) -> None:
    house = open_house(BAD)
    parked(house)
    assert "for a person to look at" in run("runs", "--open")[1]
    assert run("runs", "retry")[0] == 1
    assert run("runs", "retry", "--all", "--yes")[0] == 0


def test_a_run_that_nobody_will_mend_is_ended(open_house: Opened) -> None:
    house = open_house(BAD)
    key = parked(house)
    assert run("held", "--skip", "--all", "--yes")[0] == 0, "runs are not meant by --all alone"
    assert house.run(key).ended_at is None
    assert run("held", "--skip", "--all", "--state", "parked", "--yes", "--why", "a mistake")[0] == 0
    row = house.run(key)
    assert (row.outcome, row.outcome_reason) == ("operator", "a mistake")
    assert house.advance(key, NOW).ended
