"""Discounts as a turn issues them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import pytest

from dripline.engine.scope import scope
from dripline.language.plan import DiscountStep, Duration, Plan, ReferralStep, Shop, StopStep
from tests.engine.plans import email, plan
from tests.engine.world import ANI, MONDAY, World

OFFER = plan(
    DiscountStep(id="offer", percent=15, valid=Duration(days=14), result="offer", next="email:offer"),
    email("offer"),
)


def test_a_discount_is_valid_to_the_end_of_a_day_where_the_lead_is() -> None:
    world = World(OFFER, ANI | {"timezone": "America/Los_Angeles"})
    world.live()
    [issued] = world.issued
    assert issued.expires_on == "2026-01-19"
    assert issued.expires_at == datetime(2026, 1, 20, 8, 0, tzinfo=UTC)
    assert world.lines[0] == "2026-01-05 09:00 email offer"


def test_its_last_day_is_a_date_to_whoever_reads_it() -> None:
    world = World(OFFER)
    world.live()
    names = scope(OFFER, ANI, None, None, world.state.variables, MONDAY, UTC)  # type: ignore[arg-type] # any zone
    assert names["offer"]["expires_on"] == date(2026, 1, 19)
    assert names["offer"]["skipped"] is False


def test_without_an_end_it_is_valid_for_ever() -> None:
    world = World(plan(DiscountStep(id="offer", gift="a mug")))
    world.live()
    assert (world.issued[0].expires_on, world.issued[0].expires_at) == (None, None)


def test_the_control_group_gets_none() -> None:
    world = World(OFFER)
    world.state = replace(world.state, holdout=True)
    world.turn(MONDAY + timedelta(hours=1))
    assert world.issued == []
    assert world.state.variables["offer"] == {"skipped": True, "reason": "holdout"}


def of_a_shop(if_failing: Literal["skip", "own"] = "skip") -> Plan:
    made = DiscountStep(
        id="offer",
        percent=15,
        most=500_000,
        currency="AMD",
        valid=Duration(days=14),
        shop="main",
        if_failing=if_failing,
        result="offer",
        next="end",
    )
    headers = {"Authorization": "Bearer {{ secret.shop }}"}
    shop = Shop(url="https://shop.example.com/codes", headers=headers)
    return plan(made, StopStep(id="end", reason="done")).model_copy(update={"shops": {"main": shop}})


def test_a_shop_is_asked_for_the_code_without_a_name_or_an_address_of_the_lead() -> None:
    world = World(of_a_shop())
    world.turn(MONDAY)
    [asked] = world.asked
    assert (asked.kind, asked.step, world.issued) == ("webhook", "offer", [])
    assert asked.request["url"] == "https://shop.example.com/codes"
    assert asked.request["headers"] == {"Authorization": [["text", "Bearer "], ["secret", "shop"]]}
    assert asked.request["body"] == {
        "lead": "lead-1",
        "journey": "welcome",
        "step": "offer",
        "percent": 15,
        "amount": None,
        "gift": None,
        "most": 5000,
        "min_order": None,
        "currency": "AMD",
        "expires_at": "2026-01-20T00:00:00+00:00",
        "stacks": False,
    }
    assert world.state.wait is not None


def test_its_answer_is_the_code_and_is_valid_from_when_it_was_asked() -> None:
    world = World(of_a_shop())
    world.answers["offer"] = (timedelta(days=1), {"ok": True, "status": 201, "json": {"code": " SHOP-9 "}})
    world.live()
    [issued] = world.issued
    assert (issued.shop, issued.shop_code, issued.expires_on) == ("main", "SHOP-9", "2026-01-19")
    assert world.outcome is not None


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"ok": False, "status": 422, "reason": "status-422"}, "shop: status-422"),
        ({"ok": False, "reason": "status-409", "json": {"code": "X"}}, "shop: status-409"),
        ({"ok": True, "json": {"coupon": "X"}}, "shop: the answer has no code"),
        ({"ok": True, "json": {"code": 17}}, "shop: the answer has no code"),
        ({"ok": True, "json": {"code": "--"}}, "shop: the answer has no code"),
        ({"ok": True, "json": {"code": "A" * 65}}, "shop: the answer has no code"),
        ({"ok": True, "json": {"code": "A\nB"}}, "shop: the answer has no code"),
        ({"ok": True, "json": ["A"]}, "shop: the answer has no code"),
        ({"ok": True, "text": "A"}, "shop: the answer has no code"),
    ],
)
def test_where_the_shop_makes_none_the_lead_gets_none_or_one_of_ours(
    said: dict[str, Any], reason: str
) -> None:
    world = World(of_a_shop())
    world.answers["offer"] = (timedelta(minutes=1), said)
    world.live()
    assert world.issued == []
    assert world.state.variables["offer"] == {"is": "discount", "skipped": True, "reason": reason}
    ours = World(of_a_shop("own"))
    ours.answers["offer"] = (timedelta(minutes=1), said)
    ours.live()
    [issued] = ours.issued
    assert (issued.shop, issued.shop_code) == (None, None)
    assert ours.state.variables["offer"]["skipped"] is False


def test_the_control_group_asks_no_shop() -> None:
    world = World(of_a_shop())
    world.state = replace(world.state, holdout=True)
    world.turn(MONDAY)
    assert (world.asked, world.issued) == ([], [])


def test_a_lead_gets_its_link_for_friends_unless_it_is_of_the_control_group() -> None:
    inviting = plan(
        ReferralStep(id="friends", program="friends", result="friends", next="email:hi"), email("hi")
    )
    world = World(inviting)
    world.live()
    assert world.state.variables["friends"] == {
        "code": "F1",
        "link": "https://example.com/r/F1",
        "qr": "https://example.com/r/F1.png",
        "skipped": False,
    }
    control = World(inviting)
    control.state = replace(control.state, holdout=True)
    control.turn(MONDAY + timedelta(hours=1))
    assert control.state.variables["friends"] == {"skipped": True, "reason": "holdout"}
