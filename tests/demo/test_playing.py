"""The script played into the real API: everything once, also where it was stopped in the middle."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from dripline.language.project import Project, load_project
from dripline.settings import Settings
from dripline.stack.demo.behaviour import Act
from dripline.stack.demo.playing import Playing
from dripline.stack.demo.script import script
from dripline.stack.demo.watching import Ledger
from dripline.stack.up import prepare, set_pace
from dripline.store.database import Store
from dripline.store.schema import events, journeys, leads, runs
from dripline.web.app import create_app

DAY = timedelta(milliseconds=4)
_ASKING = {act.person.number for act in script() if act.body.get("name") == "form.submitted"}
ACTS = [act for act in script() if act.person.number % 4 == 0 or act.person.number in _ASKING]
"""A part of the demo in which each journey has somebody."""


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(Path(__file__).parents[2])


@pytest.fixture
def quiet_store(store: Store, project: Project) -> Iterator[Store]:
    """No journey is published, so that there is nothing to wait for but what the demo says."""
    with store.write() as connection:
        connection.execute(journeys.delete())
    set_pace(store, DAY)
    yield store
    set_pace(store, None)


async def _play(
    store: Store, project: Project, acts: list[Act], enough: Callable[[], bool] = lambda: False
) -> bool:
    """Play the acts to their end, or until it is enough; whether it came to the end."""
    assert project.workspace is not None
    app = create_app(Settings(_env_file=None), store, project.workspace)
    here = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    async with httpx.AsyncClient(transport=here, base_url="http://127.0.0.1:8080") as client:
        playing = asyncio.create_task(Playing(acts, Ledger(store), client).play())
        while not playing.done() and not enough():
            await asyncio.sleep(0.05)
        if playing.done():
            return bool(playing.result())
        playing.cancel()
        await asyncio.wait([playing])
        return False


def _told(store: Store) -> Counter[str]:
    """Every event, and every lead."""
    with store.read() as connection:
        follow = (
            "lead.created",
            "lead.updated",
            "lead.warmed",
            "lead.cooled",
            "segment.entered",
            "segment.left",
            "lead.stage_changed",
            "lead.converted",
            "lead.lost",
        )
        said = connection.execute(select(events.c.id).where(events.c.name.not_in(follow))).scalars()
        return Counter([*said, *connection.execute(select(leads.c.external_id)).scalars()])


EXPECTED = Counter(
    [
        *(act.key for act in ACTS if act.does == "says" and act.after is None),
        *(act.person.external_id for act in ACTS if act.does == "comes"),
    ]
)


async def test_everything_is_told_once(quiet_store: Store, project: Project) -> None:
    assert await _play(quiet_store, project, ACTS)
    assert _told(quiet_store) == EXPECTED


async def test_what_was_stopped_goes_on_and_nothing_is_told_twice(
    quiet_store: Store, project: Project
) -> None:
    assert not await _play(quiet_store, project, ACTS, lambda: _told(quiet_store).total() > 20)
    assert _told(quiet_store).total() < EXPECTED.total()
    assert await _play(quiet_store, project, ACTS)
    assert _told(quiet_store) == EXPECTED


async def test_a_second_demo_finds_everything_there(quiet_store: Store, project: Project) -> None:
    await _play(quiet_store, project, ACTS)
    async with httpx.AsyncClient() as nobody_is_asked:
        assert Playing(ACTS, Ledger(quiet_store), nobody_is_asked).over
    assert _told(quiet_store) == EXPECTED


async def test_it_waits_for_a_web_process_that_is_away_and_keeps_the_order(
    quiet_store: Store, project: Project
) -> None:
    app = create_app(Settings(_env_file=None), quiet_store, project.workspace)  # type: ignore[arg-type]
    here = httpx.ASGITransport(app, client=("127.0.0.1", 50_000))
    refused = Counter[str]()

    class Flickering(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            refused[request.url.path] += 1
            if refused[request.url.path] == 3:
                raise httpx.ConnectError("away")
            return await here.handle_async_request(request)

    async with httpx.AsyncClient(transport=Flickering(), base_url="http://127.0.0.1:8080") as client:
        await Playing(ACTS, Ledger(quiet_store), client).play()
    assert _told(quiet_store) == EXPECTED


async def test_leads_enter_each_journey(store: Store, project: Project) -> None:
    prepare(store, project, timedelta(milliseconds=100))  # a day that somebody names must still be to come

    said = {act.body["name"] for act in ACTS if act.does == "says" and act.after is None} | {"lead.created"}
    wanted = {name for name, one in project.plans.items() if said & set(one.trigger.on.events)}
    wanted -= {"post-purchase"}  # to what the demo's leads buy there is nothing to add

    def all_entered() -> bool:
        with store.read() as connection:
            return set(connection.execute(select(runs.c.journey)).scalars()) >= wanted

    assert not await _play(store, project, ACTS, all_entered)  # no worker: no run comes to its end
    set_pace(store, None)
