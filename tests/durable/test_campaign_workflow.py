"""The campaign's workflow alone, on a real server, in the sandbox: its activities are hand-written fakes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from dripline.wire import CAMPAIGNS, CampaignRef, CampaignStanding, campaign_workflow_id
from tests.durable.test_workflow import wait_until
from tests.temporal_server import TemporalServer
from workflows.campaign import LONG, Campaign, Occasion

pytestmark = pytest.mark.temporal


@dataclass
class FakeCampaign:
    """A campaign that stands as is given, one after the other; the last is how it stays."""

    stands: list[CampaignStanding]
    fails: int = 0
    hold: int = 0
    """The move that waits until somebody says `go`, counted from 1."""
    moves: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    @activity.defn(name="move_campaign")
    async def move(self, ref: CampaignRef) -> CampaignStanding:
        if self.fails:
            self.fails -= 1
            raise ApplicationError("store-unavailable")
        self.moves += 1
        at = self.stands[min(self.moves, len(self.stands)) - 1]
        if self.moves == self.hold:
            await self.go.wait()
        return at

    @activity.defn(name="start_occasions")
    async def start_occasions(self) -> int:
        return 2


def rests(seconds: float) -> CampaignStanding:
    return CampaignStanding(over=False, rest=seconds)


OVER = CampaignStanding(over=True)


@asynccontextmanager
async def campaign_worker(server: TemporalServer, fake: FakeCampaign) -> AsyncIterator[Client]:
    """A worker for the fake, the workflows sandboxed; its client."""
    client = await Client.connect(server.address)
    async with Worker(
        client,
        task_queue=CAMPAIGNS,
        workflows=[Campaign, Occasion],
        activities=[fake.move, fake.start_occasions],
        workflow_runner=SandboxedWorkflowRunner(),
    ):
        yield client


async def start(client: Client) -> WorkflowHandle[Campaign, None]:
    campaign = uuid.uuid4().hex
    return await client.start_workflow(
        Campaign.run, CampaignRef(campaign), id=campaign_workflow_id(campaign), task_queue=CAMPAIGNS
    )


async def test_it_is_moved_until_it_is_over(temporal_server: TemporalServer) -> None:
    fake = FakeCampaign([rests(0.0), rests(0.3), OVER], fails=1)
    async with campaign_worker(temporal_server, fake) as client:
        handle = await start(client)
        await asyncio.wait_for(handle.result(), 20)
    assert fake.moves == 3


async def test_a_wake_ends_its_rest_at_once(temporal_server: TemporalServer) -> None:
    fake = FakeCampaign([rests(3_600), OVER])
    async with campaign_worker(temporal_server, fake) as client:
        handle = await start(client)
        await wait_until(lambda: fake.moves == 1)
        await handle.signal(Campaign.wake)
        await asyncio.wait_for(handle.result(), 10)
    assert fake.moves == 2


async def test_who_resumes_it_while_it_ends_is_not_forgotten(temporal_server: TemporalServer) -> None:
    """It looks once more, as what it was resumed for may have come after its last look."""
    fake = FakeCampaign([OVER], hold=1)
    async with campaign_worker(temporal_server, fake) as client:
        handle = await start(client)
        await wait_until(lambda: fake.moves == 1)
        await handle.signal(Campaign.wake)
        fake.go.set()
        await asyncio.wait_for(handle.result(), 10)
    assert fake.moves == 2


async def test_a_long_one_goes_on_in_a_new_history(temporal_server: TemporalServer) -> None:
    fake = FakeCampaign([*[rests(0.0)] * (LONG // 10), OVER])
    async with campaign_worker(temporal_server, fake) as client:
        handle = await start(client)
        await asyncio.wait_for(handle.result(), 60)
        first = client.get_workflow_handle(handle.id, run_id=handle.first_execution_run_id)
        began = await first.describe()
    assert began.status == WorkflowExecutionStatus.CONTINUED_AS_NEW
    assert LONG < began.history_length < LONG + 20
    assert fake.moves == LONG // 10 + 1


async def test_a_schedule_that_comes_round_is_seen_to(temporal_server: TemporalServer) -> None:
    async with campaign_worker(temporal_server, FakeCampaign([OVER])) as client:
        ended = client.execute_workflow(Occasion.run, id=f"occasion/{uuid.uuid4().hex}", task_queue=CAMPAIGNS)
        assert await asyncio.wait_for(ended, 10) == 2
