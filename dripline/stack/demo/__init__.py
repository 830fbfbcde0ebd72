"""The demo: two hundred made-up leads who live through the journeys within two minutes."""

from __future__ import annotations

import time
from datetime import timedelta

import httpx
import structlog
from pydantic import SecretStr

from dripline.stack.demo.playing import Playing
from dripline.stack.demo.script import script
from dripline.stack.demo.watching import Counts, Ledger
from dripline.stack.up import set_pace
from dripline.store.database import UNAVAILABLE, Store

DAY = timedelta(seconds=0.35)
"""How long a day takes while the demo's leads are under way: the longest way through the journeys is 315 days."""

AFTERWARDS = timedelta(seconds=10)
"""How long a day takes before and after, at least: slow enough to follow a lead of one's own."""

log = structlog.get_logger("dripline.demo")


async def run(store: Store, url: str, api_key: SecretStr | None, day: timedelta = DAY) -> None:
    """Let the demo's leads come and live, a `day` taking so long, until all have come to the ends of their journeys.

    What is there already stays as it is; a demo that was stopped goes on. Trouble is told, not raised.
    """
    headers = {"Authorization": f"Bearer {api_key.get_secret_value()}"} if api_key else {}
    try:
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as client:
            playing = Playing(script(), Ledger(store), client)
            if playing.over:
                log.info("the demo's leads are here already, and have come to the ends of their journeys")
                return
            set_pace(store, day)
            log.info(f"two hundred leads come and go: a day takes {day.total_seconds():g} seconds")
            began = time.monotonic()
            try:
                counts = await playing.play()
            finally:
                set_pace(store, max(day, AFTERWARDS))
            _sum_up(counts, time.monotonic() - began, max(day, AFTERWARDS))
    except UNAVAILABLE as problem:
        log.warning("the demo ends: the database does not answer", error=type(problem).__name__)


def _sum_up(counts: Counts, seconds: float, day: timedelta) -> None:
    skipped, held = (counts.messages.get(state, 0) for state in ("skipped", "held"))
    log.info(
        f"{counts.leads} leads have come to the ends of {counts.runs} journeys in {seconds:.0f} seconds:"
        f" {counts.converted} converted, {counts.sent} messages sent, {skipped} skipped, {held} held"
    )
    log.info(f"from now on a day takes {day.total_seconds():g} seconds: time for leads of your own")
