"""Records histories of every shape of the workflows: `python -m tests.durable.recording 0.1.0`.

A release records its own set under tests/histories/VERSION/. They are replayed in CI for ever: a run that
sleeps for a year meets every release that comes meanwhile.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle

from dripline.wire import CAMPAIGNS
from tests.durable.test_campaign_workflow import OVER, FakeCampaign, campaign_worker, rests
from tests.durable.test_campaign_workflow import start as start_campaign
from tests.durable.test_workflow import FakeStore, journey_workers, standing, start, wait_until
from tests.temporal_server import TemporalServer
from workflows.campaign import Campaign, Occasion
from workflows.journey import JourneyRun

ROOT = Path(__file__).parents[2]
HISTORIES = ROOT / "tests" / "histories"


def shapes() -> dict[str, FakeStore]:
    """Every way that the workflow's few lines can go."""
    return {
        "two-messages-and-a-wait": FakeStore([standing(1, "one", rest=1.0), standing(2, "two", ended=True)]),
        "woken-while-resting": FakeStore([standing(1, rest=3600), standing(2, "one", ended=True)]),
        "delivered-by-the-queue": FakeStore(
            [standing(1, "one", "two", rest=1.0), standing(2, ended=True)], deliver_locally=False
        ),
        "turn-taken-by-the-queue": FakeStore([standing(1, ended=True)], local_fails=2),
        "ended-with-a-message-open": FakeStore([standing(1, "one", ended=True)], deliver_locally=False),
        "continued-as-new": FakeStore([*[standing(n, rest=None) for n in range(1, 12)]]),
    }


def campaign_shapes() -> dict[str, FakeCampaign]:
    """The same of a campaign's."""
    return {
        "campaign-moved-and-over": FakeCampaign([rests(0.0), rests(0.3), OVER], fails=1),
        "campaign-woken-while-resting": FakeCampaign([rests(3_600), OVER]),
        "campaign-woken-at-its-end": FakeCampaign([OVER], hold=1),
        "occasion": FakeCampaign([OVER]),
    }


async def record(version: str) -> None:
    """Run every shape on a real server and keep its history."""
    folder = HISTORIES / version
    folder.mkdir(parents=True, exist_ok=True)

    async def keep(name: str, client: Client, handle: WorkflowHandle[Any, Any]) -> None:
        first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        history = await first.fetch_history()
        text = history.to_json().replace(socket.gethostname(), "host")
        for here in (sys.prefix, str(ROOT)):  # stacks of failures name this machine's folders
            text = text.replace(here, "")
        (folder / f"{name}.json").write_text(text)
        sys.stdout.write(f"{version}/{name}: {len(history.events)} events\n")

    server = TemporalServer()
    server.start()
    try:
        for name, fake in shapes().items():
            async with journey_workers(server, fake) as (client, queue):
                handle = await start(client, queue)
                if name == "woken-while-resting":
                    await wait_until(lambda fake=fake: fake.asked == [0])  # type: ignore[misc]
                    await handle.signal(JourneyRun.wake)
                if name == "continued-as-new":
                    await _wake_until_continued(fake, handle)
                else:
                    await asyncio.wait_for(handle.result(), 30)
                await keep(name, client, handle)
        for name, one in campaign_shapes().items():
            async with campaign_worker(server, one) as client:
                await keep(name, client, await _campaign(name, one, client))
    finally:
        server.kill()


async def _campaign(name: str, fake: FakeCampaign, client: Client) -> WorkflowHandle[Any, Any]:
    if name == "occasion":
        handle: WorkflowHandle[Any, Any] = await client.start_workflow(
            Occasion.run, id="occasion/welcome", task_queue=CAMPAIGNS
        )
    else:
        handle = await start_campaign(client)
    if "woken" in name:
        await wait_until(lambda: fake.moves == 1)
        await handle.signal(Campaign.wake)
        fake.go.set()
    await asyncio.wait_for(handle.result(), 30)
    return handle


async def _wake_until_continued(fake: FakeStore, handle: WorkflowHandle[JourneyRun, None]) -> None:
    for number in range(9):
        await wait_until(lambda number=number: len(fake.asked) > number)  # type: ignore[misc]
        await asyncio.sleep(0.2)
        await handle.signal(JourneyRun.wake)


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1]))
