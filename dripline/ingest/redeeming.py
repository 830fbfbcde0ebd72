"""Redeeming discounts: by their code, for one order each, and what that tells the lead's journeys.

A code is open until its last day is over; an order may reserve it for a while, and redeems it once. Repeats of the
same order are answered as before. Whoever redeems locks the lead, then the discount, then its budget.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row

from dripline.ingest.following import Times
from dripline.ingest.recording import record
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.language.money import MoneyError, to_major, to_minor
from dripline.store import budgets, discounts
from dripline.store.audit import record_act
from dripline.store.events import Event
from dripline.store.leads import lock_survivor, survivor_id

REDEEMED, EXPIRED = "discount.redeemed", "discount.expired"


@dataclass(frozen=True)
class Purchase:
    """What a code is redeemed for. Amounts are in major units."""

    reference: str
    """The order, as the shop calls it."""
    lead: str | None = None
    """Dripline's id of the lead, where leads share the code."""
    total: Decimal | None = None
    """What the order comes to without the discount."""
    currency: str | None = None
    """ISO 4217; without it, the discount's or the workspace's."""


Clock = Callable[[], Times]
"""Read once the rows are locked, so that times are in the order of the locks."""


def find(connection: Connection, code: str, lead: str | None, reference: str | None = None) -> Row[Any]:
    """The discount that is meant. Raises Refused: no such code (404), one that leads share (409)."""
    if lead is None and discounts.holders(connection, code) > 1:
        raise Refused(409, "shared-code", "Leads share this code: say by `lead` whose discount it is.")
    whose = None if lead is None else {lead, survivor_id(connection, lead)}
    rows = discounts.by_code(connection, code, whose)
    if not rows:
        wrong = "" if discounts.is_code(code) else " A character of it may be wrong."
        raise Refused(404, "unknown-code", f"There is no discount of this code.{wrong}")
    known = (row for row in rows if reference is not None and row.redeemed_for == reference)
    good = (row for row in rows if row.redeemed_at is None and row.revoked_at is None)
    unused = (row for row in rows if row.redeemed_at is None)
    return next(known, None) or next(good, None) or next(unused, rows[0])


def find_id(connection: Connection, discount_id: str) -> Row[Any]:
    """The discount of that id: a code may be several leads', or one lead's twice. Raises Refused (404)."""
    row = discounts.find_by_key(connection, discount_id)
    if row is None:
        raise Refused(404, "unknown-discount", "There is no discount of that id.")
    return row


def redeem(
    connection: Connection, code: str, order: Purchase, currency: str | None, clock: Clock
) -> Row[Any]:
    """Redeem the code for the order, once; its row.

    `currency` is the workspace's. Raises Refused: not to be had (404, 409, 410), an order that it is not for (422).
    """
    row = _locked(connection, find(connection, code, order.lead, order.reference))
    now = clock()
    if row.redeemed_at is not None:
        if row.redeemed_for != order.reference:
            raise Refused(409, "redeemed", "This discount was redeemed for something else.")
        return row
    _refuse_closed(row, order.reference, now.house)
    _refuse_others(connection, row, order.reference, now.house)
    total, said = _total(row, order, currency)
    given = None if total is None or said is None else discounts.worth(row, total)
    if row.budget is not None:
        _spend(connection, row, given)
    row = discounts.change(
        connection,
        row.id,
        redeemed_at=now.house,
        redeemed_for=order.reference,
        total=total,
        given=given,
        currency=row.currency or (said if total is not None else None),
        reserved_for=None,
        reserved_until=None,
    )
    _tell(connection, row, REDEEMED, now, order=order.reference, **_money(row))
    return row


def reserve(
    connection: Connection, code: str, reference: str, lead: str | None, lasts: timedelta, clock: Clock
) -> Row[Any]:
    """Keep the code for the order for a while: no other can redeem it. Again for the same order: longer."""
    row = _locked(connection, find(connection, code, lead, reference))
    now = clock().house
    if row.redeemed_at is not None:
        if row.redeemed_for != reference:
            raise Refused(409, "redeemed", "This discount was redeemed for something else.")
        return row
    _refuse_closed(row, reference, now)
    _refuse_others(connection, row, reference, now)
    return discounts.change(connection, row.id, reserved_for=reference, reserved_until=now + lasts)


def release(connection: Connection, code: str, reference: str, lead: str | None) -> Row[Any]:
    """The order will not come: let others redeem the code. It changes nothing if another has it by now."""
    row = _locked(connection, find(connection, code, lead, reference))
    if row.reserved_for != reference:
        return row
    return discounts.change(connection, row.id, reserved_for=None, reserved_until=None)


