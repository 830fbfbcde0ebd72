"""Discounts: issued once, found by their code however it is typed, redeemed once."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from dripline.engine.effects import IssueDiscount
from dripline.language.money import to_major
from dripline.store.database import insert_into
from dripline.store.merges import formerly
from dripline.store.messages import message_key
from dripline.store.schema import discounts

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""31 letters and digits of which no two are taken for each other; a prime, so that the check finds every
wrong character and every two that changed places."""

LENGTH = 9
"""Characters of a code before its check character: 26 million million codes."""

TRIES = 20
"""Codes that are tried before we believe that something else is wrong than a code that exists."""

_NAMESPACE = uuid.UUID("0d9a1f5e-5c5d-4c0e-9f0a-6f4e3a1b7c22")


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


def plain_code(text: str) -> str:
    """A code as it is compared: capitals, no spaces, no dashes."""
    return "".join(text.split()).replace("-", "").replace("\N{EN DASH}", "").upper()


def issue(connection: Connection, run: Row[Any], wanted: IssueDiscount, secret: str) -> dict[str, Any]:
    """The discount of this step and visit (or of this step and lead): what there is already, else a new one.

    The caller has locked the lead. The answer is what conditions and templates read.
    """
    key = message_key(run.id, wanted.step, wanted.visit)
    if wanted.once_per_lead:
        key = _once_key(run.lead_id, run, wanted)
    row = _find(connection, key)
    if row is None and wanted.once_per_lead:
        row = _of_who_it_was(connection, run, wanted)
    number = 0
    while row is None:
        if number >= TRIES:
            raise RuntimeError("no code is free")
        _insert(connection, run, wanted, key, wanted.shared_code or code_for(secret, key, number))
        number += 1
        row = _find(connection, key)
    return said(row)


def said(row: Row[Any]) -> dict[str, Any]:
    """A discount as conditions and templates read it; what it lacks is left out. Amounts are in major units."""
    money = {name: getattr(row, name) for name in ("amount", "min_order")}
    found = {
        "code": row.code,
        "expires_on": row.expires_on,
        "percent": _whole(row.percent),
        "gift": row.gift,
        "currency": row.currency,
        **{name: to_major(minor, row.currency) for name, minor in money.items() if minor is not None},
    }
    return {name: value for name, value in found.items() if value is not None}


def by_code(connection: Connection, code: str) -> list[Row[Any]]:
    """The discounts of a code, however it was typed: one, or all that share it, the newest first."""
    query = select(discounts).where(discounts.c.plain_code == plain_code(code))
    return list(connection.execute(query.order_by(discounts.c.issued_at.desc(), discounts.c.id)).all())


def redeem(connection: Connection, discount_id: str, reference: str | None, at: datetime) -> Row[Any]:
    """Redeem a discount, the first time only; its row, which says when and for what it was redeemed."""
    connection.execute(
        update(discounts)
        .where(discounts.c.id == discount_id, discounts.c.redeemed_at.is_(None))
        .values(redeemed_at=at, redeemed_for=reference)
    )
    return connection.execute(select(discounts).where(discounts.c.id == discount_id)).one()


def _find(connection: Connection, key: str) -> Row[Any] | None:
    return connection.execute(select(discounts).where(discounts.c.id == key)).one_or_none()


def _once_key(lead_id: str, run: Row[Any], wanted: IssueDiscount) -> str:
    return uuid.uuid5(_NAMESPACE, f"{lead_id}/{run.journey}/{wanted.step}").hex


def _of_who_it_was(connection: Connection, run: Row[Any], wanted: IssueDiscount) -> Row[Any] | None:
    """What was issued to a lead that has become this one: once per lead is once per person."""
    keys = [_once_key(lead_id, run, wanted) for lead_id in formerly(connection, run.lead_id)]
    query = select(discounts).where(discounts.c.id.in_(keys), discounts.c.lead_id == run.lead_id)
    return connection.execute(query.order_by(discounts.c.issued_at, discounts.c.id)).first()


def _insert(connection: Connection, run: Row[Any], wanted: IssueDiscount, key: str, code: str) -> None:
    connection.execute(
        insert_into(connection, discounts)
        .values(
            id=key,
            code=code,
            plain_code=plain_code(code),
            shared=wanted.shared_code is not None,
            lead_id=run.lead_id,
            run_id=run.id,
            journey=run.journey,
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
