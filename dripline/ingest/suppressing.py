"""The suppression list, as people and other systems look at it and change it: by address, of which a hash is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.identity import NotNormal, normal_email, normal_phone
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.store.audit import record_act
from dripline.store.database import Store
from dripline.store.house import House, open_house
from dripline.store.suppressions import BY_HAND, REASONS, lift, suppress, suppression

_CHUNK = 500


@dataclass(frozen=True)
class Address:
    """An address made normal, and its channel."""

    channel: str
    text: str


@dataclass(frozen=True)
class Entry:
    """Why and since when (house time) an address is on the list."""

    channel: str
    reason: str
    since: datetime
    by: str | None
    why: str | None


def read_address(text: str, region: str | None, channel: str | None = None) -> Address:
    """The address that is meant: an e-mail address where there is an `@`, else a number. Raises Refused."""
    text = text.strip()
    kind = channel or ("email" if "@" in text else "sms")
    try:
        return Address(kind, normal_email(text) if kind == "email" else normal_phone(text, region))
    except NotNormal as error:
        raise invalid([FieldError("address", str(error))]) from None


class Suppressions:
    """The list of an installation. Every change by hand is kept in the audit log, without the address."""

    def __init__(
        self, store: Store, secret: str | None = None, machine: MachineClock = machine_clock
    ) -> None:
        self._store, self._secret, self._machine = store, secret, machine

    def look_up(self, address: Address) -> Entry | None:
        """Its entry, or None where it is not on the list."""
        with self._store.write() as connection:  # the house's row may have to be made
            return _entry(connection, open_house(connection, self._secret), address)

    def put(
        self, address: Address, reason: str = BY_HAND, by: str | None = None, why: str | None = None
    ) -> tuple[Entry, bool]:
        """Put an address on the list: its entry now, and whether that is new. A heavier reason stays."""
        _check_reason(reason)
        with self._store.write() as connection:
            house = open_house(connection, self._secret)
            now = self._machine()
            changed = _put(connection, house, address, reason, house.clock.to_house(now), by, why)
            if changed:
                detail = {"channel": address.channel, "reason": reason, "address": _short(house, address)}
                record_act(connection, "suppress", by, why, now, **detail)
            entry = _entry(connection, house, address)
        assert entry is not None
        return entry, changed

    def put_all(
        self,
        addresses: Iterable[tuple[Address, str]],
        by: str | None = None,
        why: str | None = None,
    ) -> Iterator[bool]:
        """Put many addresses on the list, each with its reason; for each whether it is new. In pieces, so that a
        break leaves whole ones, and doing it again changes nothing.
        """
        chunk: list[tuple[Address, str]] = []
        for one in addresses:
            chunk.append(one)
            if len(chunk) == _CHUNK:
                yield from self._put_chunk(chunk, by, why)
                chunk = []
        yield from self._put_chunk(chunk, by, why)

    def take_off(self, address: Address, why: str, by: str | None = None, *, complaint: bool = False) -> str:
        """Take an address off the list; the reason for which it was there. What its lead agreed to stays as it is.

        `complaint`: also if it had reported a message as spam. Raises Refused: not on the list (404), a complaint
        that was not said (409).
        """
        with self._store.write() as connection:
            house = open_house(connection, self._secret)
            entry = _entry(connection, house, address)
            if entry is None:
                raise Refused(404, "not-suppressed", "This address is not on the suppression list.")
            if entry.reason == "complained" and not complaint:
                raise Refused(
                    409,
                    "complained",
                    "Whoever has this address reported a message as spam: it is only taken off by a plain word.",
                )
            lift(connection, address.channel, house.address_hash(address.channel, address.text))
            detail = {"channel": address.channel, "reason": entry.reason, "address": _short(house, address)}
            record_act(connection, "unsuppress", by, why, self._machine(), **detail)
            return entry.reason

    def _put_chunk(self, chunk: list[tuple[Address, str]], by: str | None, why: str | None) -> list[bool]:
        if not chunk:
            return []
        with self._store.write() as connection:
            house = open_house(connection, self._secret)
            now = self._machine()
            at = house.clock.to_house(now)
            done = [_put(connection, house, address, reason, at, by, why) for address, reason in chunk]
            if any(done):
                record_act(connection, "suppress", by, why, now, addresses=sum(done))
            return done


def _put(
    connection: Connection,
    house: House,
    address: Address,
    reason: str,
    at: datetime,
    by: str | None,
    why: str | None,
) -> bool:
    hashed = house.address_hash(address.channel, address.text)
    return suppress(connection, address.channel, hashed, reason, at, by, why)


def _entry(connection: Connection, house: House, address: Address) -> Entry | None:
    row = suppression(connection, address.channel, house.address_hash(address.channel, address.text))
    return Entry(row.channel, row.reason, row.created_at, row.by, row.why) if row is not None else None


def _short(house: House, address: Address) -> str:
    """The beginning of the hash: enough to find the same address again."""
    return house.address_hash(address.channel, address.text)[:12]


def _check_reason(reason: str) -> None:
    if reason not in REASONS:
        raise invalid([FieldError("reason", f"is none of {', '.join(REASONS)}")])


__all__ = ["Address", "Entry", "Suppressions", "read_address"]
