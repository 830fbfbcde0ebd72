"""Deliveries that double, and a sweep that one provider can hold up."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import update

from activities.deliver import Deliveries, Settled
from activities.gate import Gate
from activities.sweep import Patience, Sweeper
from dripline.language.plan import DelayStep, Duration
from dripline.providers import DeliveryReport, Outgoing, Uncertain
from dripline.store import messages, schema
from dripline.store.database import Store
from tests.durable.house import NOW, FakeProvider, House, Thread
from tests.durable.test_delivery import HELLO, RECEIPT, failing
from tests.engine.plans import plan


class PowerCut(BaseException):
    pass


def test_an_attempt_lost_with_one_provider_is_not_repeated_by_another(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    house.email.meanwhile = failing(PowerCut())  # type: ignore[arg-type]
    with pytest.raises(PowerCut):
        house.deliveries.attempt(key)  # "fake", which is not repeatable, may have it
    mailbox = FakeProvider("email")
    mailbox.name, mailbox.repeatable = "mailbox", True  # the operator changes the provider and restarts
    restarted = Deliveries(
        store,
        {"email": mailbox, "sms": house.sms},
        Gate(lambda channel, address: True),
        clock=house.clock,
    )
    house.clock.offset = timedelta(seconds=31)
    restarted.attempt(key)
    restarted.attempt(key)
    assert mailbox.sent == []
    assert house.message().state == "uncertain"


def test_an_uncertain_transactional_message_is_not_sent_again_without_end(store: Store) -> None:
    house = House(store, RECEIPT)
    key = house.queued_message()
    house.email.meanwhile = failing(Uncertain("fake.http-500"))  # takes it, and answers 500
    for quarter in range(1, 11):
        house.deliveries.attempt(key)
        house.clock.offset = timedelta(minutes=16 * quarter)
        Sweeper(store, {"email": house.email}, Patience(), house.clock).sweep()
    assert len(house.email.sent) <= 3, f"the lead may have {len(house.email.sent)} copies"


def test_a_provider_whose_records_hang_does_not_keep_the_sweep_from_overdue_runs(store: Store) -> None:
    resting = plan(DelayStep(id="rest", duration=Duration(days=1)), journey="resting")
    house = House(store, HELLO, resting)
    runs = house.happens("lead.created")
    for run in runs:
        house.advance(run, NOW)
    house.email.meanwhile = failing(Uncertain("fake.dropped"))
    assert house.deliveries.attempt(house.message().id) is Settled.YES
    with store.write() as connection:
        connection.execute(update(schema.runs).values(wake_done=schema.runs.c.wake_wanted))
    [overdue] = [run for run in runs if house.run(run).journey == "resting"]
    looking, go_on = threading.Event(), threading.Event()

    class Slow(FakeProvider):
        def find(self, message: Outgoing, since: object, known: frozenset[str]) -> str | None:
            looking.set()
            go_on.wait(20)
            return None

    sweep = Thread("sweep", Sweeper(store, {"email": Slow()}, Patience(), house.clock).sweep)
    assert looking.wait(10)
    sweep.join(2)
    woken = house.run(overdue).wake_wanted > house.run(overdue).wake_done
    go_on.set()
    sweep.done()
    assert woken


def test_a_provider_whose_records_are_away_is_asked_once_a_sweep(store: Store) -> None:
    house = House(store, *[plan(*HELLO.steps, journey=f"j{n}") for n in range(10)])
    for run in house.happens("lead.created"):
        house.advance(run, NOW)
    house.email.meanwhile = failing(Uncertain("fake.dropped"))
    for row in house.messages():
        house.deliveries.attempt(row.id)
    asked = []

    class Away(FakeProvider):
        def find(self, message: Outgoing, since: object, known: frozenset[str]) -> str | None:
            asked.append(message.key)  # each costs `http_timeout`, 10 s, with Twilio
            raise Uncertain("fake.list-unavailable")

    Sweeper(store, {"email": Away()}, Patience(), house.clock).sweep()
    assert len(asked) <= 3, f"{len(asked)} time-outs of 10 s in an activity of 2 minutes"


def test_our_own_commit_keeps_the_reason_of_a_bounce_that_came_before_it(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()

    def report(message: Outgoing) -> None:
        with store.write() as connection:
            said = DeliveryReport(message.key, "bounced", NOW, "p-1", "sendgrid.bounced.5.1.1")
            messages.record_report(connection, said, NOW)

    house.email.meanwhile = report
    house.deliveries.attempt(key)
    assert (house.message().state, house.message().reason) == ("bounced", "sendgrid.bounced.5.1.1")
