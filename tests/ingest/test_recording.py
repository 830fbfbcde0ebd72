from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from dripline.engine.entering import MAX_DEPTH
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused
from dripline.language.plan import Duration
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.schema import events, inbox, journeys, leads, runs
from tests.ingest.journeys import (
    MONDAY,
    EventFilter,
    Exit,
    a_lead,
    a_plan,
    end,
    published,
    run_rows,
    stand_at,
)

NOW = datetime(2026, 1, 5, 9, 0, 1, tzinfo=UTC)


def an_event(name: str, event_id: str = "event-1", at: datetime = MONDAY, **more: Any) -> Event:
    return Event(
        id=event_id,
        lead_id=more.pop("lead_id", "lead-1"),
        name=name,
        properties=more.pop("properties", {}),
        received_at=at,
        **more,
    )


def test_an_event_starts_the_journey_that_it_triggers(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(), a_plan("other", on="order.paid"))
        done = record(connection, an_event("lead.created"), NOW)
    with store.read() as connection:
        [run] = run_rows(connection)
    assert done.new
    assert done.started == (run.id,)
    assert (run.journey, run.trigger_event, run.turn, run.step) == ("welcome", "event-1", 0, None)
    assert (run.started_at, run.last_at, run.wake_wanted, run.wake_done) == (MONDAY, MONDAY, 1, 0)
    assert run.wake_wanted_at == NOW


def test_a_repeated_event_changes_nothing_and_answers_as_before(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(reentry="always"))
        first = record(connection, an_event("lead.created"), NOW)
        end(connection, first.started[0])
        again = record(connection, an_event("lead.created", at=MONDAY + timedelta(days=1)), NOW)
    assert (again.event_id, again.lead_id, again.new, again.started) == ("event-1", "lead-1", False, ())
    with store.read() as connection:
        assert len(run_rows(connection)) == 1
        assert len(connection.execute(select(events)).all()) == 1


def test_an_id_that_belongs_to_another_event_is_refused(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        a_lead(connection, "lead-2")
        record(connection, an_event("order.paid"), NOW)
        for other in (an_event("demo.booked"), an_event("order.paid", lead_id="lead-2")):
            with pytest.raises(Refused, match="event-id-taken"):
                record(connection, other, NOW)


def test_an_event_of_nobody_or_of_an_erased_lead_is_refused(store: Store) -> None:
    with store.write() as connection:
        with pytest.raises(Refused, match="unknown-lead"):
            record(connection, an_event("order.paid"), NOW)
        a_lead(connection)
        connection.execute(update(leads).values(erased_at=MONDAY))
        with pytest.raises(Refused, match="erased-lead"):
            record(connection, an_event("order.paid"), NOW)


def test_an_event_of_a_merged_lead_is_one_of_the_lead_that_it_became(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        a_lead(connection, "lead-2", merged_into="lead-1")
        a_lead(connection, "lead-3", merged_into="lead-2")
        done = record(connection, an_event("order.paid", lead_id="lead-3"), NOW)
        assert done.lead_id == "lead-1"
        again = record(connection, an_event("order.paid", lead_id="lead-2"), NOW)
    assert not again.new


def test_only_runs_that_listen_are_woken_and_each_once(store: Store) -> None:
    patient = a_plan("patient", on="order.paid", waits_for=EventFilter(events=("survey.answered",)))
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(), patient)
        [welcome] = record(connection, an_event("lead.created"), NOW).started
        [other] = record(connection, an_event("order.paid", "event-2"), NOW).started
        stand_at(connection, welcome, "for-the-demo")
        stand_at(connection, other, "for-the-demo")
        for number, minutes in (("3", 1), ("4", 2)):
            booked = an_event("demo.booked", f"event-{number}", MONDAY + timedelta(minutes=minutes))
            done = record(connection, booked, NOW + timedelta(minutes=minutes))
            assert done.woken == (welcome,)
    with store.read() as connection:
        told = connection.execute(select(inbox).order_by(inbox.c.seq)).all()
        [run] = run_rows(connection, id=welcome)
        [untouched] = run_rows(connection, id=other)
    assert [(row.run_id, row.kind, row.event_id, row.taken_in) for row in told] == [
        (welcome, "event", "event-3", None),
        (welcome, "event", "event-4", None),
    ]
    assert run.wake_wanted - run.wake_done == 2
    assert run.wake_wanted_at == NOW + timedelta(minutes=1), "it has wanted waking since the first"
    assert untouched.wake_wanted == untouched.wake_done


@pytest.mark.parametrize(("seats", "woken"), [(8, True), (2, False), (None, False)])
def test_a_filter_that_reads_the_event_alone_is_applied_at_once(
    store: Store, seats: int | None, woken: bool
) -> None:
    picky = EventFilter(events=("demo.booked",), when="event.seats >= 5", event_only=True)
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(waits_for=picky))
        [run] = record(connection, an_event("lead.created"), NOW).started
        stand_at(connection, run, "for-the-demo")
        booked = an_event("demo.booked", "event-2", properties={"seats": seats} if seats else {})
        assert record(connection, booked, NOW).woken == ((run,) if woken else ())


