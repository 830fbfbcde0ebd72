"""The web process: the API, the pages, the webhooks, and what runs beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from datetime import timedelta

import structlog
from fastapi import FastAPI

from dripline import __version__
from dripline.clock import MachineClock, machine_clock
from dripline.ingest.bouncing import Patience
from dripline.ingest.catalogue import make_catalogue_known
from dripline.ingest.hands import Hands
from dripline.ingest.referring.service import Referring
from dripline.ingest.reports import take_report
from dripline.ingest.segment.service import Tracking
from dripline.ingest.service import GoFirst, Ingest
from dripline.ingest.suppressing import Suppressions
from dripline.language.workspace import Workspace
from dripline.privacy.erasing import Eraser
from dripline.privacy.journal import Journal
from dripline.providers import DeliveryReport
from dripline.settings import Settings
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.house import open_house
from dripline.store.rules import make_known
from dripline.web.api import build_api
from dripline.web.audit import build_audit
from dripline.web.campaigns import build_campaigns
from dripline.web.consents import build_consents
from dripline.web.cookies import Cookies
from dripline.web.described import describe
from dripline.web.entrance import Entrance
from dripline.web.forms import build_forms
from dripline.web.friends import build_friends
from dripline.web.guard import Guard
from dripline.web.health import TemporalReachable, build_health
from dripline.web.judging import Judge
from dripline.web.keyring import KeyRing
from dripline.web.links import build_links
from dripline.web.merges import build_merges
from dripline.web.pages import build_pages
from dripline.web.privacy import build_privacy
from dripline.web.problems import answer_with_problems
from dripline.web.products import build_products
from dripline.web.referrals import build_referrals
from dripline.web.reports import build_reports
from dripline.web.scores import build_scores
from dripline.web.segment import build_segment
from dripline.web.segments import build_segments
from dripline.web.settling import Settler
from dripline.web.spends import build_spends
from dripline.web.suppressions import build_suppressions
from dripline.web.tracking import build_tracking
from dripline.web.visitors import Visitors
from dripline.web.webhooks import add_inbound, build_router
from dripline.web.webhooks.noting import Notes

Beside = Callable[[], AbstractAsyncContextManager[object]]
"""Something that runs as long as the app does, such as the waker."""


_log = structlog.get_logger(__name__)


def create_app(
    settings: Settings,
    store: Store,
    workspace: Workspace,
    nudge: Callable[[], None] = lambda: None,
    *,
    go_first: GoFirst = nullcontext,
    background: Sequence[Beside] = (),
    temporal: TemporalReachable | None = None,
    machine: MachineClock = machine_clock,
) -> FastAPI:
    """The ASGI app. `nudge` is called (from any thread) after whatever may have left runs to be woken.

    `go_first` is entered while a batch of events is recorded.
    """

    secret = settings.secret.get_secret_value() if settings.secret else None
    judge = Judge(store, secret, machine, nudge)
    referring = Referring(store, secret, machine, nudge)
    settler = Settler(referring)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as beside:
            for start in (judge.running, settler.running, *background):
                await beside.enter_async_context(start())
            yield

    app = FastAPI(
        title="Dripline",
        version=__version__,
        summary="Say what happened to your leads; ask what became of it.",
        lifespan=lifespan,
        docs_url=None,  # they would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # it would send people to whatever host the request named
    )
    key = settings.api_key.get_secret_value() if settings.api_key else None
    keys = KeyRing(store, key, settings.key_per_minute, machine)
    cookies, in_production = Cookies(settings.public_url), settings.environment == "production"
    visitors = Visitors(store, cookies, settings.public_url, machine, in_production=in_production)
    app.add_middleware(Guard, entrance=Entrance(keys, visitors, in_production=in_production))
    answer_with_problems(app)
    app.include_router(build_health(store, temporal))
    _make_known(store, workspace, machine)
    trying = settings.trying and not in_production
    ingest = Ingest(store, workspace, nudge, machine, secret, go_first, trying=trying)
    hands = Hands(store, workspace, nudge, machine)
    app.include_router(build_api(ingest, hands, store, workspace, machine))
    app.include_router(build_merges(ingest, store))
    app.include_router(build_referrals(store, workspace, referring, settings.public_url))
    app.include_router(build_products(store, workspace, machine))
    app.include_router(build_segment(Tracking(store, workspace, nudge, machine, go_first), store))
    eraser = Eraser(store, secret, Journal(settings.data), machine)
    app.include_router(build_scores(store, workspace, machine))
    app.include_router(build_privacy(eraser, store, workspace, secret, nudge))
    app.include_router(build_audit(store))
    app.include_router(build_reports(store, workspace, machine))
    app.include_router(build_segments(store, workspace, machine))
    app.include_router(build_spends(store, workspace, machine))
    app.include_router(build_consents(store))
    app.include_router(build_campaigns(store, workspace, nudge, machine))
    app.include_router(build_suppressions(store, workspace, Suppressions(store, secret, machine)))
    app.include_router(build_links(settings, store, ingest, workspace, machine))
    app.include_router(build_friends(settings, store, workspace, machine))
    app.include_router(build_forms(settings, store, ingest, workspace, machine))
    app.include_router(build_tracking(settings, store, workspace, machine, judge.call, nudge))
    notes = Notes(store, machine)
    webhooks = build_router(settings, _recorder(settings, store, workspace, nudge, machine), notes, machine)
    add_inbound(webhooks, settings, workspace, ingest.take_in, lambda: _secret(store, secret), notes, machine)
    app.include_router(webhooks)
    app.include_router(build_pages(settings, store, workspace, machine, cookies, keys))
    describe(app)
    return app


def _make_known(store: Store, workspace: Workspace, machine: MachineClock) -> None:
    """While the store is away, we serve by the rules and the catalogue that it knows already."""
    try:
        make_known(store, workspace, machine)
        make_catalogue_known(store, workspace, machine)
    except UNAVAILABLE as problem:
        _log.warning("what dripline.yaml says is not made known yet", error=type(problem).__name__)


def _secret(store: Store, secret: str | None) -> str:
    with store.read() as connection:
        return open_house(connection, secret).secret


def _recorder(
    settings: Settings, store: Store, workspace: Workspace, nudge: Callable[[], None], machine: MachineClock
) -> Callable[[DeliveryReport], None]:
    secret = settings.secret.get_secret_value() if settings.secret else None
    patience = Patience(workspace.soft_bounces.times, timedelta(days=workspace.soft_bounces.days))

    def record(report: DeliveryReport) -> None:
        take_report(store, report, secret, machine, patience)
        nudge()

    return record
