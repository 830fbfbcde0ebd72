"""What runs: the web process, Temporal, and a worker behind each queue. Imports Temporal's client when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from dripline.doctor.findings import Finding, known, mend, well
from dripline.settings import Settings
from dripline.stack.temporal import ADDRESS_FILE, DEFAULT_PORT
from dripline.wire import JOURNEYS, SWEEP, TURNS

_PATIENCE = 5.0  # seconds
_FRESH = timedelta(minutes=2)
"""A worker asks at least once a minute; who has not asked for longer is gone."""


def examine_web(settings: Settings) -> Iterator[Finding]:
    """Whether the web process answers here."""
    address = f"http://{_here(settings.host)}:{settings.port}"
    try:
        said = httpx.get(f"{address}/health", timeout=_PATIENCE, trust_env=False).json()
        status = said["status"]
    except httpx.HTTPError:
        yield mend("web", f"nobody answers at {address}", "dripline up, or dripline serve")
        return
    except (ValueError, LookupError, TypeError):
        yield mend("web", f"what answers at {address} is not Dripline", "say another port: DRIPLINE_PORT")
        return
    if status == "ok":
        yield well("web", f"answers at {address}")
    else:
        yield mend("web", f"answers at {address}, and finds itself {status}", "mend the other parts")


def examine_temporal(settings: Settings) -> list[Finding]:
    """Whether Temporal answers, and whether workers take what it has for them."""
    return asyncio.run(_examine_temporal(settings))


async def _examine_temporal(settings: Settings) -> list[Finding]:
    from temporalio.client import Client
    from temporalio.envconfig import ClientConfigProfile
    from temporalio.service import RPCError

    from dripline.stack.connection import connect

    configured = ClientConfigProfile.load().address is not None
    embedded = {} if configured else _embedded(settings)
    try:
        client: Client = await asyncio.wait_for(connect(settings, **embedded), _PATIENCE)
    except (RuntimeError, TimeoutError, OSError) as error:
        cure = "look at TEMPORAL_ADDRESS, and the server" if configured else "dripline up starts it"
        where = "where it is configured" if configured else f"at {embedded['target_host']}"
        return [mend("temporal", f"it does not answer {where} ({type(error).__name__})", cure)]
    kind = "" if configured else " (the embedded one)"
    found = [well("temporal", f"answers at {client.service_client.config.target_host}{kind}")]
    try:
        found += await asyncio.wait_for(_queues(client, settings), 2 * _PATIENCE)
        found.append(await asyncio.wait_for(_sweep(client), _PATIENCE))
    except (RPCError, TimeoutError) as error:
        cure = f"does the namespace {client.namespace} exist there?"
        found.append(mend("temporal", f"it would not tell of its queues ({type(error).__name__})", cure))
    return found


def _embedded(settings: Settings) -> dict[str, str]:
    """Where `dripline up` had its own server last: not always on the same port."""
    try:
        address = (settings.data / ADDRESS_FILE).read_text().strip()
    except OSError:
        address = ""
    return {"target_host": address or f"127.0.0.1:{DEFAULT_PORT}"}


async def _queues(client: Any, settings: Settings) -> list[Finding]:
    email = "sendgrid" if settings.sendgrid_api_key else "mailbox"
    sms = "twilio" if settings.twilio_account_sid and settings.twilio_auth_token else "mailbox"
    queues = (JOURNEYS, TURNS, f"email.{email}", f"sms.{sms}")
    alone = [name for name in queues if not await _is_polled(client, name, workflows=name == JOURNEYS)]
    if alone == list(queues):
        return [
            mend("worker", "none runs: no turn is taken, nothing is sent", "dripline up, or dripline worker")
        ]
    if alone:
        cure = "is it set up as we are here? start it again with these settings"
        return [mend("worker", f"it runs, but takes nothing from {', '.join(alone)}", cure)]
    return [well("worker", f"takes what comes to {', '.join(queues)}")]


async def _is_polled(client: Any, queue: str, *, workflows: bool) -> bool:
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

    kind = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW if workflows else TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    told = await client.workflow_service.describe_task_queue(request)
    long_ago = datetime.now(UTC) - _FRESH
    return any(poller.last_access_time.ToDatetime(UTC) > long_ago for poller in told.pollers)


async def _sweep(client: Any) -> Finding:
    from temporalio.service import RPCError, RPCStatusCode

    try:
        told = await client.get_schedule_handle(SWEEP).describe()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return mend(
            "sweep", "it is not scheduled: what a crash left behind is not mended", "start the web process"
        )
    if told.schedule.state.paused:
        return mend("sweep", "its schedule is paused at Temporal", "unpause the schedule `sweep` there")
    return (
        well("sweep", "is scheduled")
        if told.info.next_action_times
        else known("sweep", "is scheduled, but not soon")
    )


def _here(host: str) -> str:
    host = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - not bound
    return f"[{host}]" if ":" in host else host
