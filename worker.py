"""The worker process and the composition root: the only place that knows which providers there are."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from urllib.parse import urlsplit

import structlog
import uvloop
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.advance import Route, Turns
from activities.calling import Caller
from activities.campaigns import Campaigns
from activities.content import Tracking
from activities.deliver import Deliveries
from activities.effects import Outside
from activities.functions import Functions
from activities.gate import Gate
from activities.onward import Onward
from activities.providers.mailbox import Mailbox
from activities.providers.sendgrid import SendGrid
from activities.providers.twilio import Twilio
from activities.sweep import Patience, Sweeper
from dripline.ingest.catalogue import make_catalogue_known
from dripline.language.workspace import Workspace, load_workspace
from dripline.logs import configure_logs
from dripline.privacy.erasing import Eraser
from dripline.privacy.retaining import Keeper
from dripline.providers import Provider
from dripline.settings import Settings
from dripline.stack.connection import connect
from dripline.store.database import Store
from dripline.store.migrate import migrate
from dripline.store.rules import make_known
from dripline.store.wakes import Wake
from dripline.waker import start_runs
from dripline.wire import CAMPAIGNS, EFFECTS, JOURNEYS, TURNS
from workflows.campaign import Campaign, Occasion
from workflows.journey import JourneyRun
from workflows.sweep import Sweep

log = structlog.get_logger("worker")

KNOWN_PROVIDERS = (
    ("email", Mailbox.name),
    ("email", SendGrid.name),
    ("sms", Mailbox.name),
    ("sms", Twilio.name),
)
"""Channel and name of every provider that there is."""
SENDS_AT_ONCE = 16
"""Threads of each provider's queue."""
TURNS_AT_ONCE = 4
"""Threads that take turns, local and regular ones together: as many as are left however slow providers are."""
FIRST_ATTEMPTS_AT_ONCE = 16
"""Threads more, for turns that send their message at once. That is two transactions of three, so most threads do it."""
CALLS_AT_ONCE = 16
"""Threads that call other systems and the workspace's own functions."""
STARTING = 15.0
"""Seconds that a campaign waits for the workflows of the few runs that it has begun to be started."""
GRACE = timedelta(seconds=20)
"""How long sends under way may take to end when the worker is told to stop: above the HTTP limit."""


def build_providers(settings: Settings, store: Store) -> dict[str, Provider]:
    """The provider of each channel: the real one where there is an account, else the local mailbox."""
    providers: dict[str, Provider] = {"email": Mailbox(store, "email"), "sms": Mailbox(store, "sms")}
    if settings.sendgrid_api_key:
        providers["email"] = SendGrid(
            settings.sendgrid_api_key.get_secret_value(),
            settings.http_timeout,
            settings.sendgrid_base_url,
        )
    if settings.twilio_account_sid and settings.twilio_auth_token:
        providers["sms"] = Twilio(
            settings.twilio_account_sid,
            settings.twilio_auth_token.get_secret_value(),
            settings.http_timeout,
            settings.twilio_base_url,
        )
    return providers


def build_gate(settings: Settings, workspace: Workspace, providers: dict[str, Provider]) -> Gate:
    """Outside production, real providers are used for nobody but those on the workspace's list."""

    def may_message(channel: str, address: str) -> bool:
        if settings.environment == "production" or providers[channel].name == Mailbox.name:
            return True
        return workspace.allows(address)

    return Gate(may_message, workspace.daily_limit)


def callback_url(settings: Settings) -> str | None:
    """Where Twilio shall report: nowhere while we are on loopback, which the real Twilio refuses (error 21609)."""
    public = urlsplit(settings.public_url)
    real = urlsplit(settings.twilio_base_url).hostname == "api.twilio.com"
    if real and public.hostname in ("localhost", "127.0.0.1", "::1"):
        return None
    return settings.public_url.rstrip("/")


def build_caller(settings: Settings, workspace: Workspace) -> Caller:
    """Who calls other systems, with the secrets of this installation and the workspace's list of private hosts."""
    signing = settings.webhook_secret.get_secret_value() if settings.webhook_secret else None
    return Caller(
        settings.http_timeout,
        workspace.webhooks.allow_private,
        {name.lower(): secret.get_secret_value() for name, secret in settings.secrets.items()},
        signing,
    )


