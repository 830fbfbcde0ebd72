"""A campaign the whole way: real workflow, real workers, real waker; and a schedule that Temporal lets come round."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from temporalio.client import Client

from dripline.clock import HouseClock, machine_clock
from dripline.ingest.campaigns.starting import resume_campaign
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.house import set_clock
from dripline.waker import Waker
from dripline.wire import campaign_workflow_id
from tests.ingest.test_campaigns import SQLITE, START, WORKSPACE, Town, by_calendar
from tests.temporal_server import TemporalServer
from worker import build_workers

pytestmark = pytest.mark.temporal


async def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.05)


@SQLITE
async def test_a_campaign_is_moved_until_it_is_over_and_a_schedule_starts_one(
    store: Store, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    town = Town(store, by_calendar(reentry="always"), vips=8)
    town.now = machine_clock()
    with store.write() as connection:
        set_clock(connection, HouseClock(machine_epoch=town.now, house_epoch=START))
    campaign = town.campaign(test=3)
    client = await Client.connect(temporal_server.address)
    workers = build_workers(client, Settings(workspace=tmp_path), store, WORKSPACE)
    running = [asyncio.create_task(worker.run()) for worker in workers]
    waker = Waker(store, client)
    waking = asyncio.create_task(waker.run())

    def count(state: str | None = None) -> int:
        table = schema.runs
        with store.read() as connection:
            query = select(func.count()).select_from(table)
            return connection.execute(query.where(table.c.outcome == state) if state else query).scalar_one()

    try:
        await until(lambda: town.row(campaign).state == "tested" and count("finished") == 3)
        handle = client.get_workflow_handle(campaign_workflow_id(campaign))
        await asyncio.wait_for(handle.result(), 10)  # nobody rests until a person has looked
        with store.write() as connection:
            resume_campaign(connection, campaign, town.now, "nare")
        waker.nudge()
        await until(lambda: town.row(campaign).state == "finished" and count("finished") == 8)

        schedule = client.get_schedule_handle("occasion/welcome")
        spec = (await schedule.describe()).schedule.spec
        assert (spec.calendars[0].hour[0].start, spec.time_zone_name) == (9, "UTC")
        with store.write() as connection:
            set_clock(connection, HouseClock(machine_epoch=machine_clock(), house_epoch=START))
        await schedule.trigger()  # too early: it only looks
        await until(lambda: _followed(store))
        assert count() == 8
        while (await schedule.describe()).info.running_actions:  # it would be passed over beside another
            await asyncio.sleep(0.05)
        with store.write() as connection:
            at = START + timedelta(hours=1, seconds=1)
            set_clock(connection, HouseClock(machine_epoch=machine_clock(), house_epoch=at))
        await schedule.trigger()
        await until(lambda: count("finished") == 16)
    finally:
        waking.cancel()
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*running, waking, return_exceptions=True)


def _followed(store: Store) -> bool:
    with store.read() as connection:
        return connection.execute(select(schema.schedules)).one_or_none() is not None
