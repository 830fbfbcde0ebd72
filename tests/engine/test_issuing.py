"""Discounts as a turn issues them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dripline.engine.scope import scope
from dripline.language.plan import DiscountStep, Duration
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
