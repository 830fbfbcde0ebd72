"""From queued to settled: what each answer of a provider comes to, and what is asked again before sending."""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from activities.deliver import Later, Settled
from activities.gate import Gate
from activities.sweep import Patience, Sweeper
from dripline.language.plan import DelayStep, Duration, EventFilter, Exit, WaitForStep
from dripline.providers import (
    DeliveryReport,
    NotAccepted,
    Outgoing,
    PermanentFailure,
    ProviderError,
    Uncertain,
)
from dripline.store import messages, schema, suppressions
from dripline.store.database import Store
from dripline.store.house import open_house, set_stopped
from dripline.store.overview import count_refused, list_messages
from dripline.story import tell
from tests.durable.house import NOW, House
from tests.engine.plans import email, on, plan

HELLO = plan(email("hello"))
RECEIPT = plan(email("hello", transactional=True, topic=None))


def failing(problem: ProviderError) -> Any:
    def meanwhile(message: Outgoing) -> None:
        raise problem

    return meanwhile


def test_an_accepted_message_is_settled_and_keeps_what_left(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    assert house.deliveries.attempt(key) is Settled.YES
    row = house.message()
    assert (row.state, row.recipient, row.sender, row.attempts) == (
        "accepted",
        "ani@example.com",
        "hello@example.com",
        1,
    )
    assert row.provider_id == f"id-{key[:8]}"
    assert "Hello" in row.body


def test_a_message_not_accepted_is_queued_again_for_when_the_provider_said(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    house.email.meanwhile = failing(NotAccepted("fake.rate-limited", retry_after=7.0))
    assert house.deliveries.attempt(key) == Later("fake.rate-limited", 7.0)
    assert house.message().state == "queued"
    with store.read() as connection:
        assert count_refused(connection) == 1
    house.email.meanwhile = lambda message: None
    assert house.deliveries.attempt(key) is Settled.YES
    assert (house.message().state, house.message().attempts) == ("accepted", 2)


def test_a_permanent_failure_is_final_and_says_why(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    house.email.meanwhile = failing(PermanentFailure("fake.bad-address"))
    assert house.deliveries.attempt(key) is Settled.YES
    assert house.deliveries.attempt(key) is Settled.YES
    assert (house.message().state, house.message().reason) == ("failed", "fake.bad-address")
    assert house.email.sent == [key]


@pytest.mark.parametrize(
    "problem", [NotAccepted("fake.key"), PermanentFailure("fake.key"), Uncertain("fake.key")]
)
def test_what_a_provider_does_not_take_is_in_the_log_without_the_lead(
    store: Store, problem: ProviderError
) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    house.email.meanwhile = failing(problem)
    with capture_logs() as lines:
        house.deliveries.attempt(key)
    [line] = [line for line in lines if line["log_level"] == "warning"]
    assert (line["message"], line["provider"], line["code"]) == (key, "fake", "fake.key")
    assert "ani" not in str(line)


def test_the_story_tells_of_a_message_that_the_provider_does_not_take(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    house.email.meanwhile = failing(NotAccepted("fake.unauthorized"))
    house.deliveries.attempt(key)
    told = "the e-mail hello has not left yet: fake.unauthorized; it is tried again"
    assert told in _story(store)
    house.email.meanwhile = lambda message: None
    house.deliveries.attempt(key)
    assert told not in _story(store)


def _story(store: Store) -> list[str]:
    with store.read() as connection:
        lead = connection.execute(select(schema.leads)).one()
        return [entry.text for entry in tell(connection, lead, open_house(connection).clock, UTC).entries]


def test_local_attempts_stop_while_the_provider_is_unwell_and_come_back_with_it(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    house.email.meanwhile = failing(NotAccepted("fake.down"))
    for _ in range(3):
        house.deliveries.attempt(key, local=True)
    assert house.deliveries.attempt(key, local=True) == Later("breaker-open")
    house.email.meanwhile = lambda message: None
    assert house.deliveries.attempt(key) is Settled.YES
    assert len(house.email.sent) == 4


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"consent": {}}, "no consent for email"),
        ({"topics": {"newsletter": False}}, "left the topic newsletter"),
        ({"email": None}, "no e-mail address"),
        ({"erased_at": NOW}, "lead erased"),
    ],
)
def test_the_lead_s_will_is_asked_again_at_the_moment_of_sending(
    store: Store, change: dict[str, Any], reason: str
) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    with store.write() as connection:
        connection.execute(update(schema.leads).values(**change))
    assert house.deliveries.attempt(key) is Settled.YES
    assert (house.message().state, house.message().reason) == ("skipped", reason)
    assert house.email.sent == []


def test_a_message_of_a_run_that_was_left_by_an_exit_is_not_sent(store: Store) -> None:
    leaving = plan(
        email("hello", next="wait"),
        WaitForStep(id="wait", on=on("visit")),
        exits=(Exit(on=EventFilter(events=("lead.unsubscribed",)), reason="unsubscribed"),),
    )
    house = House(store, leaving)
    [run] = house.happens("lead.created")
    key = house.advance(run, NOW).deliver[0].message
    house.happens("lead.unsubscribed")
    house.advance(run, NOW)
    house.deliveries.attempt(key)
    assert (house.message().state, house.message().reason) == ("skipped", "run left by exit")


def test_a_suppressed_address_is_not_written_to(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    with store.write() as connection:
        hashed = open_house(connection).address_hash("email", "Ani@Example.com")
        suppressions.suppress(connection, "email", hashed, "complained", NOW)
    house.deliveries.attempt(key)
    assert house.message().reason == "suppressed: complained"


def test_while_everything_is_stopped_messages_are_held_not_lost(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()
    with store.write() as connection:
        set_stopped(connection, NOW)
    house.deliveries.attempt(key)
    assert (house.message().state, house.message().reason) == ("held", "everything is stopped")
    with store.read() as connection:
        assert [row.id for row in list_messages(connection, state="held")[0]] == [key]
        assert list_messages(connection, state="accepted") == ([], False)
    with store.write() as connection:
        set_stopped(connection, None)
        assert messages.requeue(connection, key, NOW)
    house.deliveries.attempt(key)
    assert house.message().state == "accepted"


def test_outside_production_only_the_list_is_messaged(store: Store) -> None:
    house = House(store, HELLO, gate=Gate(lambda channel, address: address.endswith("@example.org")))
    key = house.queued_message()
    house.deliveries.attempt(key)
    assert house.message().state == "skipped"
    assert house.email.sent == []


def test_a_sender_in_its_warm_up_sends_no_more_than_its_daily_limit(store: Store) -> None:
    again = plan(email("hello"), trigger=HELLO.trigger.model_copy(update={"reentry": "always"}))
    house = House(store, again, gate=Gate(lambda channel, address: True, lambda sender: 1))
    results = []
    for _ in range(2):
        [run] = house.happens("lead.created")
        results.append(house.deliveries.attempt(house.advance(run, NOW).deliver[0].message))
    assert results == [Settled.YES, Later("warm-up", 60.0)]
    house.clock.offset = timedelta(hours=25)
    waiting = next(row.id for row in house.messages() if row.state == "queued")
    assert house.deliveries.attempt(waiting) is Settled.YES


def test_a_lead_that_gets_far_too_much_pauses_the_journey(store: Store) -> None:
    again = plan(email("hello"), trigger=HELLO.trigger.model_copy(update={"reentry": "always"}))
    house = House(store, again)
    for _ in range(21):
        [run] = house.happens("lead.created")
        last = house.advance(run, NOW).deliver[0].message
    house.deliveries.attempt(last)
    states = {row.id: (row.state, row.reason) for row in house.messages()}
    assert states[last] == ("held", "journey paused")
    assert house.happens("lead.created") == []


def test_a_template_that_lacks_a_value_holds_the_message_for_a_person(store: Store) -> None:
    body = {"en": HELLO.templates["email:hello"]["en"].model_copy(update={"body": "{{ lead.nick }}"})}
    house = House(store, plan(email("hello"), templates={"email:hello": body}))
    key = house.queued_message()
    house.deliveries.attempt(key)
    assert house.message().state == "held"
    assert house.message().reason.startswith("template: ")
    assert house.email.sent == []


# -- what is uncertain ---------------------------------------------------------------------------------------


def uncertain(house: House) -> str:
    key = house.queued_message()
    house.email.meanwhile = failing(Uncertain("fake.dropped"))
    assert house.deliveries.attempt(key) is Settled.YES
    assert house.message().state == "uncertain"
    house.email.meanwhile = lambda message: None
    return key


def sweeper(house: House, **patience: Any) -> Sweeper:
    return Sweeper(house.store, {"email": house.email}, Patience(**patience), house.clock)


def test_an_uncertain_message_is_never_sent_again_by_itself(store: Store) -> None:
    house = House(store, HELLO)
    key = uncertain(house)
    assert house.deliveries.attempt(key) is Settled.YES
    assert sweeper(house).sweep() == 0
    assert house.email.sent == [key]


def test_an_uncertain_marketing_message_is_held_for_a_person_in_the_end(store: Store) -> None:
    house = House(store, HELLO)
    uncertain(house)
    house.clock.offset = timedelta(minutes=16)
    assert sweeper(house).sweep() == 1
    assert (house.message().state, house.message().reason) == ("held", "uncertain: fake.dropped")


def test_an_uncertain_transactional_message_is_sent_again_in_the_end(store: Store) -> None:
    house = House(store, RECEIPT)
    key = uncertain(house)
    house.clock.offset = timedelta(minutes=16)
    assert sweeper(house).sweep() == 1
    row = house.run(house.message().run_id)
    assert row.wake_wanted > row.wake_done
    standing = house.advance(row.id, NOW)
    assert [delivery.message for delivery in standing.deliver] == [key]
    assert standing.ended
    house.deliveries.attempt(key)
    assert house.message().state == "accepted"


def test_the_provider_s_own_records_settle_what_is_uncertain(store: Store) -> None:
    house = House(store, HELLO)
    key = uncertain(house)
    house.email.records[key] = "SM1"
    assert sweeper(house).sweep() == 1
    assert (house.message().state, house.message().provider_id) == ("accepted", "SM1")


def test_a_late_webhook_settles_even_what_is_held(store: Store) -> None:
    house = House(store, HELLO)
    key = uncertain(house)
    house.clock.offset = timedelta(minutes=16)
    sweeper(house).sweep()
    with store.write() as connection:
        messages.record_report(connection, DeliveryReport(key, "delivered", NOW), NOW)
    assert house.message().state == "delivered"


def test_an_attempt_lost_in_a_crash_is_uncertain_once_its_lease_is_over(store: Store) -> None:
    house = House(store, HELLO)
    key = house.queued_message()

    class PowerCut(BaseException):
        pass

    house.email.meanwhile = failing(PowerCut())  # type: ignore[arg-type]
    with pytest.raises(PowerCut):
        house.deliveries.attempt(key)
    assert house.message().state == "sending"
    assert isinstance(house.deliveries.attempt(key), Later)
    house.clock.offset = timedelta(seconds=31)
    assert house.deliveries.attempt(key) is Settled.YES
    assert house.message().state == "uncertain"


def test_an_attempt_lost_with_a_provider_that_knows_our_keys_is_made_again(store: Store) -> None:
    house = House(store, HELLO)
    house.email.repeatable = True
    key = house.queued_message()

    class PowerCut(BaseException):
        pass

    house.email.meanwhile = failing(PowerCut())  # type: ignore[arg-type]
    with pytest.raises(PowerCut):
        house.deliveries.attempt(key)
    house.email.meanwhile = lambda message: None
    house.clock.offset = timedelta(seconds=31)
    assert isinstance(house.deliveries.attempt(key), Later)
    assert house.deliveries.attempt(key) is Settled.YES
    assert house.message().state == "accepted"


# -- what nobody moves any more ------------------------------------------------------------------------------


def test_the_sweep_wakes_runs_that_are_overdue(store: Store) -> None:
    house = House(store, plan(DelayStep(id="rest", duration=Duration(days=1))))
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    with store.write() as connection:
        connection.execute(update(schema.runs).values(wake_done=schema.runs.c.wake_wanted))
    assert sweeper(house).sweep() == 1
    assert house.run(run).wake_wanted > house.run(run).wake_done


def test_the_sweep_wakes_runs_whose_messages_make_no_progress(store: Store) -> None:
    house = House(store, HELLO)
    house.queued_message()
    assert sweeper(house).sweep() == 0
    house.clock.offset = timedelta(minutes=6)
    assert sweeper(house).sweep() == 1
    assert sweeper(house).sweep() == 0
