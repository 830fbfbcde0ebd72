"""The installation's own row: its clock, its secret, its brake."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from dripline.clock import HouseClock
from dripline.store.audit import last_act
from dripline.store.database import insert_into
from dripline.store.schema import house

_HOUSE = select(house)


@dataclass(frozen=True)
class House:
    """What every process needs to know of the installation."""

    clock: HouseClock
    secret: str
    stopped_at: datetime | None
    temporal_id: str | None

    def address_hash(self, channel: str, address: str) -> str:
        """A keyed hash of an address: recognises it again without keeping it."""
        text = f"{channel}:{address.strip().casefold()}".encode()
        return hmac.new(self.secret.encode(), text, hashlib.sha256).hexdigest()


def open_house(connection: Connection, secret: str | None = None) -> House:
    """The installation's row, made on first use. A `secret` given wins over the one kept."""
    row = connection.execute(_HOUSE).one_or_none()
    if row is None:
        clock = HouseClock()
        values: dict[str, Any] = {
            "id": 1,
            "machine_epoch": clock.machine_epoch,
            "house_epoch": clock.house_epoch,
            "rate": clock.rate,
            "secret": secrets.token_urlsafe(32),
        }
        connection.execute(insert_into(connection, house).values(values).on_conflict_do_nothing())
        row = connection.execute(_HOUSE).one()
    return _house(row, secret)


def set_clock(connection: Connection, clock: HouseClock) -> None:
    """Let house time go on by another clock."""
    connection.execute(
        update(house).values(
            machine_epoch=clock.machine_epoch, house_epoch=clock.house_epoch, rate=clock.rate
        )
    )


def set_stopped(connection: Connection, at: datetime | None) -> None:
    """Pull (a time) or release (None) the brake on everything."""
    open_house(connection)  # the row must be there
    connection.execute(update(house).values(stopped_at=at))


@dataclass(frozen=True)
class Brake:
    """Since when (house time) everything is stopped, by whom, and why, as far as they said."""

    since: datetime
    by: str | None = None
    why: str | None = None


def pulled(connection: Connection) -> Brake | None:
    """The brake on everything, if it is pulled."""
    since = connection.execute(select(house.c.stopped_at)).scalar_one_or_none()
    if since is None:
        return None
    act = last_act(connection, "stop-all")
    return Brake(since, act.by, act.why) if act else Brake(since)


def set_temporal_id(connection: Connection, temporal_id: str) -> None:
    """Remember which Temporal namespace the runs live on."""
    connection.execute(update(house).values(temporal_id=temporal_id))


def _house(row: Row[Any], secret: str | None) -> House:
    return House(
        clock=HouseClock(machine_epoch=row.machine_epoch, house_epoch=row.house_epoch, rate=row.rate),
        secret=secret or row.secret,
        stopped_at=row.stopped_at,
        temporal_id=row.temporal_id,
    )


__all__ = ["Brake", "House", "open_house", "pulled", "set_clock", "set_stopped", "set_temporal_id"]
