"""What `check` says of discounts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dripline.language.plan import Budget, DiscountStep
from tests.language.conftest import Folder

Check = Callable[[str], list[str]]


def test_a_discount_compiles_into_minor_units(folder: Folder, check_steps: Check) -> None:
    told = check_steps(
        """
        - discount: {amount: 9.99 USD, min_order: 50 USD, valid: 14 days, once_per: lead}
          as: offer
        - email: {template: hello, subject: "{{ offer.code }} {{ offer.expires_on }} {{ offer.amount }}"}
        - discount: {percent: 12.5%, code: SPRING-15}
        """
    )
    assert told == []
    first, _, second = folder.load().plans["j"].steps
    assert isinstance(first, DiscountStep)
    assert isinstance(second, DiscountStep)
    assert (first.amount, first.min_order, first.currency) == (999, 5000, "USD")
    assert (second.percent, second.currency, second.id) == (12.5, None, "discount after email:hello")


@pytest.mark.parametrize(
    ("discount", "told"),
    [
        ("{valid: 1 day}", "6:13 missing-key"),
        ("{percent: 15, gift: mug}", "6:13 two-kinds"),
        ("{percent: 0}", "6:23 out-of-range"),
        ("{percent: 101}", "6:23 out-of-range"),
        ("{percent: many}", "6:23 wrong-type"),
        ("{amount: a lot}", "6:22 bad-amount"),
        ("{amount: 5 XXY}", "6:22 bad-amount"),
        ("{amount: 0 USD}", "6:22 bad-amount"),
        ("{amount: 9.999 USD}", "6:22 bad-amount"),
        ("{amount: 5 JPY, min_order: 10}", "6:40 two-currencies"),
        ("{percent: 15, pool: x}", "6:33 unknown-pool"),
        ("{percent: 15, budget: x}", "6:35 unknown-budget"),
        ("{percent: 15, if_empty: own}", "6:27 no-pool"),
        ("{percent: 15, pool: x, code: y}", "6:36 two-codes"),
        ("{percent: 15, shop: x}", "6:33 unknown-shop"),
        ("{percent: 15, shop: x, code: y}", "6:36 two-codes"),
        ("{percent: 15, shop: x, pool: y}", "6:36 two-codes"),
        ("{percent: 15, shop: x, once_per: lead}", "6:36 once-of-a-shop"),
        ("{percent: 15, if_failing: own}", "6:27 no-shop"),
        ("{gift: mug, most: 50 USD}", "6:25 most-of-what"),
        ("{percent: 15, most: 50 XXY}", "6:33 bad-amount"),
        ("{percent: 15, most: 50 USD, min_order: 50 EUR}", "6:33 two-currencies"),
        ("{percent: 15, code: a b}", "6:33 bad-code"),
        ("{percent: 15, once_per: journey}", "6:37 wrong-value"),
        ("{percent: 5}", "6:3 too-little"),
    ],
)
def test_what_is_wrong_with_a_discount_is_told_at_its_place(
    check_steps: Check, discount: str, told: str
) -> None:
    assert check_steps(f"- discount: {discount}\n  as: offer\n") == [told]


def test_what_the_workspace_says_of_discounts_is_minded(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "dripline.yaml",
        (folder.root / "dripline.yaml").read_text()
        + "discounts: {floor: 5%, ceiling: 30%, ceiling_amount: 20, stacking: true}\n"
        + "budgets: {spring: {amount: 1000, codes: 50}, euros: {amount: 5 EUR}}\npools: {partner: {low: 10}}\n",
    )
    told = check_steps(
        """
        - discount: {percent: 6, budget: spring, pool: partner, most: 9.50}
          as: offer
        - email: {template: hello, subject: "{{ offer.code }} {{ offer.most }} {{ offer.reason }}"}
          if: not offer.skipped
        - discount: {percent: 31, code: A}
        - discount: {amount: 20.01, code: B}
        - discount: {amount: 5, code: C, budget: euros}
        - discount: {amount: 5 EUR, code: D, budget: sprin}
        """
    )
    assert told == [
        "10:23 too-much",
        "11:22 too-much",
        "12:42 two-currencies",
        "13:46 unknown-budget",
    ]


def test_budgets_and_bounds_are_compiled_into_the_plan(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "dripline.yaml",
        (folder.root / "dripline.yaml").read_text()
        + "budgets: {spring: {amount: 1000, codes: 50}, other: {codes: 1}}\n"
        + "pools: {partner: {}}\n",
    )
    step = (
        "- discount: {percent: 15, budget: spring, pool: partner, if_empty: own, most: 9.50, stacks: true}\n"
    )
    assert check_steps(step + "  as: offer\n- email: hello\n  if: offer.code\n") == []
    plan = folder.load().plans["j"]
    assert plan.budgets == {"spring": Budget(amount=100_000, currency="AMD", codes=50)}
    first = plan.steps[0]
    assert isinstance(first, DiscountStep)
    assert (first.pool, first.if_empty, first.budget, first.most, first.stacks) == (
        "partner",
        "own",
        "spring",
        950,
        True,
    )


def test_a_discount_that_is_read_but_never_issued_is_told(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "templates/offer.en.md", "---\nsubject: Hello\n---\n{{ offer.code }} {{ unsubscribe_link() }}\n"
    )
    assert check_steps("- email: offer\n") == ["templates/offer.en.md:4:4 discount-never-issued"]
    assert check_steps("- discount: {percent: 15}\n- email: hello\n") == ["6:3 unread-discount"]
    late = "- email: offer\n- discount: {percent: 15}\n  as: offer\n"
    assert check_steps(late) == ["templates/offer.en.md:4:4 unset-name"]


def test_only_what_a_discount_has_can_be_read(check_steps: Check) -> None:
    told = check_steps(
        '- discount: {percent: 15}\n  as: offer\n- email: {template: hello, subject: "{{ offer.expires_on }}"}\n'
    )
    assert told == ["8:41 unknown-property"]


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("Take 20% off: {{ offer.code }}", ["templates/t.en.txt:1:6 other-percent"]),
        ("Take 15 % off: {{ offer.code }}", []),
        ("Take {{ offer.percent | percent }} off, 95% of all do: {{ offer.code }}", []),
        ("It is 20% faster.", []),
        ("<p style='width: 50%'>Take it: {{ offer.code }}</p>", []),
    ],
)
def test_a_message_promises_the_percentage_that_the_discount_has(
    folder: Folder, check_steps: Check, text: str, problems: list[str]
) -> None:
    folder.write("templates/t.en.txt", text)
    assert check_steps("- discount: {percent: 15}\n  as: offer\n- sms: t\n") == problems
