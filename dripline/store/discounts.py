"""Discounts: issued once, found by their code however it is typed, redeemed once."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select, update

from dripline.engine.effects import IssueDiscount
from dripline.language.money import to_major
from dripline.store.budgets import commit
from dripline.store.database import insert_into
from dripline.store.merges import formerly
from dripline.store.messages import message_key
from dripline.store.pools import give_code, take_code
from dripline.store.schema import discounts

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 letters and digits of which no two are taken for each other; a prime, so that the check finds every
wrong character and every two that changed places."""

LENGTH = 9
"""Characters of a code before its check character: 26 million million codes."""

TRIES = 20
"""Codes that are tried before we believe that something else is wrong than a code that exists."""

POOL_EMPTY = "pool empty"
BUDGET_SPENT = "budget spent"
CODE_TAKEN = "the shop's code is another lead's"
"""Why a lead is issued none."""

OF_PROGRAM = "referral/"
"""Before a program's name, where a journey's would stand: it issued the discount."""

_NAMESPACE = uuid.UUID("0d9a1f5e-5c5d-4c0e-9f0a-6f4e3a1b7c22")


@dataclass(frozen=True)
class Holder:
    """Whose a discount is, and what issued it: a run of a journey, or no run."""

    lead_id: str
    journey: str
    run_id: str | None = None


def code_for(secret: str, key: str, number: int = 0) -> str:
    """The code of a discount, always the same for one key; other `number`s give others. `ABCDE-FGHJK`."""
    digest = hmac.new(secret.encode(), f"discount/{key}/{number}".encode(), hashlib.sha256).digest()
    left, text = int.from_bytes(digest, "big"), ""
    for _ in range(LENGTH):
        left, place = divmod(left, len(ALPHABET))
        text += ALPHABET[place]
    text += _check(text)
    return f"{text[:5]}-{text[5:]}"


def is_code(text: str) -> bool:
    """Whether a text can be a code of ours, as its check character says."""
    plain = plain_code(text)
    if len(plain) != LENGTH + 1 or any(letter not in ALPHABET for letter in plain):
        return False
    return _check(plain[:-1]) == plain[-1]


def unfit(text: str) -> str | None:
    """Why a code of somebody else's cannot be used, to be read after it; None if it can."""
    if not any(letter.isalnum() for letter in text):
        return "has neither letter nor digit"
    if "/" in text:
        return "has a slash, which no address of the API can hold"
    return None


def plain_code(text: str) -> str:
    """A code as it is compared: capitals, no spaces, no dashes."""
    return "".join(text.split()).replace("-", "").replace("\N{EN DASH}", "").upper()


def issue(connection: Connection, run: Row[Any], wanted: IssueDiscount, secret: str) -> dict[str, Any]:
    """The discount of this step and visit (or of this step and lead): what there is already, else a new one.

    The caller has locked the lead. The answer is what conditions and templates read: where the pool is empty or
    the budget spent, `reason`.
    """
    key = message_key(run.id, wanted.step, wanted.visit)
    if wanted.once_per_lead:
        key = _once_key(run.lead_id, run, wanted)
    row = find_by_key(connection, key)
    if row is None and wanted.once_per_lead:
        row = _of_who_it_was(connection, run, wanted)
    if row is not None:
        return said(row)
    return give(connection, key, Holder(run.lead_id, run.journey, run.id), wanted, secret)


def give(
    connection: Connection, key: str, holder: Holder, wanted: IssueDiscount, secret: str
) -> dict[str, Any]:
    """The discount under that key: the one that there is, else a new one. Answers as `issue`; the lead is locked."""
    row = find_by_key(connection, key)
    if row is not None:
        return said(row)
    taken = take_code(connection, wanted.pool) if wanted.pool else None
    if wanted.pool and taken is None and not wanted.own_if_empty:
        return {"reason": POOL_EMPTY}
    if wanted.shop_code and by_code(connection, wanted.shop_code):
        return {"reason": CODE_TAKEN}
    if wanted.budget and not commit(connection, wanted.budget, liability(wanted) or 0):
        return {"reason": BUDGET_SPENT}
    number = 0
    while row is None:
        if number >= TRIES:
            raise RuntimeError("no code is free")
        code = taken or wanted.shared_code or wanted.shop_code or code_for(secret, key, number)
        _insert(connection, holder, wanted, key, code, from_pool=taken is not None)
        number += 1
        row = find_by_key(connection, key)
    if wanted.pool and taken is not None:
        give_code(connection, wanted.pool, taken, key)
    return said(row)


def liability(discount: Row[Any] | IssueDiscount) -> int | None:
    """What it can come to at most, in minor units; None where that cannot be told before its order."""
    if discount.amount is not None:
        return int(discount.amount)
    if discount.percent is not None:
        return None if discount.most is None else int(discount.most)
    return 0


def worth(discount: Row[Any], total: int) -> int:
    """What comes off an order of `total`, both in minor units; a fraction of one is the shop's."""
    if discount.amount is not None:
        return min(int(discount.amount), total)
    if discount.percent is None:
        return 0
    off = int(Decimal(total) * Decimal(str(discount.percent)) / 100)
    return off if discount.most is None else min(off, int(discount.most))


