"""Whether discounts can be issued, and reach somebody."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.look import Look
from dripline.language.money import MoneyError, to_minor
from dripline.language.naming import every_step
from dripline.language.problems import Problem
from dripline.language.steps import DiscountStep


def sound_amounts(look: Look) -> Iterator[Problem]:
    """Every amount of a discount has a currency, the same for all of one discount, and no smaller part than it has."""
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, DiscountStep):
            continue
        first: str | None = None
        for name, money in (("amount", step.discount.amount), ("min_order", step.discount.min_order)):
            if money is None:
                continue
            here = (*loc, "discount", name)
            currency = money[1] or look.workspace.currency
            if currency is None:
                hint = "write it like `5000 AMD`, or `currency: AMD` in dripline.yaml"
                yield look.draft.problem(here, "no-currency", "it is not said of which currency", hint)
                continue
            if first is not None and currency != first:
                message = f"one discount has amounts in {first} and {currency}"
                yield look.draft.problem(here, "two-currencies", message, "use one currency")
                continue
            first = currency
            try:
                to_minor(money[0], currency)
            except MoneyError as error:
                yield look.draft.problem(here, "bad-amount", str(error), error.hint)


def named_discounts(look: Look) -> Iterator[Problem]:
    """A code of its own has a name that templates read it by."""
    for loc, step in every_step(look.journey.steps):
        if isinstance(step, DiscountStep) and step.as_ is None and step.discount.code is None:
            yield look.draft.warning(
                (*loc, "discount"),
                "unread-discount",
                "nobody learns the code of this discount",
                "add `as: offer`, and `{{ offer.code }}` to a template after it",
            )
