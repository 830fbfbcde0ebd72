"""What the two of a referral get: discounts that no run issued, with their budgets and pools like any other."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row

from dripline.engine.calendar import valid_until, zone_of
from dripline.engine.effects import IssueDiscount
from dripline.language.plan import Budget
from dripline.language.rules import Rules
from dripline.language.terms import Offer
from dripline.store.budgets import set_budgets
from dripline.store.discounts import OF_PROGRAM, Holder, give

_NAMESPACE = uuid.UUID("b7d1c9a4-92a7-4a55-9d25-2f0f3f7f3f10")

What = Literal["welcome", "reward"]


def discount_key(referral: str, what: What) -> str:
    """The id of a referral's discount: the same whenever it is asked for."""
    return uuid.uuid5(_NAMESPACE, f"{referral}/{what}").hex


def give_offer(
    connection: Connection,
    rules: Rules,
    lead: Row[Any],
    referral: str,
    program: str,
    what: What,
    offer: Offer,
    at: datetime,
    secret: str,
) -> dict[str, Any]:
    """The discount that was promised, once; its `reason` where none can be issued now. The lead is locked."""
    known = rules.referrals.get(program)
    paying: Mapping[str, Budget] = known.budgets if known else {}
    set_budgets(connection, {name: one for name, one in paying.items() if name == offer.budget})
    expires_on = expires_at = None
    if offer.valid is not None:
        where = zone_of(lead.timezone, lead.country, rules.timezone)
        last_day, expires_at = valid_until(at, offer.valid, where)
        expires_on = last_day.isoformat()
    wanted = IssueDiscount(
        step=what,
        visit=1,
        once_per_lead=False,
        shared_code=offer.code,
        pool=offer.pool,
        own_if_empty=offer.own_if_empty,
        shop=None,
        shop_code=None,
        budget=offer.budget,
        most=offer.most,
        stacks=offer.stacks,
        percent=offer.percent,
        amount=offer.amount,
        min_order=offer.min_order,
        currency=offer.currency,
        gift=offer.gift,
        expires_on=expires_on,
        expires_at=expires_at,
        at=at,
    )
    holder = Holder(lead.id, f"{OF_PROGRAM}{program}")
    return give(connection, discount_key(referral, what), holder, wanted, secret)