def test_a_filter_that_needs_the_run_or_cannot_be_told_wakes_it(store: Store) -> None:
    needs_run = EventFilter(events=("demo.booked",), when="lead.stage == 'new'", event_only=False)
    broken = Exit(on=EventFilter(events=("order.paid",), when="event.total / 0 > 1"), reason="paid")
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(waits_for=needs_run, exits=(broken,)))
        [run] = record(connection, an_event("lead.created"), NOW).started
        stand_at(connection, run, "for-the-demo")
        assert record(connection, an_event("demo.booked", "event-2"), NOW).woken == (run,)
        paid = an_event("order.paid", "event-3", properties={"total": 9})
        assert record(connection, paid, NOW).woken == (run,)


def test_a_run_listens_for_its_exits_before_its_first_turn(store: Store) -> None:
    way_out = Exit(on=EventFilter(events=("lead.unsubscribed",)), reason="left")
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(exits=(way_out,)))
        [run] = record(connection, an_event("lead.created"), NOW).started
        assert record(connection, an_event("demo.booked", "event-2"), NOW).woken == ()
        assert record(connection, an_event("lead.unsubscribed", "event-3"), NOW).woken == (run,)


def test_a_trigger_condition_sees_the_lead_and_the_event(store: Store) -> None:
    on = EventFilter(events=("order.paid",), when="lead.vip and event.total > 100", event_only=False)
    with store.write() as connection:
        a_lead(connection, "vip", attributes={"vip": True})
        a_lead(connection, "plain", attributes={"vip": False})
        published(connection, a_plan(on=on))
        paid: dict[str, Any] = {"properties": {"total": 250}}
        assert record(connection, an_event("order.paid", "event-1", lead_id="vip", **paid), NOW).started
        assert not record(connection, an_event("order.paid", "event-2", lead_id="plain", **paid), NOW).started
        assert not record(connection, an_event("order.paid", "event-3", lead_id="vip"), NOW).started


def test_a_trigger_that_fails_loses_neither_the_event_nor_other_journeys(store: Store) -> None:
    broken = EventFilter(events=("order.paid",), when="event.total / 0 > 1", event_only=True)
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan("broken", on=broken), a_plan("sound", on="order.paid"))
        with capture_logs() as logs:
            done = record(connection, an_event("order.paid", properties={"total": 1}), NOW)
    with store.read() as connection:
        assert [run.journey for run in run_rows(connection)] == ["sound"]
    assert done.new
    [said] = [line for line in logs if line["event"] == "trigger-failed"]
    assert said["journey"] == "broken"


def test_nobody_enters_a_paused_journey(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan())
        connection.execute(update(journeys).values(paused_at=MONDAY))
        assert record(connection, an_event("lead.created"), NOW).started == ()


def test_history_starts_and_moves_nothing(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(), a_plan("orders", on="order.paid"))
        [run] = record(connection, an_event("lead.created"), NOW).started
        stand_at(connection, run, "for-the-demo")
        for number, name in (("2", "demo.booked"), ("3", "order.paid")):
            done = record(connection, an_event(name, f"event-{number}", historical=True), NOW)
            assert (done.new, done.started, done.woken) == (True, (), ())


@pytest.mark.parametrize(
    ("reentry", "days", "enters"),
    [
        ("never", 400, False),
        ("always", 0, True),
        (Duration(days=30), 29, False),
        (Duration(days=30), 30, True),
        (Duration(months=1), 30, False),
        (Duration(months=1), 31, True),
    ],
)
def test_reentry_is_decided_by_earlier_runs(store: Store, reentry: Any, days: int, enters: bool) -> None:
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(reentry=reentry))
        [run] = record(connection, an_event("lead.created"), NOW).started
        end(connection, run)
        again = record(connection, an_event("lead.created", "event-2", MONDAY + timedelta(days=days)), NOW)
        assert bool(again.started) is enters


def test_an_open_run_bars_another_of_the_same_journey_only(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(reentry="always"))
        assert record(connection, an_event("lead.created"), NOW).started
        published(connection, a_plan("second"))
        started = record(connection, an_event("lead.created", "event-2"), NOW).started
        assert [run.journey for run in run_rows(connection) if run.id in started] == ["second"]


def test_a_chain_of_runs_that_start_one_another_ends_and_says_so(store: Store) -> None:
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(on="order.paid"))
        with capture_logs() as logs:
            done = record(connection, an_event("order.paid", depth=MAX_DEPTH + 1), NOW)
        assert (done.new, done.started) == (True, ())
        assert [(line["event"], line["journey"]) for line in logs] == [("chain-too-long", "welcome")]
        deep = record(connection, an_event("order.paid", "event-2", depth=MAX_DEPTH), NOW)
        [run] = connection.execute(select(runs).where(runs.c.id.in_(deep.started))).all()
        assert run.depth == MAX_DEPTH
