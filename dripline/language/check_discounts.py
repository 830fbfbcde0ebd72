"""Whether discounts can be issued, and reach somebody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dripline.language.look import Look
from dripline.language.masking import masked, place_in, untagged
from dripline.language.money import MoneyError, to_minor
from dripline.language.naming import every_discount, every_step
from dripline.language.offers import BudgetEntry
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.reading import expressions_of
from dripline.language.steps import DiscountStep
from dripline.language.templates import TemplateFile

_PERCENT = re.compile(r"(?<![\w.,])(\d{1,2}(?:[.,]\d{1,2})?)\s?%")


def sound_amounts(look: Look) -> Iterator[Problem]:
    """Every amount of a discount has a currency, the same for all of one discount, and no smaller part than it has."""
    for loc, step in every_discount(look.journey.steps):
        first: str | None = None
        for name in ("amount", "min_order", "most"):
            money = getattr(step.discount, name)
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


def bounded_discounts(look: Look) -> Iterator[Problem]:
    """A discount is neither too small to be felt nor larger than the workspace allows."""
    rules, default = look.workspace.discounts, look.workspace.currency
    for loc, step in every_discount(look.journey.steps):
        percent, amount = step.discount.percent, step.discount.amount
        if percent is not None and rules.ceiling is not None and percent > rules.ceiling:
            message = f"{percent:g}% is more than the {rules.ceiling:g}% that dripline.yaml allows"
            yield look.draft.problem((*loc, "discount", "percent"), "too-much", message, "give less")
        elif percent is not None and percent < rules.floor:
            message = f"{percent:g}% is hardly felt"
            hint = f"give {rules.floor:g}% or more, or lower `discounts: {{floor: …}}` in dripline.yaml"
            yield look.draft.warning((*loc, "discount"), "too-little", message, hint)
        most = rules.ceiling_amount
        if amount is None or most is None or (amount[1] or default) != (most[1] or default):
            continue
        if amount[0] > most[0]:
            message = f"{amount[0]:g} is more than the {most[0]:g} that dripline.yaml allows"
            yield look.draft.problem((*loc, "discount", "amount"), "too-much", message, "give less")


def known_budgets(look: Look) -> Iterator[Problem]:
    """A discount's budget, pool and shop are declared in dripline.yaml, and a budget is in the discount's currency."""
    workspace = look.workspace
    for loc, step in every_discount(look.journey.steps):
        budget, pool, here = step.discount.budget, step.discount.pool, (*loc, "discount")
        if budget is not None and budget not in workspace.budgets:
            hint = did_you_mean(budget, workspace.budgets) or "declare it under `budgets` in dripline.yaml"
            yield look.draft.problem(
                (*here, "budget"), "unknown-budget", f"there is no budget `{budget}`", hint
            )
        if pool is not None and pool not in workspace.pools:
            hint = did_you_mean(pool, workspace.pools) or "declare it under `pools` in dripline.yaml"
            yield look.draft.problem((*here, "pool"), "unknown-pool", f"there is no pool `{pool}`", hint)
        shop = step.discount.shop
        if shop is not None and shop not in workspace.shops:
            hint = did_you_mean(shop, workspace.shops) or "declare it under `shops` in dripline.yaml"
            yield look.draft.problem((*here, "shop"), "unknown-shop", f"there is no shop `{shop}`", hint)
        entry = workspace.budgets.get(step.discount.budget or "")
        if entry is not None and entry.amount is not None:
            yield from _of_one_currency(look, (*loc, "discount", "budget"), step, entry)


def _of_one_currency(look: Look, loc: Loc, step: DiscountStep, entry: BudgetEntry) -> Iterator[Problem]:
    default = look.workspace.currency
    try:
        _, currency = entry.minor(default)
    except MoneyError as error:
        yield look.draft.problem(loc, "bad-amount", f"of this budget: {error}", error.hint)
        return
    for money in (step.discount.amount, step.discount.min_order, step.discount.most):
        if money is not None and (money[1] or default) not in (None, currency):
            message = f"the budget is in {currency}, the discount in {money[1] or default}"
            yield look.draft.problem(loc, "two-currencies", message, "use one currency")
            return


def minded_lacks(look: Look) -> Iterator[Problem]:
    """Where a pool may be empty, a shop fail or a budget be spent, the journey asks whether the lead got a discount."""
    asked = [source for _, step in every_step(look.journey.steps) for _, _, source in expressions_of(step)]
    for loc, step in every_discount(look.journey.steps):
        if step.as_ is None or not step.discount.may_lack:
            continue
        if step.discount.pool not in (None, *look.workspace.pools):
            continue
        if step.discount.shop not in (None, *look.workspace.shops):
            continue
        if step.discount.budget not in (None, *look.workspace.budgets):
            continue
        names = re.compile(rf"\b{step.as_}\.(skipped|code|reason)\b")
        if not any(names.search(source) for source in asked):
            yield look.draft.warning(
                (*loc, "discount"),
                "unminded-lack",
                f"it may be that `{step.as_}` has no code, and nothing asks for that",
                f"put the message into a `branch` with `when: {step.as_}.code`, or give it `if: {step.as_}.code`",
            )


def kept_promises(look: Look) -> Iterator[Problem]:
    """A message that gives a discount's code names the percentage that the discount has, if it names any.

    Only percentages that are written out count, and only in templates that do not print the discount's own.
    """
    given: dict[str, set[float | None]] = {}
    for _, step in every_discount(look.journey.steps):
        if step.as_ is not None:
            given.setdefault(step.as_, set()).add(step.discount.percent)
    for _, channel, message in look.sent:
        for file in look.templates.files.get(f"{channel}:{message.template}", {}).values():
            reads = {read.path for read in file.reads}
            for name, percents in given.items():
                if f"{name}.code" in reads and f"{name}.percent" not in reads and None not in percents:
                    yield from _other(file, name, {percent for percent in percents if percent is not None})


def _other(file: TemplateFile, name: str, percents: set[float]) -> Iterator[Problem]:
    """The percentage that the template names in words, if it is none of the discount's."""
    text = untagged(masked(file.source.body))
    found = [(match.start(), float(match[1].replace(",", "."))) for match in _PERCENT.finditer(text)]
    if not found or percents & {percent for _, percent in found}:
        return
    line, column = place_in(text, found[0][0])
    shown = " or ".join(f"{percent:g}%" for percent in sorted(percents))
    message = f"this says {found[0][1]:g}%, but the discount `{name}` is {shown}"
    hint = f"write `{{{{ {name}.percent | percent }}}}`, which is always right"
    yield Problem(file.path, file.first_line + line - 1, column, "other-percent", "warning", message, hint)


def named_discounts(look: Look) -> Iterator[Problem]:
    """A code of its own has a name that templates read it by."""
    for loc, step in every_discount(look.journey.steps):
        if step.as_ is None and step.discount.code is None:
            yield look.draft.warning(
                (*loc, "discount"),
                "unread-discount",
                "nobody learns the code of this discount",
                "add `as: offer`, and `{{ offer.code }}` to a template after it",
            )
