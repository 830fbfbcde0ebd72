"""The web process: uvicorn, with the waker beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterator

import structlog
import uvicorn

from dripline.language.workspace import load_workspace
from dripline.settings import Settings
from dripline.stack.connection import connect
from dripline.store.database import Store
from dripline.store.migrate import migrate
from dripline.waker import Waker
from dripline.web.app import create_app

log = structlog.get_logger("dripline.web")


async def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code. Temporal may be away: leads and events are kept."""
    workspace, problems = load_workspace(settings.workspace)
    if workspace is None:
        sys.stderr.writelines(f"{problem}\n" for problem in problems)
        return 1
    store = Store(settings.store_url())
    migrate(store)
    client = await connect(settings, lazy=True)
    waker = Waker(store, client, settings.sweep_every)
    app = create_app(
        settings,
        store,
        workspace,
        background=[waker.running],
        nudge=waker.nudge,
        go_first=waker.stand_back,
        temporal=client.service_client.check_health,
    )
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,  # ours is set
        access_log=False,  # paths and queries may carry addresses
        proxy_headers=False,  # who may come in is decided by the real peer
        timeout_graceful_shutdown=10,
    )
    server = _Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    log.info("serving", host=settings.host, port=settings.port)
    await server.serve()
    log.info("served")
    store.close()
    return 0 if server.started else 3


class _Server(uvicorn.Server):
    """Leaves the signals to us: uvicorn would raise them again and so end the process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Take no more requests and end those under way; said twice, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


__all__ = ["serve"]
