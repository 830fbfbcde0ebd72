"""Bringing a throw-away installation up for one walk, and taking it down whatever happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from dripline.clock import machine_clock
from dripline.language.plan import Plan
from dripline.settings import Settings
from dripline.stack.apart import Apart, apart
from dripline.stack.supervise import StartFailed, Supervisor
from dripline.stack.up import local_url
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.migrate import migrate
from dripline.store.plans import publish
from dripline.trying.walking import Walk, Wanted

INTERRUPTED = 130
_LAST_LINES = 20


def run(
    settings: Settings, plans: Mapping[str, Plan], wanted: Wanted, console: Console, *, keep: bool
) -> int:
    """Walk, and return the exit code. Raises CannotStart, StartFailed, NotEntered."""
    with apart(settings, keep=keep) as house:
        console.print(f"Starting everything in {house.folder}, for this walk only …", style="dim")
        store = Store(house.settings.store_url(), pool_size=2)
        try:
            _prepare(store, plans)
            return asyncio.run(_walk(house, store, wanted, console))
        except StartFailed:
            sys.stderr.writelines(_last_lines(house.log))
            raise
        finally:
            store.close()
            if keep:
                console.print(
                    f"Kept: {house.folder} (DRIPLINE_DATA={house.folder} dripline mailbox)", style="dim"
                )


async def _walk(house: Apart, store: Store, wanted: Wanted, console: Console) -> int:
    walk = Walk(wanted, store, local_url(house.settings), console)
    with house.log.open("ab") as log:
        supervisor = Supervisor(house.programs, output=log)

        async def go() -> None:
            await walk.go()
            supervisor.stop()

        await supervisor.run(go)
    return INTERRUPTED if walk.result is None else walk.result


def _prepare(store: Store, plans: Mapping[str, Plan]) -> None:
    migrate(store)
    with store.write() as connection:
        now = open_house(connection).clock.to_house(machine_clock())
        for plan in plans.values():
            publish(connection, plan, now, by="try")


def _last_lines(log: Path) -> list[str]:
    return log.read_text(errors="replace").splitlines(keepends=True)[-_LAST_LINES:] if log.exists() else []


__all__ = ["run"]
