"""Moving runs to another plan: against events and turns at the same moment, through a kill, and on real Temporal."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from temporalio.client import Client

from activities.sweep import Patience, Sweeper
from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.plan import DelayStep, Duration, Plan, StopStep, WaitForStep, WebhookStep
from dripline.language.workspace import Workspace
from dripline.publishing.moving import Mover
from dripline.settings import Settings
from dripline.store import outbox, schema
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import add_lead
from dripline.store.publications import GRACE, Wish, begin, find_publication, open_publications
from dripline.waker import Waker
from tests.durable.house import NOW, House, Thread, paused_at
from tests.engine.plans import email, on, plan
from tests.temporal_server import TemporalServer
from worker import build_workers

ROOT = Path(__file__).parents[2]
DAYS = timedelta(days=1)


def resting(days: int = 5, seconds: int = 0, **more: Any) -> Plan:
    """A message, a rest, another message."""
    return plan(
        email("hello", next="rest"),
        DelayStep(id="rest", duration=Duration(days=days, seconds=seconds), next="email:offer"),
        email("offer"),
        **more,
    )


def waiting(*events: str, then: str = "came") -> Plan:
    """A message, and a wait for events."""
    return plan(
        email("hello", next="wait"),
        WaitForStep(id="wait", on=on(*events), timeout=Duration(days=3), then=then),
        StopStep(id=then, reason=then),
    )


def published(
    house: House, new: Plan, in_flight: str = "move", said: Mapping[str, str] | None = None
) -> Mover:
    """Publish the plan, and return who moves the runs."""
    with house.store.write() as connection:
        now = house.clock()
        before = connection.execute(select(schema.journeys.c.plan_hash)).scalar_one()
        number = begin(connection, Wish(new, before, in_flight=in_flight, said=said), now, now)
        publication = find_publication(connection, number or 0)
        assert publication is not None
    return Mover(house.store, publication, house.clock)


def entered(house: House, ago: timedelta = 1 * DAYS) -> str:
    """Let the lead in so long ago, and take its turns until now."""
    begun = house.clock() - ago
    [run] = house.happens("lead.created", begun)
    house.advance(run, begun)
    house.advance(run, house.clock())
    return run


def sweep(house: House) -> None:
    Sweeper(house.store, {}, Patience(), clock=house.clock).sweep()


def test_an_event_at_the_moment_of_the_move_is_taken_by_the_new_plan(store: Store) -> None:
    house = House(store, waiting("visit"))
    run = entered(house)
    mover = published(house, waiting("demo"))
    with paused_at(store, "move", "UPDATE runs") as (reached, go_on):
        move = Thread("move", lambda: mover.bring(run))
        assert reached.wait(10)
        event = Thread("event", lambda: house.happens("demo", house.clock()))
        event.join(0.3)
        assert event.is_alive(), "the event did not wait for the move"
        go_on.set()
        move.done()
        event.done()
    house.advance(run, house.clock())
    assert house.run(run).outcome_reason == "came"


def test_a_move_at_the_moment_of_a_turn_finds_the_run_where_the_turn_put_it(store: Store) -> None:
    house = House(store, resting(days=1))
    run = entered(house, 1 * DAYS - timedelta(minutes=1))
    mover = published(house, resting(days=9))
    later = house.clock() + timedelta(minutes=2)
    with paused_at(store, "turn", "UPDATE runs") as (reached, go_on):
        turn = Thread("turn", lambda: house.advance(run, later))
        assert reached.wait(10)
        move = Thread("move", lambda: mover.bring(run))
        move.join(0.3)
        assert move.is_alive(), "the move did not wait for the turn"
        go_on.set()
        turn.done()
        assert move.done() is None, "the run has ended"
    assert [row.template for row in house.messages()] == ["hello", "offer"]


def test_what_came_before_the_wait_listened_for_it_counts_after_the_move(store: Store) -> None:
    house = House(store, waiting("visit"))
    run = entered(house)
    house.happens("demo", house.clock() - timedelta(hours=3))
    mover = published(house, waiting("demo"))
    mover.carry_out()
    row = house.run(run)
    assert row.wake_wanted > row.wake_done
    house.advance(run, house.clock())
    assert house.run(run).outcome_reason == "came"


def test_a_run_at_a_removed_step_goes_on_where_it_was_said_by_itself(store: Store) -> None:
    house = House(store, resting())
    run = entered(house)
    new = plan(email("hello", next="email:offer"), email("offer"))
    published(house, new, said={"rest": "email:offer"}).carry_out()
    again = house.advance(run, house.clock(), seen=0)  # a workflow that was started from nothing
    assert again.until is not None, "it asks again at once, and then takes the turn"
    house.advance(run, house.clock(), seen=again.turn)
    assert [row.template for row in house.messages()] == ["hello", "offer"]
    assert house.run(run).outcome == "finished"


def test_a_run_that_waits_for_an_answer_still_gets_it(store: Store) -> None:
    def asking(title: str) -> Plan:
        hook = WebhookStep(
            id="ask", url="https://example.com", method="POST", result="said", next="email:hello"
        )
        return plan(hook, email("hello"), title=title)

    house = House(store, asking("one"))
    run = entered(house)
    published(house, asking("two")).carry_out()
    row = house.run(run)
    assert (row.step, row.until) == ("ask", None)
    with store.write() as connection:
        asked = connection.execute(select(schema.outbox)).one()
        assert outbox.answer(connection, asked, {"ok": True}, house.clock(), house.clock())
    house.advance(run, house.clock())
    assert house.message().template == "hello"


def test_who_waits_for_an_answer_and_goes_on_elsewhere_asks_no_more(store: Store) -> None:
    hook = WebhookStep(id="ask", url="https://example.com", method="POST", next="email:hello")
    house = House(store, plan(hook, email("hello")))
    run = entered(house)
    published(house, plan(email("hello")), said={"ask": "email:hello"}).carry_out()
    with store.read() as connection:
        assert outbox.open_of_run(connection, run) == []


def test_nobody_is_woken_again_and_again_for_an_answer_that_an_ended_run_waited_for(store: Store) -> None:
    hook = WebhookStep(id="ask", url="https://example.com", method="POST", next="email:hello")
    house = House(store, plan(hook, email("hello")))
    run = entered(house)
    published(house, plan(email("hello")), "exit").carry_out()
    told = house.run(run).wake_wanted
    for _ in range(2):
        house.clock.offset += timedelta(minutes=6)
        sweep(house)
    assert house.run(run).wake_wanted == told
    with store.read() as connection:
        assert outbox.open_of_run(connection, run) == []


def test_a_run_parked_by_a_mistake_goes_on_by_the_plan_that_mends_it(store: Store) -> None:
    def deciding(condition: str) -> Plan:
        return plan(email("hello", next="email:offer"), email("offer", condition=condition))

    house = House(store, deciding("1 / lead.score > 0"))
    run = entered(house)
    assert house.run(run).parked_reason
    published(house, deciding("lead.score == 0")).carry_out()
    row = house.run(run)
    assert (row.parked_reason, row.wake_wanted > row.wake_done) == (None, True)
    house.advance(run, house.clock())
    assert [row.template for row in house.messages()] == ["hello", "offer"]


def test_who_enters_by_the_old_plan_after_the_pass_is_moved_by_a_later_sweep(store: Store) -> None:
    house = House(store, resting())
    first = house.run(entered(house)).plan_hash
    mover = published(house, resting(days=2))
    mover.carry_out()
    [late] = another_enters(house)
    with store.write() as connection:
        connection.execute(schema.runs.update().where(schema.runs.c.id == late).values(plan_hash=first))
    sweep(house)
    assert house.run(late).plan_hash != first
    with store.read() as connection:
        assert open_publications(connection), "another may come yet"
    house.clock.offset = GRACE + timedelta(seconds=1)
    sweep(house)
    with store.read() as connection:
        assert not open_publications(connection)


def another_enters(house: House, number: int = 2) -> tuple[str, ...]:
    """Another lead comes in; its run."""
    with house.store.write() as connection:
        values = {"email": f"lead{number}@example.com", "timezone": "UTC", "consent": {"email": True}}
        add_lead(connection, f"lead-{number}", values, NOW)
        event = Event(f"created-{number}", f"lead-{number}", "lead.created", {}, house.clock())
        return record(connection, event, house.clock()).started


def test_who_carries_out_a_publication_stops_when_the_next_one_comes(store: Store) -> None:
    house = House(store, resting())
    old = house.run(entered(house)).plan_hash
    mover = published(house, resting(days=2))
    published(house, resting(), "keep")  # rolled back, while the leads are still being moved
    [late] = another_enters(house)
    assert mover.carry_out()
    assert mover.superseded
    with store.read() as connection:
        follow = set(connection.execute(select(schema.runs.c.plan_hash)).scalars())
    assert house.run(late).plan_hash == old
    assert follow == {old}


def test_nobody_who_entered_a_journey_that_was_published_again_is_ended_by_its_retirement(
    store: Store,
) -> None:
    house = House(store, resting())
    with store.write() as connection:
        now = house.clock()
        retire = Wish(resting(), resting().hash, in_flight="exit", what="retire")
        publication = find_publication(connection, begin(connection, retire, now, now) or 0)
        assert publication is not None
    published(house, resting(), "keep")
    run = entered(house)
    Mover(house.store, publication, house.clock).carry_out()
    assert house.run(run).ended_at is None


KILLED = """
import sys
from dripline.clock import machine_clock
from dripline.publishing.moving import Mover
from dripline.store.database import Store
from dripline.store.publications import open_publications

