from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.temporal_server import TemporalServer

pytestmark = pytest.mark.temporal


@workflow.defn
class Naps:
    """Rests for a moment, twice."""

    @workflow.run
    async def run(self) -> None:
        """Two naps of a tenth of a second."""
        for _ in range(2):
            await asyncio.sleep(0.1)


async def _namespace_id(address: str) -> str:
    client = await Client.connect(address)
    answer = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    return answer.namespace_info.id


def test_the_sessions_server_answers(temporal_server: TemporalServer) -> None:
    assert asyncio.run(_namespace_id(temporal_server.address))


def test_a_killed_server_comes_back_with_what_it_knew(tmp_path: Path) -> None:
    server = TemporalServer(db_filename=tmp_path / "temporal.db")
    server.start()
    before = asyncio.run(_namespace_id(server.address))
    server.kill()
    server.start()
    after = asyncio.run(_namespace_id(server.address))
    server.kill()
    server.delete_file()
    assert after == before
    assert list(tmp_path.iterdir()) == []


def test_a_wait_of_a_moment_takes_no_second(temporal_server: TemporalServer) -> None:
    async def quickest_of_three() -> float:
        client = await Client.connect(temporal_server.address)
        async with Worker(client, task_queue="naps", workflows=[Naps]):
            return min([await _seconds_of_naps(client, number) for number in range(3)])

    assert 0.2 <= asyncio.run(quickest_of_three()) < 0.9


async def _seconds_of_naps(client: Client, number: int) -> float:
    began = time.monotonic()
    await client.execute_workflow(Naps.run, id=f"naps/{number}", task_queue="naps")
    return time.monotonic() - began
