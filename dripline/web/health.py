"""Whether the process is of use: to load balancers, supervisors and people. Tells nothing of leads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import anyio
from anyio import CapacityLimiter
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import select

from dripline.store.database import Store
from dripline.store.schema import house
from dripline.web.shapes import Health, Ready

TemporalReachable = Callable[[], Awaitable[bool]]

PATIENCE = 3.0
"""Seconds after which a part that has not answered counts as away."""


def build_health(store: Store, temporal: TemporalReachable | None) -> APIRouter:
    """`/health` (all parts, 503 without the store) and `/ready` (whether to send requests here)."""
    router = APIRouter(tags=["health"])
    few = CapacityLimiter(2)  # a database that hangs must not take every thread of the process

    async def store_stopped() -> bool | None:
        """Whether everything is stopped; None while the store does not answer."""
        try:
            with anyio.fail_after(PATIENCE):
                return await anyio.to_thread.run_sync(_look, store, limiter=few, abandon_on_cancel=True)
        except Exception:  # away is away, whatever the driver calls it
            return None

    async def temporal_answers() -> bool | None:
        if temporal is None:
            return None
        try:
            return await asyncio.wait_for(temporal(), PATIENCE)
        except Exception:  # as above
            return False

    @router.get(
        "/health",
        response_model=Health,
        response_description="Events can be taken",
        responses={503: {"model": Health, "description": "The store is away"}},
        summary="How every part is",
    )
    async def health() -> JSONResponse:
        """200 while events can be taken; Temporal's absence only delays what they set going.

        `stopped` is true while `dripline stop-all` keeps every message back.
        """
        stopped, has_temporal = await asyncio.gather(store_stopped(), temporal_answers())
        has_store = stopped is not None
        status = "ok" if has_store and has_temporal is not False else "degraded" if has_store else "away"
        parts: dict[str, str | bool] = {
            "status": status,
            "store": _word(has_store),
            "temporal": _word(has_temporal),
        }
        parts |= {"stopped": bool(stopped)}
        return JSONResponse(parts, 200 if has_store else 503)

    @router.get(
        "/ready",
        response_model=Ready,
        response_description="Send them",
        responses={503: {"model": Ready, "description": "Do not"}},
        summary="Whether to send requests here",
    )
    async def ready() -> JSONResponse:
        """200 or 503."""
        has_store = await store_stopped() is not None
        return JSONResponse({"ready": has_store}, 200 if has_store else 503)

    return router


def _look(store: Store) -> bool:
    with store.read() as connection:
        return connection.execute(select(house.c.stopped_at)).scalar_one_or_none() is not None


def _word(answers: bool | None) -> str:
    return {True: "ok", False: "away", None: "not asked"}[answers]