store = Store(sys.argv[1])
with store.read() as connection:
    [publication] = open_publications(connection)
Mover(store, publication, machine_clock).carry_out()
"""


def test_what_a_killed_publisher_left_is_finished_by_the_sweep_and_nobody_is_moved_twice(
    store: Store, store_url: str
) -> None:
    house = House(store, resting())
    for number in range(2, 252):
        [run] = another_enters(house, number)
        house.advance(run, house.clock())
    published(house, resting(days=2))
    publisher = subprocess.Popen([sys.executable, "-c", KILLED, store_url], cwd=ROOT)
    give_up = time.monotonic() + 30
    while moved(store) < 20 and time.monotonic() < give_up:
        time.sleep(0.01)
    os.kill(publisher.pid, signal.SIGKILL)
    publisher.wait()
    half = moved(store)
    assert 0 < half < 250, "it was killed too early or too late"
    sweep(house)
    assert moved(store) == 250
    with store.read() as connection:
        notes = select(func.count()).where(schema.step_log.c.what == "moved")
        assert connection.execute(notes).scalar_one() == 250
        plans = connection.execute(select(schema.runs.c.plan_hash).distinct()).scalars().all()
    assert plans == [resting(days=2).hash]


def moved(store: Store) -> int:
    with store.read() as connection:
        query = select(func.count()).where(schema.runs.c.plan_hash == resting(days=2).hash)
        return connection.execute(query).scalar_one()


@pytest.mark.temporal
async def test_a_run_asleep_on_temporal_wakes_when_its_wait_is_made_shorter(
    store: Store, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    workspace = Workspace.model_validate({"timezone": "UTC", "locales": ["en"]})
    house = House(store, resting(days=30))
    client = await Client.connect(temporal_server.address)
    workers = build_workers(client, Settings(workspace=tmp_path), store, workspace)
    running = [asyncio.create_task(worker.run()) for worker in workers]
    waker = asyncio.create_task(Waker(store, client).run())
    try:
        [run] = house.happens("lead.created", machine_clock())
        await until(lambda: house.run(run).wait is not None)
        await asyncio.sleep(1)  # its workflow is asleep by now
        mover = published(house, resting(days=0, seconds=3))
        await asyncio.to_thread(mover.carry_out)
        assert mover.fates.keys() <= {"sooner", "at-once"}
        await until(lambda: house.run(run).outcome == "finished")
    finally:
        waker.cancel()
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*running, waker, return_exceptions=True)
    assert [row.template for row in house.messages()] == ["hello", "offer"]


async def until(condition: Any) -> None:
    give_up = time.monotonic() + 30
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < give_up, "it did not happen"
        await asyncio.sleep(0.1)
