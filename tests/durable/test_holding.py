"""Messages that wait, in the store: spread, expiry at the last moment, the throttle's line, who goes first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from activities.deliver import Later
from dripline.clock import HouseClock, machine_clock
from dripline.language.plan import DelayStep, Duration, Hours, Limit, Plan, UnenrollStep
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.house import set_clock
from dripline.store.leads import add_lead
from dripline.store.overview import house_clock
from dripline.story import standing as stands
from dripline.story import tell
from tests.durable.house import NOW, House
from tests.engine.plans import email, plan

EVENING = NOW + timedelta(hours=13)
MORNING = NOW + timedelta(days=1)
NIGHT = Hours(start=21 * 60, end=9 * 60)
LATER = DelayStep(id="rest", duration=Duration(seconds=13 * 3600), next="email:hello")


def test_a_held_run_rests_until_the_morning_and_its_wake_up_is_spread(store: Store) -> None:
    house = House(store, plan(LATER, email("hello", quiet_hours=NIGHT)))
    [run] = house.happens("lead.created")
    assert house.advance(run, NOW).until == EVENING.timestamp()
    standing = house.advance(run, EVENING)
    assert standing.until is not None
    assert 0 < standing.until - MORNING.timestamp() < 300
    assert (house.run(run).step, house.run(run).until) == ("email:hello", MORNING)
    assert stands(house.run(run), UTC) == "holds email:hello until 2026-01-06 09:00"
    assert house.advance(run, EVENING, seen=standing.turn - 1).until == standing.until
    woken = house.advance(run, datetime.fromtimestamp(standing.until, tz=UTC))
    assert woken.ended
    assert house.message().queued_at == MORNING
    clock = house_clock(store)
    with store.read() as connection:
        lead = connection.execute(select(schema.leads)).one()
        told = [entry.text for entry in tell(connection, lead, clock, UTC).entries]
    assert "holds the e-mail hello until 2026-01-06 09:00: quiet hours" in told


def test_a_message_that_has_expired_when_its_lease_is_taken_is_not_sent(store: Store) -> None:
    house = House(store, plan(email("hello", expires=Duration(days=1))))
    message = house.queued_message()
    house.deliveries.attempt(message)
    assert house.email.sent == []
    row = house.message()
    assert (row.state, row.reason, row.expires_at) == ("skipped", "expired", NOW + timedelta(days=1))


def test_a_message_that_is_still_here_when_the_night_begins_waits_for_the_morning(store: Store) -> None:
    now = machine_clock()
    minute = now.hour * 60 + now.minute
    quiet = Hours(start=(minute - 60) % 1440, end=(minute + 120) % 1440)
    house = House(store, plan(email("hello")), plan(email("hello", quiet_hours=quiet), journey="quiet"))
    house.happens("lead.created")
    runs = _runs(store)
    for run in runs:
        house.advance(run, now + timedelta(hours=3))
    later = [house.deliveries.attempt(row.id) for row in house.messages() if row.journey == "quiet"]
    [closed] = later
    assert isinstance(closed, Later)
    assert closed.code == "closed"
    assert closed.seconds is not None
    assert 3600 < closed.seconds < 7200 + 300
    assert house.email.sent == []


def test_where_days_are_short_a_message_is_as_late_as_it_really_is(store: Store) -> None:
    """It was due a second ago, which is 80 hours of the journeys."""
    night = Hours(start=10 * 60, end=9 * 60)
    house = House(store, plan(email("hello", quiet_hours=night, expires=Duration(seconds=3600))))
    message = house.queued_message()
    a_second_ago = machine_clock() - timedelta(seconds=1)
    with store.write() as connection:
        set_clock(connection, HouseClock(a_second_ago, NOW, rate=86400 / 0.3))
    house.deliveries.attempt(message)
    assert house.message().state == "accepted"


def _runs(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(schema.runs.c.id)).scalars())


def test_leads_stand_in_line_in_the_throttle(store: Store) -> None:
    house = House(store, plan(email("hello"), throttle=Limit(count=2, per=Duration(seconds=3600))))
    with store.write() as connection:
        for number in (2, 3):
            add_lead(connection, f"lead-{number}", {"email": f"l{number}@example.com"}, NOW)
        connection.execute(update(schema.leads).values(consent={"email": True}))
    [first] = house.happens("lead.created")
    runs = [first, *_clones(store, first, 2)]
    untils = [house.advance(run, NOW).until for run in runs]
    assert untils == [None, (NOW + timedelta(minutes=30)).timestamp(), (NOW + timedelta(hours=1)).timestamp()]
    for number, run in enumerate(runs):
        house.advance(run, NOW + timedelta(minutes=30 * number))
    assert [row.queued_at for row in house.messages()] == [NOW + timedelta(minutes=30 * n) for n in range(3)]


def _clones(store: Store, run: str, count: int) -> list[str]:
    """The same run, untaken, for the other leads."""
    with store.write() as connection:
        row = connection.execute(select(schema.runs).where(schema.runs.c.id == run)).one()
        for number in range(2, count + 2):
            values = {**row._mapping, "id": f"run-{number}", "lead_id": f"lead-{number}"}
            connection.execute(schema.runs.insert().values(**values))
    return [f"run-{number}" for number in range(2, count + 2)]


def _competing(journey: str, priority: int) -> Plan:
    once = Limit(count=1, per=Duration(days=7))
    return plan(email("hello", limit=once), journey=journey, priority=priority)


def test_of_messages_due_at_one_instant_the_higher_priority_takes_the_place(store: Store) -> None:
    house = House(store, _competing("low", 10), _competing("high", 90), _competing("middle", 50))
    house.happens("lead.created")
    with store.read() as connection:
        rows = connection.execute(select(schema.runs)).all()
    by_journey = {row.journey: row.id for row in rows}
    house.advance(by_journey["low"], NOW)
    states = {row.journey: row.state for row in house.messages()}
    assert states == {"high": "queued", "middle": "skipped", "low": "skipped"}
    high = house.run(by_journey["high"])
    assert high.wake_wanted > high.wake_done  # its own workflow delivers what it queued
    assert [one.journey for one in house.advance(by_journey["high"], NOW, seen=0).deliver] == ["high"]


def test_a_run_that_one_of_higher_priority_ends_at_that_instant_takes_no_turn(store: Store) -> None:
    ending = UnenrollStep(id="unenroll:low", journey="low", next="email:hello")
    high = plan(ending, email("hello"), journey="high", priority=90)
    house = House(store, _competing("low", 10), high)
    house.happens("lead.created")
    with store.read() as connection:
        [low] = connection.execute(select(schema.runs.c.id).where(schema.runs.c.journey == "low")).scalars()
    assert house.advance(low, NOW).ended
    assert house.run(low).outcome == "unenrolled"
    assert {row.journey: row.state for row in house.messages()} == {"high": "queued"}


def test_nobody_waits_for_a_message_that_is_due_later(store: Store) -> None:
    high = plan(
        DelayStep(id="rest", duration=Duration(seconds=60), next="email:hello"),
        email("hello", limit=Limit(count=1, per=Duration(days=7))),
        journey="high",
        priority=90,
    )
    house = House(store, _competing("low", 10), high)
    house.happens("lead.created")
    for run in _runs(store):
        house.advance(run, NOW)
    assert {row.journey: row.state for row in house.messages()} == {"low": "queued"}


def test_a_run_of_the_control_group_stays_in_it_and_sends_nothing(store: Store) -> None:
    house = House(store, plan(email("hello"), holdout=100))
    [run] = house.happens("lead.created")
    assert house.advance(run, NOW).deliver == []
    assert house.run(run).holdout
    assert stands(house.run(run), UTC) == "finished (control group)"
    assert (house.message().state, house.message().reason) == ("skipped", "holdout")
