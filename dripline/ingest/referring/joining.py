"""A friend comes by a code: written once, held against the guards, and welcomed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select

from dripline.ingest.referring.giving import discount_key, give_offer
from dripline.ingest.referring.guards import Meeting, reason_against
from dripline.ingest.refusal import Refused
from dripline.language.rules import Rules
from dripline.language.terms import Program
from dripline.store import discounts, referrals
from dripline.store.events import Event
from dripline.store.house import House
from dripline.store.leads import facts, read_lead
from dripline.store.schema import identities, orders

Via = Literal["form", "event", "api", "command"]

WELCOMED = "referral.welcomed"
_SAID = ("code", "percent", "amount", "currency", "min_order", "gift", "expires_on")
"""What an event tells of a discount."""


@dataclass(frozen=True)
class Arrival:
    """By which code somebody came, and how."""

    code: str
    via: Via
    device: str | None = None
    """What tells the device or browser from others; only a keyed hash of it is kept."""
    network: str | None = None
    """The network that it came from; the same."""
    event: str | None = None
    """The id of the event that said so: its own order is no order from before."""


@dataclass(frozen=True)
class Joined:
    """What became of it; `welcome` is what events and programs are told of the friend's discount."""

    row: Row[Any]
    new: bool
    welcome: dict[str, Any]
    told: tuple[Event, ...] = ()
    """What is still to be recorded of the friend."""


def join(
    connection: Connection, house: House, rules: Rules, friend: Row[Any], came: Arrival, at: datetime
) -> Joined:
    """Keep who brought the friend, whose row is locked: once for a program, by whoever was first. `at`: house time.

    Raises Refused: no such code, or of a lead that is gone (404), a program that is over (410), the friend's own (409).
    """
    code = referrals.find_code(connection, came.code)
    referrer = read_lead(connection, code.lead_id) if code is not None else None
    if code is None or referrer is None or referrer.erased_at is not None:
        raise Refused(404, "unknown-code", "Nobody brings friends by this code.")
    program = rules.referrals.get(code.program)
    if program is None:
        raise Refused(410, "program-over", "Friends are not brought by this program any more.")
    if referrer.id == friend.id:
        raise Refused(409, "own-code", "This is the lead's own code: nobody brings themselves.")
    known = _brought_before(connection, code.program, friend.id)
    if known is not None:
        return Joined(known, False, _welcome(connection, known))
    return _kept(connection, house, rules, program, code, referrer, friend, came, at)


def _kept(
    connection: Connection,
    house: House,
    rules: Rules,
    program: Program,
    code: Row[Any],
    referrer: Row[Any],
    friend: Row[Any],
    came: Arrival,
    at: datetime,
) -> Joined:
    hashes = {
        "device_hash": house.address_hash("device", came.device) if came.device else None,
        "network_hash": house.address_hash("network", came.network) if came.network else None,
    }
    reason = reason_against(_meeting(connection, program, referrer, friend, came, hashes))
    id_ = referrals.referral_id(code.program, friend.id)
    row = referrals.keep_referral(
        connection,
        {
            "id": id_,
            "program": code.program,
            "referrer_id": referrer.id,
            "friend_id": friend.id,
            "at": at,
            "via": came.via,
            "state": referrals.REFUSED if reason else referrals.JOINED,
            "refused": reason,
            "terms": program.terms.model_dump(mode="json", exclude_defaults=True),
            "due_at": at,
            **hashes,
        },
    )
    if reason is not None or program.welcome is None:
        return Joined(row, True, {}, () if reason else (_welcomed(row, {}, at),))
    said = give_offer(
        connection, rules, friend, id_, code.program, "welcome", program.welcome, at, house.secret
    )
    if "code" in said:
        row = referrals.change_referral(connection, id_, welcome_id=discount_key(id_, "welcome"))
    return Joined(row, True, told_of(said), (_welcomed(row, said, at),))


def told_of(said: dict[str, Any]) -> dict[str, Any]:
    """What events tell of a discount."""
    return {name: said[name] for name in _SAID if name in said}


def _welcomed(row: Row[Any], said: dict[str, Any], at: datetime) -> Event:
    told = {"program": row.program, "referral": row.id, **told_of(said)}
    return Event(f"referral-{row.id}.welcomed", row.friend_id, WELCOMED, told, at)


def _brought_before(connection: Connection, program: str, friend_id: str) -> Row[Any] | None:
    """By whom the friend was brought, as whichever lead it was then."""
    found = [row for row in referrals.of_friend(connection, friend_id) if row.program == program]
    return (
        found[0] if found else referrals.find_referral(connection, referrals.referral_id(program, friend_id))
    )


def _welcome(connection: Connection, row: Row[Any]) -> dict[str, Any]:
    found = discounts.find_by_key(connection, row.welcome_id) if row.welcome_id else None
    return told_of(discounts.said(found)) if found is not None else {}


def _meeting(
    connection: Connection,
    program: Program,
    referrer: Row[Any],
    friend: Row[Any],
    came: Arrival,
    hashes: dict[str, str | None],
) -> Meeting:
    device, network = hashes["device_hash"], hashes["network_hash"]
    before = referrals.seen_before(connection, referrer.id)
    return Meeting(
        referrer=facts(referrer),
        friend=facts(friend),
        is_above=friend.id in referrals.above(connection, referrer.id),
        has_bought=_has_bought(connection, friend.id, came.event),
        same_device=device is not None
        and (any(row.device_hash == device for row in before) or _is_its_own(connection, referrer.id, came)),
        own_network=network is not None and any(row.own and row.network_hash == network for row in before),
        from_network=sum(not row.own and row.network_hash == network for row in before) if network else 0,
        per_network=program.per_network,
        differ=program.differ,
    )


def _has_bought(connection: Connection, lead_id: str, besides: str | None) -> bool:
    query = select(orders.c.id).where(
        orders.c.lead_id == lead_id, orders.c.event_id.is_distinct_from(besides)
    )
    return connection.execute(query.limit(1)).one_or_none() is not None


def _is_its_own(connection: Connection, lead_id: str, came: Arrival) -> bool:
    """Whether the device is one that the referrer is known by to the tracking API."""
    query = select(identities.c.lead_id).where(
        identities.c.kind == "anonymous_id",
        identities.c.value == came.device,
        identities.c.lead_id == lead_id,
    )
    return connection.execute(query).one_or_none() is not None
