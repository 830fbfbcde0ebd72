"""Whether discounts can be issued, and reach somebody."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dripline.language.look import Look
from dripline.language.masking import masked, place_in, untagged
from dripline.language.money import MoneyError, to_minor
from dripline.language.naming import every_step
from dripline.language.problems import Problem
from dripline.language.steps import DiscountStep
from dripline.language.templates import TemplateFile

_PERCENT = re.compile(r"(?<![\w.,])(\d{1,2}(?:[.,]\d{1,2})?)\s?%")


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


def kept_promises(look: Look) -> Iterator[Problem]:
    """A message that gives a discount's code names the percentage that the discount has, if it names any.

    Only percentages that are written out count, and only in templates that do not print the discount's own.
    """
    given: dict[str, set[float | None]] = {}
    for _, step in every_step(look.journey.steps):
        if isinstance(step, DiscountStep) and step.as_ is not None:
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
    for loc, step in every_step(look.journey.steps):
        if isinstance(step, DiscountStep) and step.as_ is None and step.discount.code is None:
            yield look.draft.warning(
                (*loc, "discount"),
                "unread-discount",
                "nobody learns the code of this discount",
                "add `as: offer`, and `{{ offer.code }}` to a template after it",
            )
