"""Every route of the app, as it is asked: found, so that a new one is tested without being told of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi.routing import APIRoute


def routes_of(app: Any) -> Iterator[APIRoute]:
    """The routes of an app or a router, those of the routers that it includes too."""
    for route in app.routes:
        if isinstance(route, APIRoute):
            yield route
        elif hasattr(route, "original_router"):
            yield from routes_of(route.original_router)
