"""What Temporal is given is encrypted by one setting; keys can be changed, and what was plain stays readable."""

from __future__ import annotations

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from pydantic import ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from dripline.settings import Settings
from dripline.stack.codec import Locked, converter
from dripline.stack.connection import connect
from dripline.wire import TURNS, RunRef, workflow_id
from tests.durable.test_replay import RECORDED
from tests.durable.test_workflow import QUEUE, FakeStore, standing, wait_until
from tests.temporal_server import TemporalServer
from workflows.campaign import Campaign, Occasion
from workflows.journey import JourneyRun
from workflows.sweep import Sweep

OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))


def having(*keys: str) -> Settings:
    return Settings(_env_file=None, temporal_codec_keys=",".join(keys) if keys else None)


@asynccontextmanager
async def working(
    server: TemporalServer, fake: FakeStore, settings: Settings, queue: str
) -> AsyncIterator[Client]:
    """The real client of ours, with the workflow and its fakes behind it."""
    client = await connect(settings, target_host=server.address)
    async with (
        Worker(
            client,
            task_queue=queue,
            workflows=[JourneyRun],
            activities=[fake.advance, fake.deliver_now],
            workflow_runner=SandboxedWorkflowRunner(),
            max_cached_workflows=0,  # so that every task reads the history
        ),
        Worker(client, task_queue=TURNS, activities=[fake.advance]),
        Worker(client, task_queue=QUEUE, activities=[fake.deliver]),
    ):
        yield client


@pytest.mark.temporal
async def test_a_journey_runs_and_its_history_holds_only_ciphertext(temporal_server: TemporalServer) -> None:
    fake = FakeStore(
        [standing(1, "marked-one", rest=1.0), standing(2, "marked-two", ended=True)], local_fails=2
    )
    queue, run = f"journeys-{uuid.uuid4().hex}", "marked-run"
    settings = having(f"a:{OLD}")
    async with working(temporal_server, fake, settings, queue) as client:
        handle = await client.start_workflow(
            JourneyRun.run, RunRef(run), id=workflow_id("welcome", uuid.uuid4().hex), task_queue=queue
        )
        await asyncio.wait_for(handle.result(), 20)
        history = await handle.fetch_history()
    assert fake.delivered == ["marked-one", "marked-two"]
    told = history.to_json()
    assert "marked-" not in told
    assert base64.b64encode(b"binary/encrypted").decode() in told
    for mark in (b"marked", b"store-unavailable"):
        assert base64.b64encode(mark).decode()[:6] not in told
    replayer = Replayer(workflows=[JourneyRun], data_converter=converter(settings.codec_keys()))
    await replayer.replay_workflow(history)


@pytest.mark.temporal
async def test_a_run_that_was_begun_in_the_clear_goes_on_encrypted(temporal_server: TemporalServer) -> None:
    fake = FakeStore([standing(1, rest=None), standing(2, "two", ended=True)])
    queue = f"journeys-{uuid.uuid4().hex}"
    async with working(temporal_server, fake, having(), queue) as client:
        handle = await client.start_workflow(
            JourneyRun.run, RunRef("run"), id=workflow_id("welcome", uuid.uuid4().hex), task_queue=queue
        )
        await wait_until(lambda: fake.asked == [0])
    async with working(temporal_server, fake, having(f"a:{OLD}"), queue) as client:
        again = client.get_workflow_handle(handle.id)
        await again.signal(JourneyRun.wake)
        await asyncio.wait_for(again.result(), 20)
    assert fake.delivered == ["two"]


@pytest.mark.temporal
async def test_a_run_whose_key_is_missing_waits_for_it_and_the_log_names_it(
    temporal_server: TemporalServer, caplog: pytest.LogCaptureFixture
) -> None:
    fake = FakeStore([standing(1, rest=None), standing(2, "two", ended=True)])
    queue = f"journeys-{uuid.uuid4().hex}"
    async with working(temporal_server, fake, having(f"a:{OLD}"), queue) as client:
        handle = await client.start_workflow(
            JourneyRun.run, RunRef("run"), id=workflow_id("welcome", uuid.uuid4().hex), task_queue=queue
        )
        await wait_until(lambda: fake.asked == [0])
    async with working(temporal_server, fake, having(f"b:{NEW}"), queue) as client:
        await client.get_workflow_handle(handle.id).signal("wake")
        await wait_until(lambda: "DRIPLINE_TEMPORAL_CODEC_KEYS" in caplog.text)
    async with working(temporal_server, fake, having(f"b:{NEW}", f"a:{OLD}"), queue) as client:
        await asyncio.wait_for(client.get_workflow_handle(handle.id).result(), 40)
    assert fake.delivered == ["two"]


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_recorded_histories_replay_with_keys_set(path: object) -> None:
    history = WorkflowHistory.from_json("welcome/x", path.read_text())  # type: ignore[attr-defined]
    replayer = Replayer(
        workflows=[JourneyRun, Sweep, Campaign, Occasion],
        data_converter=converter(having(f"a:{OLD}").codec_keys()),
    )
    await replayer.replay_workflow(history)


async def test_a_new_key_encrypts_and_the_old_one_still_decrypts() -> None:
    before = converter(having(f"a:{OLD}").codec_keys())
    after = converter(having(f"b:{NEW}", f"a:{OLD}").codec_keys())
    old, new = await before.encode(["run-1"]), await after.encode(["run-1"])
    assert new[0].metadata["encryption-key-id"] == b"b"
    assert [*await after.decode(old), *await after.decode(new)] == ["run-1", "run-1"]


async def test_the_same_twice_is_never_the_same_ciphertext() -> None:
    keyed = converter(having(f"a:{OLD}").codec_keys())
    assert (await keyed.encode(["run-1"]))[0].data != (await keyed.encode(["run-1"]))[0].data


@pytest.mark.parametrize(
    "reader",
    [lambda: having(f"b:{NEW}"), lambda: having(f"a:{NEW}"), having],
    ids=["another key", "another key of that name", "no key at all"],
)
async def test_a_missing_key_is_named_with_the_setting(reader: Callable[[], Settings]) -> None:
    written = await converter(having(f"a:{OLD}").codec_keys()).encode(["run-1"])
    with pytest.raises(Locked, match="`a`, which is not in DRIPLINE_TEMPORAL_CODEC_KEYS"):
        await converter(reader().codec_keys()).decode(written)


async def test_a_tampered_payload_is_refused() -> None:
    keyed = converter(having(f"a:{OLD}").codec_keys())
    [written] = await keyed.encode(["run-1"])
    changed = Payload(metadata=dict(written.metadata), data=written.data[:-1] + bytes([written.data[-1] ^ 1]))
    with pytest.raises(Locked):
        await keyed.decode([changed])


async def test_without_keys_nothing_is_different() -> None:
    plain = await converter({}).encode(["run-1", {"a": 1}, None])
    assert plain == await DataConverter.default.encode(["run-1", {"a": 1}, None])


@pytest.mark.parametrize("wrong", ["a", "a:x", f"{OLD}", "a:c2hvcnQ=", f"a:{OLD},a:{NEW}", f"a b:{OLD}"])
def test_a_key_that_is_none_is_refused_at_the_start_without_being_told(wrong: str) -> None:
    with pytest.raises(ValidationError) as refused:
        having(wrong)
    assert "temporal_codec_keys" in str(refused.value)
    assert OLD not in str(refused.value)
