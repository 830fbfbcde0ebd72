"""What a referral program promises, compiled: amounts in minor units, kept beside whom it was promised to."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from dripline.language.discounts import DiscountArguments, Money
from dripline.language.money import to_minor
from dripline.language.plan import Budget, Duration, Limit
from dripline.language.referrals import ReferralEntry
from dripline.language.workspace import Workspace


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # a later release may have known more


class Offer(_Frozen):
    """A discount: amounts are in minor units of `currency` (ISO 4217)."""

    percent: float | None = None
    amount: int | None = None
    gift: str | None = None
    min_order: int | None = None
    most: int | None = None
    currency: str | None = None
    valid: Duration | None = None
    code: str | None = None
    pool: str | None = None
    own_if_empty: bool = False
    budget: str | None = None
    stacks: bool = False


class Tier(_Frozen):
    """What the referrer gets from so many friends on: one of the three."""

    since: int = 1
    discount: Offer | None = None
    bonus: int | None = None
    """Minor units of `currency`."""
    currency: str | None = None
    gift: str | None = None


class Terms(_Frozen):
    """What was promised when the friend came. It holds for both, whatever the workspace file says later."""

    reward: tuple[Tier, ...]
    return_period: Duration = Duration()
    min_order: int | None = None
    currency: str | None = None
    """Of `min_order`."""
    limit: Limit | None = None
    """Rewards of one referrer."""

    def tier(self, number: int) -> Tier:
        """What the referrer gets for that friend, counting those who were rewarded from 1."""
        return [tier for tier in self.reward if tier.since <= number][-1]


class Program(_Frozen):
    """A referral program as a store knows it."""

    terms: Terms
    welcome: Offer | None = None
    per_network: int = 2
    differ: tuple[str, ...] = ()
    told_by: tuple[str, ...] = ()
    """Events that say by whose code a friend came, in the property `code`."""
    code: str | None = None
    budgets: dict[str, Budget] = {}
    """Those that pay for its discounts."""


def compile_programs(workspace: Workspace) -> dict[str, Program]:
    """The programs of a workspace in which no error was found."""
    return {name: _program(entry, workspace) for name, entry in workspace.referrals.items()}


def _program(entry: ReferralEntry, workspace: Workspace) -> Program:
    least = _minor(entry.min_order, workspace)
    terms = Terms(
        reward=tuple(_tiers(entry, workspace)),
        return_period=entry.return_period,
        min_order=least[0] if least else None,
        currency=least[1] if least else None,
        limit=entry.limit,
    )
    paying = sorted({said.budget for said in entry.discounts.values() if said.budget is not None})
    found = {
        name: (workspace.budgets[name].codes, workspace.budgets[name].minor(workspace.currency))
        for name in paying
    }
    return Program(
        terms=terms,
        welcome=_offer(entry.welcome, workspace) if entry.welcome else None,
        per_network=entry.per_network,
        differ=entry.differ,
        told_by=entry.told_by.event if entry.told_by else (),
        code=entry.told_by.code.removeprefix("event.") if entry.told_by else None,
        budgets={
            name: Budget(amount=amount, currency=currency, codes=codes)
            for name, (codes, (amount, currency)) in found.items()
        },
    )


def _tiers(entry: ReferralEntry, workspace: Workspace) -> list[Tier]:
    made = []
    for tier in entry.reward:
        bonus = _minor(tier.bonus, workspace)
        made.append(
            Tier(
                since=tier.from_,
                discount=_offer(tier.discount, workspace) if tier.discount else None,
                bonus=bonus[0] if bonus else None,
                currency=bonus[1] if bonus else None,
                gift=tier.gift,
            )
        )
    return made


def _offer(said: DiscountArguments, workspace: Workspace) -> Offer:
    amounts = {name: _minor(getattr(said, name), workspace) for name in ("amount", "min_order", "most")}
    known = {name: found for name, found in amounts.items() if found is not None}
    return Offer(
        percent=said.percent,
        gift=said.gift,
        currency=next((currency for _, currency in known.values()), None),
        valid=said.valid,
        code=said.code,
        pool=said.pool,
        own_if_empty=said.if_empty == "own",
        budget=said.budget,
        stacks=said.stacks or workspace.discounts.stacking,
        **{name: minor for name, (minor, _) in known.items()},
    )


def _minor(money: Money | None, workspace: Workspace) -> tuple[int, str] | None:
    if money is None:
        return None
    currency = money[1] or workspace.currency
    assert currency is not None  # the check has seen to it
    return to_minor(money[0], currency), currency


__all__ = ["Offer", "Program", "Terms", "Tier", "compile_programs"]
