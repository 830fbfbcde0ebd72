from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from tests.temporal_server import TemporalServer

pytestmark = pytest.mark.temporal


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