def revoke(connection: Connection, found: Row[Any], why: str, by: str | None, clock: Clock) -> Row[Any]:
    """Take the discount back: nobody can redeem it any more. Raises Refused (409) where somebody has.

    `by` and `why` are kept in the audit log.
    """
    row = _locked(connection, found)
    if row.redeemed_at is not None:
        raise Refused(409, "redeemed", "This discount was redeemed already.")
    if row.revoked_at is not None:
        return row
    _end(connection, row)
    now = clock()
    record_act(connection, "discount-revoked", by, why, now.machine, discount=row.id)
    return discounts.change(connection, row.id, revoked_at=now.house, revoked_why=why)


def expire(connection: Connection, lead_id: str, discount_id: str, clock: Clock) -> bool:
    """Tell the lead's journeys that its discount has expired, once; whether that was so."""
    lead = lock_survivor(connection, lead_id)
    row = discounts.lock_discount(connection, discount_id)
    now = clock()
    over = row.expires_at is not None and row.expires_at <= now.house
    if not over or row.redeemed_at or row.revoked_at or row.expiry_told_at:
        return False
    _end(connection, row)
    row = discounts.change(connection, row.id, expiry_told_at=now.house)
    if lead is not None and lead.erased_at is None:
        _tell(connection, row, EXPIRED, now)
    return True


def state_of(row: Row[Any], now: datetime) -> str:
    """open, reserved, redeemed, revoked or expired."""
    if row.redeemed_at is not None:
        return "redeemed"
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "reserved" if row.reserved_until is not None and row.reserved_until > now else "open"


def _locked(connection: Connection, row: Row[Any]) -> Row[Any]:
    lock_survivor(connection, row.lead_id)
    return discounts.lock_discount(connection, row.id)


def _refuse_closed(row: Row[Any], reference: str, now: datetime) -> None:
    state = state_of(row, now)
    if state == "revoked":
        raise Refused(410, "revoked", "This discount was taken back.")
    if state == "expired":
        raise Refused(410, "expired", f"The last day of this discount was {row.expires_on}.")
    if state == "reserved" and row.reserved_for != reference:
        raise Refused(409, "reserved", "Another order has reserved this discount. Try again later.")


def _refuse_others(connection: Connection, row: Row[Any], reference: str, now: datetime) -> None:
    others = [one for one in discounts.of_order(connection, reference, now) if one.id != row.id]
    if others and not (row.stacks and all(one.stacks for one in others)):
        raise Refused(
            409, "not-combinable", "The order has another discount already, and may have only one of them."
        )


def _total(row: Row[Any], order: Purchase, currency: str | None) -> tuple[int | None, str | None]:
    """The order's total in minor units, and its currency. Raises Refused where the discount is not for it."""
    said = order.currency or row.currency or currency
    if order.total is None:
        if row.budget is not None:
            raise invalid([FieldError("total", "is needed: a budget pays for this discount")])
        return None, said
    if said is None:
        raise invalid([FieldError("currency", "is needed: the workspace has none")])
    if row.currency is not None and said != row.currency:
        raise invalid([FieldError("currency", f"differs from the discount's, which is {row.currency}")])
    try:
        total = to_minor(order.total, said)
    except MoneyError as error:
        raise invalid([FieldError("total", str(error))]) from None
    if row.min_order is not None and total < row.min_order:
        least = to_major(row.min_order, said)
        raise Refused(422, "below-minimum", f"This discount is for orders of {least} {said} and more.")
    return total, said


def _spend(connection: Connection, row: Row[Any], given: int | None) -> None:
    committed = discounts.liability(row)
    if not budgets.spend(connection, row.budget, given or 0, committed or 0):
        raise Refused(409, "budget-spent", "The budget that pays for this discount is spent.")


def _end(connection: Connection, row: Row[Any]) -> None:
    """Nobody can redeem it any more: what it might have come to is free again, once."""
    if row.budget is not None and row.expiry_told_at is None:
        budgets.give_back(connection, row.budget, discounts.liability(row) or 0)


def _money(row: Row[Any]) -> dict[str, Any]:
    if row.given is None or row.currency is None:
        return {}
    amounts = {"total": row.total, "given": row.given}
    return {name: to_major(minor, row.currency) for name, minor in amounts.items()} | {
        "currency": row.currency
    }


def _tell(connection: Connection, row: Row[Any], name: str, now: Times, **more: Any) -> None:
    said = {"code": row.code, "journey": row.journey, **more}
    event = Event(f"discount-{row.id}.{name.partition('.')[2]}", row.lead_id, name, said, now.house)
    lead = lock_survivor(connection, row.lead_id)
    if lead is not None and lead.erased_at is None:
        record(connection, event, now.machine)
