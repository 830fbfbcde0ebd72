"""What must hold of the referral programs of a workspace, beyond their form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dripline.language.discounts import DiscountArguments, Money
from dripline.language.money import MoneyError, to_minor
from dripline.language.offers import BudgetEntry
from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.referrals import ReferralEntry

if TYPE_CHECKING:
    from dripline.language.workspace import Workspace

_Told = Iterator[tuple[Loc, str, str, str]]
"""Place within the program, code, message and hint."""


def known_landing(program: ReferralEntry, workspace: Workspace) -> _Told:
    """A program's link leads to a page of yours or to a form that there is, else nobody can come by it."""
    if program.form is not None and program.form not in workspace.forms:
        hint = did_you_mean(program.form, workspace.forms) or "declare it under `forms`"
        yield ("form",), "unknown-form", f"there is no form `{program.form}`", hint
    if program.form is None and program.landing is None:
        message = "it is not said to which page the link leads"
        yield (), "no-landing", message, "add `landing: https://…` or `form: …`"


def known_purchases(program: ReferralEntry, workspace: Workspace) -> _Told:
    """Rewards follow orders: the workspace says which event is one."""
    if workspace.orders is None:
        message = "rewards follow orders, and nothing says which event is one"
        yield (), "no-orders", message, "add `orders: {event: order.paid}`"


def known_codes(program: ReferralEntry, workspace: Workspace) -> _Told:
    """The events that say by whose code a friend came are declared, and have that property."""
    if program.told_by is None:
        return
    field = program.told_by.code.removeprefix("event.")
    for name in program.told_by.event:
        if name not in workspace.events:
            hint = did_you_mean(name, workspace.events) or "declare it under `events`"
            yield ("told_by", "event"), "unknown-event", f"no event `{name}` is declared", hint
        elif field not in workspace.events[name]:
            hint = did_you_mean(field, workspace.events[name]) or "declare it under `events`"
            yield ("told_by", "code"), "unknown-property", f"`{name}` has no `{field}`", hint


def known_differences(program: ReferralEntry, workspace: Workspace) -> _Told:
    """What friend and referrer must not share is an attribute that leads have."""
    for number, name in enumerate(program.differ):
        if name not in workspace.attributes:
            hint = did_you_mean(name, workspace.attributes) or "declare it under `attributes`"
            yield ("differ", number), "unknown-field", f"leads have no attribute `{name}`", hint


def sound_money(program: ReferralEntry, workspace: Workspace) -> _Told:
    """Every amount has a currency, the same for all of one discount, and no smaller part than it has."""
    for place, money in program.amounts.items():
        yield from _sound(place, money, workspace, None)
    for place, said in program.discounts.items():
        first: str | None = None
        for name in ("amount", "min_order", "most"):
            money = getattr(said, name)
            if money is not None:
                yield from _sound((*place, name), money, workspace, first)
                first = first or money[1] or workspace.currency


def paid_for(program: ReferralEntry, workspace: Workspace) -> _Told:
    """A discount's budget and pool are declared, it is no larger than the workspace allows, and one for each friend."""
    for place, said in program.discounts.items():
        if "once_per" in said.model_fields_set:
            yield (
                (*place, "once_per"),
                "unknown-key",
                "a referral's discount is one for each friend",
                "remove it",
            )
        if said.budget is not None and said.budget not in workspace.budgets:
            hint = did_you_mean(said.budget, workspace.budgets) or "declare it under `budgets`"
            yield (*place, "budget"), "unknown-budget", f"there is no budget `{said.budget}`", hint
        entry = workspace.budgets.get(said.budget or "")
        if entry is not None:
            yield from _of_one_currency((*place, "budget"), said, entry, workspace)
        if said.pool is not None and said.pool not in workspace.pools:
            hint = did_you_mean(said.pool, workspace.pools) or "declare it under `pools`"
            yield (*place, "pool"), "unknown-pool", f"there is no pool `{said.pool}`", hint
        yield from _too_much(place, said, workspace)


RULES_OF_REFERRALS: tuple[Callable[[ReferralEntry, Workspace], _Told], ...] = (
    known_landing,
    known_purchases,
    known_codes,
    known_differences,
    sound_money,
    paid_for,
)
"""Every rule, in the order in which they are told."""


def check_referrals(workspace: Workspace, document: Document) -> list[Problem]:
    """Everything that is wrong with the programs."""
    problems = []
    for name, program in workspace.referrals.items():
        for rule in RULES_OF_REFERRALS:
            for place, code, message, hint in rule(program, workspace):
                at = document.key_place(("referrals", name, *_as_written(place, document, name)))
                problems.append(Problem(document.path, *at, code, "error", message, hint))
    return problems


def _as_written(place: Loc, document: Document, name: str) -> Loc:
    """A reward may stand alone, or in a list."""
    if place[:1] == ("reward",) and document.key(("referrals", name, *place)) is None:
        return ("reward", *place[2:])
    return place


def _sound(place: Loc, money: Money, workspace: Workspace, first: str | None) -> _Told:
    currency = money[1] or workspace.currency
    if currency is None:
        hint = "write it like `5000 AMD`, or `currency: AMD`"
        yield place, "no-currency", "it is not said of which currency", hint
    elif first is not None and currency != first:
        yield (
            place,
            "two-currencies",
            f"one discount has amounts in {first} and {currency}",
            "use one currency",
        )
    else:
        try:
            to_minor(money[0], currency)
        except MoneyError as error:
            yield place, "bad-amount", str(error), error.hint


def _of_one_currency(place: Loc, said: DiscountArguments, entry: BudgetEntry, workspace: Workspace) -> _Told:
    try:
        _, currency = entry.minor(workspace.currency)
    except MoneyError as error:
        yield place, "bad-amount", f"of this budget: {error}", error.hint
        return
    own = {money[1] or workspace.currency for money in (said.amount, said.min_order, said.most) if money}
    if currency is not None and own - {None, currency}:
        yield (
            place,
            "two-currencies",
            f"the budget is in {currency}, and the discount is not",
            "use one currency",
        )


def _too_much(place: Loc, said: DiscountArguments, workspace: Workspace) -> _Told:
    rules, amount = workspace.discounts, said.amount
    if said.percent is not None and rules.ceiling is not None and said.percent > rules.ceiling:
        message = f"{said.percent:g}% is more than the {rules.ceiling:g}% that dripline.yaml allows"
        yield (*place, "percent"), "too-much", message, "give less"
    most = rules.ceiling_amount
    if amount is None or most is None:
        return
    if (amount[1] or workspace.currency) == (most[1] or workspace.currency) and amount[0] > most[0]:
        message = f"{amount[0]:g} is more than the {most[0]:g} that dripline.yaml allows"
        yield (*place, "amount"), "too-much", message, "give less"
