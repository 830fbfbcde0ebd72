"""What `check` says of discounts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dripline.language.plan import DiscountStep
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
        ("{percent: 5, pool: x}", "6:26 not-yet-supported"),
        ("{percent: 5, code: a b}", "6:32 bad-code"),
        ("{percent: 5, once_per: journey}", "6:36 wrong-value"),
    ],
)
def test_what_is_wrong_with_a_discount_is_told_at_its_place(
    check_steps: Check, discount: str, told: str
) -> None:
    assert check_steps(f"- discount: {discount}\n  as: offer\n") == [told]


def test_a_discount_that_is_read_but_never_issued_is_told(folder: Folder, check_steps: Check) -> None:
    folder.write(
        "templates/offer.en.md", "---\nsubject: Hello\n---\n{{ offer.code }} {{ unsubscribe_link() }}\n"
    )
    assert check_steps("- email: offer\n") == ["templates/offer.en.md:4:4 discount-never-issued"]
    assert check_steps("- discount: {percent: 5}\n- email: hello\n") == ["6:3 unread-discount"]
    late = "- email: offer\n- discount: {percent: 5}\n  as: offer\n"
    assert check_steps(late) == ["templates/offer.en.md:4:4 unset-name"]


def test_only_what_a_discount_has_can_be_read(check_steps: Check) -> None:
    told = check_steps(
        '- discount: {percent: 5}\n  as: offer\n- email: {template: hello, subject: "{{ offer.expires_on }}"}\n'
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
