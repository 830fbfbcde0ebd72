"""Pulling and releasing the brakes, by command or on a page: what is done, and that it was done and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from dripline.store.audit import record_act
from dripline.store.freezing import freeze, thaw
from dripline.store.held import count_reason
from dripline.store.house import Brake, open_house, pulled, set_stopped
from dripline.store.plans import set_paused

STOPPED = "everything is stopped"
"""The reason that held messages are given while everything is stopped."""
PAUSED = "journey paused"
"""The same while their journey is paused."""


@dataclass(frozen=True)
class Resumed:
    """What it came to that a journey goes on."""

    changed: bool
    waiting: int
    """Messages that were held meanwhile."""
    stood: timedelta | None
    """For how long its clock stood still, if it did."""


def stop_everything(connection: Connection, machine_now: datetime, by: str, why: str | None) -> Brake | None:
    """Let no message leave any more; the brake that was pulled already, if one was."""
    brake = pulled(connection)
    if brake is None:
        set_stopped(connection, open_house(connection).clock.to_house(machine_now))
        record_act(connection, "stop-all", by, why, machine_now)
    return brake


def start_everything(
    connection: Connection, machine_now: datetime, by: str, why: str | None
) -> tuple[Brake | None, int]:
    """Let messages leave again; the brake that was pulled, if one was, and how many messages it held."""
    brake, waiting = pulled(connection), count_reason(connection, STOPPED)
    if brake is not None:
        set_stopped(connection, None)
        record_act(connection, "start-all", by, why, machine_now, held=waiting)
    return brake, waiting


def pause_journey(
    connection: Connection, journey: str, machine_now: datetime, by: str, why: str | None, *, freezes: bool
) -> tuple[bool, bool]:
    """Let nobody enter, and hold its messages; whether that is new, and whether that its waits stand still is."""
    at = open_house(connection).clock.to_house(machine_now)
    paused = set_paused(connection, journey, at, why or f"by {by}")
    frozen = freezes and freeze(connection, journey, at)
    if paused or frozen:
        clock = "freeze" if freezes else "run"
        record_act(connection, "pause", by, why, machine_now, journey=journey, clock=clock)
    return paused, frozen


def resume_journey(
    connection: Connection, journey: str, machine_now: datetime, by: str, why: str | None
) -> Resumed:
    """Let a paused journey go on. Where its waits stood still, they are still to be put off, run by run."""
    waiting = count_reason(connection, PAUSED, journey)
    changed = set_paused(connection, journey, None, None)
    stood = thaw(connection, journey, open_house(connection).clock.to_house(machine_now))
    if changed:
        record_act(connection, "resume", by, why, machine_now, journey=journey, held=waiting)
    return Resumed(changed, waiting, stood)
