"""Telling who brought a friend what became of it, and the reward when the return period is over: each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Connection, Row

from dripline.engine.calendar import add, zone
from dripline.ingest.following import Times
from dripline.ingest.recording import record
from dripline.ingest.referring.giving import discount_key, give_offer
from dripline.ingest.referring.guards import told_to_referrer
from dripline.ingest.referring.joining import told_of
from dripline.ingest.refusal import Refused
from dripline.language.money import to_major
from dripline.language.plan import Duration, Limit
from dripline.language.rules import Rules
from dripline.language.terms import Terms
from dripline.store import referrals
from dripline.store.audit import record_act
from dripline.store.events import Event
from dripline.store.house import House
from dripline.store.leads import lock_leads, survivors
from dripline.store.rules import current_rules

JOINED, PURCHASED = "referral.joined", "referral.purchased"
REWARDED, REFUSED = "referral.rewarded", "referral.refused"

TRY_AGAIN = timedelta(days=1)
"""How long a reward waits for a budget or a pool that has nothing left (house time)."""

_log = structlog.get_logger(__name__)


def settle(connection: Connection, house: House, referral: str, clock: Callable[[], Times]) -> Row[Any]:
    """Do for a referral what is due by now, and tell who brought the friend; its row. Again, it changes nothing."""
    before, referrer = _locked(connection, referral)
    row, now = before, clock()
    if row.due_at is None or row.due_at > now.house:
        return row
    if referrer.erased_at is not None:
        return _over(connection, row, "gone") if _is_open(row) else _rest(connection, row)
    if row.referrer_id == row.friend_id and _is_open(row):  # they turned out to be one
        row = _over(connection, row, "self")
    elif row.state == referrals.PURCHASED and row.hold_until <= now.house:
        if referrals.is_spoken_for(connection, row):  # two friends turned out to be one
            row = _over(connection, row, "again")
        else:
            row = _reward(connection, house, current_rules(connection), row, referrer, now.house)
    else:
        row = _rest(connection, row)
    for event in _telling(before, row, now.house):
        record(connection, event, now.machine)
    return row


def refuse(
    connection: Connection, referral: str, reason: str, by: str | None, clock: Callable[[], Times]
) -> Row[Any]:
    """Let nobody be rewarded for this friend, as somebody decided, and keep who. Again, it changes nothing.

    Raises Refused: rewarded already (409).
    """
    before, referrer = _locked(connection, referral)
    if before.state == referrals.REWARDED:
        raise Refused(409, "rewarded", "This friend was rewarded already: take the discount back instead.")
    if before.state == referrals.REFUSED:
        return before
    now = clock()
    row = _over(connection, before, reason)
    record_act(connection, "referral-refused", by, reason, now.machine, referral=referral)
    if referrer.erased_at is None:
        for event in _telling(before, row, now.house):
            record(connection, event, now.machine)
    return row


def _locked(connection: Connection, referral: str) -> tuple[Row[Any], Row[Any]]:
    """The referral and its referrer, after both leads were locked in id order. Raises Refused (404)."""
    while True:
        row = referrals.find_referral(connection, referral)
        if row is None:
            raise Refused(404, "unknown-referral", "There is no referral of that id.")
        wanted = survivors(connection, {row.referrer_id, row.friend_id})
        leads = lock_leads(connection, set(wanted.values()))
        row = referrals.lock_referral(connection, referral)
        if row.referrer_id in leads and row.friend_id in leads:  # else merged between the look and the lock
            return row, leads[row.referrer_id]


def _is_open(row: Row[Any]) -> bool:
    return row.state in (referrals.JOINED, referrals.PURCHASED, referrals.RETURNED)


def _over(connection: Connection, row: Row[Any], reason: str) -> Row[Any]:
    return referrals.change_referral(
        connection, row.id, state=referrals.REFUSED, refused=reason[:64], hold_until=None, due_at=None
    )


def _rest(connection: Connection, row: Row[Any]) -> Row[Any]:
    """Leave it alone until the return period is over, or for good."""
    until = row.hold_until if row.state == referrals.PURCHASED else None
    return referrals.change_referral(connection, row.id, due_at=until)


def _reward(
    connection: Connection, house: House, rules: Rules, row: Row[Any], referrer: Row[Any], now: datetime
) -> Row[Any]:
    terms = Terms.model_validate(row.terms)
    if terms.limit is not None:
        since = _before(now, terms.limit, zone(rules.timezone))
        if referrals.rewarded(connection, row.program, referrer.id, since) >= terms.limit.count:
            return _over(connection, row, "limit")
    number = referrals.rewarded(connection, row.program, referrer.id) + 1
    tier = terms.tier(number)
    reward: dict[str, Any] = {"kind": "gift", "gift": tier.gift}
    reward_id = None
    if tier.bonus is not None and tier.currency is not None:
        amount = to_major(tier.bonus, tier.currency)
        reward = {"kind": "bonus", "amount": amount, "currency": tier.currency}
    elif tier.discount is not None:
        offer = tier.discount
        said = give_offer(
            connection, rules, referrer, row.id, row.program, "reward", offer, now, house.secret
        )
        if "code" not in said:
            _log.warning("reward-waits", referral=row.id, program=row.program, reason=said["reason"])
            waits = {"waits": said["reason"]}
            return referrals.change_referral(connection, row.id, reward=waits, due_at=now + TRY_AGAIN)
        reward, reward_id = {"kind": "discount", **told_of(said)}, discount_key(row.id, "reward")
    return referrals.change_referral(
        connection,
        row.id,
        state=referrals.REWARDED,
        rewarded_at=now,
        number=number,
        reward=reward,
        reward_id=reward_id,
        due_at=None,
    )


def _before(now: datetime, limit: Limit, where: ZoneInfo) -> datetime:
    per = limit.per
    return add(now, Duration(months=-per.months, days=-per.days, seconds=-per.seconds), where)


def _telling(before: Row[Any], row: Row[Any], at: datetime) -> Iterator[Event]:
    """What became of it, as the referrer's journeys are told; what they were told already, their ids say."""
    about = {"program": row.program, "referral": row.id}

    def event(name: str, stem: str = "", **more: Any) -> Event:
        id_ = f"referral-{row.id}.{name.partition('.')[2]}{stem}"
        return Event(id_, row.referrer_id, name, {**about, **more}, at)

    if before.state != referrals.REFUSED:
        yield event(JOINED, via=row.via)
    if before.state == referrals.PURCHASED:
        yield event(PURCHASED, f".{row.order_id}", hold_until=before.hold_until.isoformat())
    match row.state:
        case referrals.RETURNED:
            yield event(REFUSED, f".{row.order_id}", reason="returned")
        case referrals.REFUSED:
            yield event(REFUSED, reason=told_to_referrer(row.refused))
        case referrals.REWARDED:
            yield event(REWARDED, friends=row.number, **row.reward)