def build_workers(client: Client, settings: Settings, store: Store, workspace: Workspace) -> list[Worker]:
    """A worker for the workflows and their local activities, one for turns, one for each provider's queue."""
    providers = build_providers(settings, store)
    secret = settings.secret.get_secret_value() if settings.secret else None
    queues = {channel: f"{channel}.{provider.name}" for channel, provider in providers.items()}
    rates = {channel: workspace.rate(provider.name) for channel, provider in providers.items()}
    # Queues of providers that we do not use now are served as well: what waited there when one was changed.
    served = {f"{channel}.{name}": channel for channel, name in KNOWN_PROVIDERS}
    routes = {channel: Route(queue, local=rates[channel] is None) for channel, queue in queues.items()}
    turns = Turns(store, routes, secret, public_url=settings.public_url)
    deliveries = Deliveries(
        store,
        providers,
        build_gate(settings, workspace, providers),
        lease=settings.lease,
        callback_url=callback_url(settings),
        public_url=settings.public_url,
        secret=secret,
        tracking=Tracking(workspace.tracking, settings.tracking_at()),
        reply_domain=settings.reply_domain,
    )
    sweeper = Sweeper(
        store,
        providers,
        Patience(
            overdue=settings.overdue_after,
            stalled=settings.stalled_after,
            uncertain=settings.uncertain_after,
            uncertain_marketing=settings.uncertain_marketing,
            uncertain_transactional=settings.uncertain_transactional,
        ),
        keeper=Keeper(store, workspace, Eraser(store, secret)),
    )
    outside = Outside(store, build_caller(settings, workspace), Functions.of(settings.workspace))
    turn_threads = ThreadPoolExecutor(TURNS_AT_ONCE + FIRST_ATTEMPTS_AT_ONCE, thread_name_prefix="turns")
    loop = asyncio.get_running_loop()

    def start(runs: Sequence[Wake]) -> list[Wake]:
        return asyncio.run_coroutine_threadsafe(start_runs(client, runs), loop).result(STARTING)

    campaigns = Campaigns(store, workspace, start)
    onward = Onward(turns, deliveries, turn_threads, FIRST_ATTEMPTS_AT_ONCE)
    return [
        Worker(
            client,
            task_queue=JOURNEYS,
            workflows=[JourneyRun, Campaign, Occasion, Sweep],
            activities=[onward.advance, deliveries.deliver_now, sweeper.sweep],
            activity_executor=turn_threads,
            # The workflow holds no decision: the tests run it in the sandbox, which doubles its CPU.
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_cached_workflows=2000,
            max_concurrent_workflow_tasks=20,
            max_concurrent_activities=2,
            max_concurrent_local_activities=32,
            sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            client,
            task_queue=TURNS,
            activities=[turns.advance],
            activity_executor=turn_threads,
            max_concurrent_activities=TURNS_AT_ONCE,
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(  # one thread: campaigns that go on at the same time take turns
            client,
            task_queue=CAMPAIGNS,
            activities=[campaigns.move, campaigns.start_occasions],
            activity_executor=ThreadPoolExecutor(1, thread_name_prefix=CAMPAIGNS),
            max_concurrent_activities=1,
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            client,
            task_queue=EFFECTS,
            activities=[outside.deliver],
            activity_executor=ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix=EFFECTS),
            max_concurrent_activities=CALLS_AT_ONCE,
            graceful_shutdown_timeout=GRACE,
        ),
        *(
            Worker(
                client,
                task_queue=queue,
                activities=[deliveries.deliver],
                activity_executor=ThreadPoolExecutor(SENDS_AT_ONCE, thread_name_prefix=queue),
                max_concurrent_activities=SENDS_AT_ONCE,
                max_task_queue_activities_per_second=rates[channel] if queue == queues[channel] else None,
                graceful_shutdown_timeout=GRACE,
            )
            for queue, channel in served.items()
        ),
    ]


async def work(settings: Settings) -> int:
    """Work until told to stop; sends under way are given time to end."""
    workspace, problems = load_workspace(settings.workspace)
    if workspace is None:
        for problem in problems:
            sys.stderr.write(f"{problem}\n")
        return 1
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    store = Store(
        settings.store_url(),
        pool_size=TURNS_AT_ONCE + FIRST_ATTEMPTS_AT_ONCE + 2 * SENDS_AT_ONCE + CALLS_AT_ONCE + 10,
    )
    await asyncio.to_thread(migrate, store)
    await asyncio.to_thread(make_known, store, workspace)
    await asyncio.to_thread(make_catalogue_known, store, workspace)
    client = await _connected(settings, stop)
    if client is None:
        return 0
    async with AsyncExitStack() as running:
        for worker in build_workers(client, settings, store, workspace):
            await running.enter_async_context(worker)
        log.info("working", namespace=client.namespace)
        await stop.wait()
        log.info("stopping")
    store.close()
    return 0


async def _connected(settings: Settings, stop: asyncio.Event) -> Client | None:
    """A client, as soon as Temporal answers; None if we are told to stop before."""
    while not stop.is_set():
        try:
            return await connect(settings)
        except RuntimeError as problem:  # what the SDK raises while the server is away
            log.warning("waiting for Temporal", error=type(problem).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 1.0)
    return None


def main() -> None:
    """Run the worker and exit with its code."""
    settings = Settings()
    configure_logs(settings.log_level, settings.log_format, "worker")
    sys.exit(uvloop.run(work(settings)))


if __name__ == "__main__":
    main()
