"""Referral programs: what is wrong with one is told at its place, and what it promises is compiled."""

from __future__ import annotations

import pytest

from dripline.language.plan import Duration, Limit
from dripline.language.rules import Rules, compile_rules
from dripline.language.terms import Offer, Tier
from dripline.language.workspace import load_workspace
from tests.language.conftest import Folder

BASE = """
timezone: Asia/Yerevan
locales: [en]
currency: AMD
attributes: {address: text}
budgets: {spring: {amount: 1000 USD}}
discounts: {ceiling: 40%, ceiling_amount: 9000 AMD}
orders: order.paid
events: {order.paid: {order_id: text, total: number}}
referrals:
  friends:
"""


def told(folder: Folder, program: str, base: str = BASE) -> list[str]:
    """Line and code of each problem; the program's first line is 1."""
    folder.write("dripline.yaml", (base + program).lstrip())
    first = base.strip().count("\n") + 1
    return [f"{one.line - first} {one.code}" for one in load_workspace(folder.root)[1]]


GOOD = """    landing: https://shop.example/friends
    told_by: {event: order.paid, code: event.order_id}
    welcome: {percent: 15, valid: 30 days, min_order: 10000 AMD}
    reward:
      - discount: {amount: 5000 AMD, valid: 180 days}
      - {from: 5, bonus: 20.50 USD}
    min_order: 10000
    limit: 10 per 365 days
"""


def test_a_program_is_compiled_to_what_it_promises(folder: Folder) -> None:
    assert told(folder, GOOD) == []
    workspace, _ = load_workspace(folder.root)
    assert workspace is not None
    rules = compile_rules(workspace)
    program = Rules.model_validate_json(rules.model_dump_json(exclude_defaults=True)).referrals["friends"]
    assert program.welcome == Offer(
        percent=15.0, min_order=1_000_000, currency="AMD", valid=Duration(days=30)
    )
    terms = program.terms
    assert (terms.min_order, terms.limit) == (1_000_000, Limit(count=10, per=Duration(days=365)))
    assert terms.return_period == Duration(days=14)
    assert terms.tier(4).discount == Offer(amount=500_000, currency="AMD", valid=Duration(days=180))
    assert terms.tier(5) == terms.tier(99) == Tier(since=5, bonus=2050, currency="USD")
    assert "order.paid" in rules.heard


@pytest.mark.parametrize(
    ("program", "problems"),
    [
        ("    reward: {gift: A mug}\n", ["0 no-landing"]),
        ("    form: news\n    reward: {gift: A mug}\n", ["1 unknown-form"]),
        ("    landing: shop.example\n    reward: {gift: A mug}\n", ["1 bad-url"]),
        (GOOD + "    form: news\n", ["9 two-kinds"]),
        (GOOD.replace("reward:", "rewards:"), ["1 missing-key", "4 unknown-key"]),
        (GOOD.replace("from: 5, ", ""), ["4 tier-order"]),
        (GOOD.replace("bonus: 20.50 USD", "bonus: 20 USD, gift: A mug"), ["6 two-kinds"]),
        (GOOD.replace("bonus: 20.50 USD", "bonus: 20.505 USD"), ["6 bad-amount"]),
        (GOOD.replace("percent: 15", "percent: 50"), ["3 too-much"]),
        (GOOD.replace("amount: 5000", "amount: 9500"), ["5 too-much"]),
        (GOOD.replace("percent: 15", "percent: 15, once_per: lead"), ["3 unknown-key"]),
        (
            GOOD.replace("valid: 30 days", "budget: sprang, pool: partner"),
            ["3 unknown-budget", "3 unknown-pool"],
        ),
        (GOOD.replace("valid: 30 days", "budget: spring"), ["3 two-currencies"]),
        (GOOD.replace("event: order.paid,", "event: order.payd,"), ["2 unknown-event"]),
        (GOOD.replace("event.order_id", "event.friend"), ["2 unknown-property"]),
        (GOOD + "    differ: [adress]\n", ["9 unknown-field"]),
    ],
)
def test_what_is_wrong_with_a_program_is_told_at_its_place(
    folder: Folder, program: str, problems: list[str]
) -> None:
    assert told(folder, program) == problems


def test_rewards_follow_orders_so_there_must_be_some(folder: Folder) -> None:
    assert told(folder, GOOD, BASE.replace("orders: order.paid\n", "")) == ["0 no-orders"]