def said(row: Row[Any]) -> dict[str, Any]:
    """A discount as conditions and templates read it; what it lacks is left out. Amounts are in major units."""
    money = {name: getattr(row, name) for name in ("amount", "min_order", "most")}
    found = {
        "code": row.code,
        "expires_on": row.expires_on,
        "percent": _whole(row.percent),
        "gift": row.gift,
        "currency": row.currency,
        **{name: to_major(minor, row.currency) for name, minor in money.items() if minor is not None},
    }
    return {name: value for name, value in found.items() if value is not None}


def by_code(
    connection: Connection, code: str, leads: Collection[str] | None = None, limit: int | None = None
) -> list[Row[Any]]:
    """The discounts of a code, however it was typed: one, or those that share it, the newest first.

    `leads`: only theirs; `limit`: no more than so many.
    """
    query = select(discounts).where(discounts.c.plain_code == plain_code(code))
    if leads is not None:
        query = query.where(discounts.c.lead_id.in_(leads))
    query = query.order_by(discounts.c.issued_at.desc(), discounts.c.id)
    return list(connection.execute(query if limit is None else query.limit(limit)).all())


def holders(connection: Connection, code: str) -> int:
    """How many leads have discounts of the code, counted to 2."""
    query = select(discounts.c.lead_id).where(discounts.c.plain_code == plain_code(code)).distinct()
    return len(connection.execute(query.limit(2)).all())


def newest(connection: Connection, limit: int) -> list[Row[Any]]:
    """The discounts that were issued last, the newest first."""
    query = select(discounts).order_by(discounts.c.issued_at.desc(), discounts.c.id)
    return list(connection.execute(query.limit(limit)).all())


def lock_discount(connection: Connection, discount_id: str) -> Row[Any]:
    """Lock the discount's row, after its lead's; the row."""
    query = select(discounts).where(discounts.c.id == discount_id).with_for_update()
    return connection.execute(query).one()


def change(connection: Connection, discount_id: str, **values: Any) -> Row[Any]:
    """Set columns of a discount that is locked; its row."""
    connection.execute(update(discounts).where(discounts.c.id == discount_id).values(values))
    return connection.execute(select(discounts).where(discounts.c.id == discount_id)).one()


def of_order(connection: Connection, reference: str, now: datetime) -> list[Row[Any]]:
    """The discounts that were redeemed for the order, or are reserved for it."""
    if connection.dialect.name == "postgresql":  # two codes for one order, at the same moment
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(reference, 0))))
    reserved = (discounts.c.reserved_for == reference) & (discounts.c.reserved_until > now)
    query = select(discounts).where(or_(discounts.c.redeemed_for == reference, reserved))
    return list(connection.execute(query))


def expiring(connection: Connection, now: datetime, limit: int) -> list[Row[Any]]:
    """Discounts whose time was over unused, of which nobody was told; oldest first."""
    query = (
        select(discounts.c.id, discounts.c.lead_id)
        .where(
            discounts.c.expires_at <= now,
            discounts.c.redeemed_at.is_(None),
            discounts.c.revoked_at.is_(None),
            discounts.c.expiry_told_at.is_(None),
        )
        .order_by(discounts.c.expires_at)
        .limit(limit)
    )
    return list(connection.execute(query))


def find_by_key(connection: Connection, key: str) -> Row[Any] | None:
    """The discount that was issued under that key, or None."""
    return connection.execute(select(discounts).where(discounts.c.id == key)).one_or_none()


def _once_key(lead_id: str, run: Row[Any], wanted: IssueDiscount) -> str:
    return uuid.uuid5(_NAMESPACE, f"{lead_id}/{run.journey}/{wanted.step}").hex


def _of_who_it_was(connection: Connection, run: Row[Any], wanted: IssueDiscount) -> Row[Any] | None:
    """What was issued to a lead that has become this one: once per lead is once per person."""
    keys = [_once_key(lead_id, run, wanted) for lead_id in formerly(connection, run.lead_id)]
    query = select(discounts).where(discounts.c.id.in_(keys), discounts.c.lead_id == run.lead_id)
    return connection.execute(query.order_by(discounts.c.issued_at, discounts.c.id)).first()


def _insert(
    connection: Connection, holder: Holder, wanted: IssueDiscount, key: str, code: str, *, from_pool: bool
) -> None:
    connection.execute(
        insert_into(connection, discounts)
        .values(
            id=key,
            code=code,
            plain_code=plain_code(code),
            shared=wanted.shared_code is not None,
            pool=wanted.pool if from_pool else None,
            shop=wanted.shop,
            budget=wanted.budget,
            most=wanted.most,
            stacks=wanted.stacks,
            lead_id=holder.lead_id,
            run_id=holder.run_id,
            journey=holder.journey,
            step=wanted.step,
            visit=wanted.visit,
            percent=wanted.percent,
            amount=wanted.amount,
            min_order=wanted.min_order,
            currency=wanted.currency,
            gift=wanted.gift,
            issued_at=wanted.at,
            expires_on=wanted.expires_on,
            expires_at=wanted.expires_at,
        )
        .on_conflict_do_nothing()
    )


def _check(text: str) -> str:
    """The character that makes the weighted sum of all come out at 0: weights differ, and none is 0 modulo 31."""
    total = sum(weight * ALPHABET.index(letter) for weight, letter in enumerate(text, 2))
    return ALPHABET[-total % len(ALPHABET)]


def _whole(number: float | None) -> int | float | None:
    return int(number) if number is not None and number == int(number) else number
