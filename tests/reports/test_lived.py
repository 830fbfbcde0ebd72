"""What a journey really writes is what the reports count: one lead's life, turn by turn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dripline.language.orders import OrderRules
from dripline.language.plan import DelayStep, Duration
from dripline.language.rules import Rules
from dripline.reports.catalogue import Wanted, make_report
from dripline.reports.experiments import CONTROL
from dripline.store.database import Store
from dripline.store.rules import keep_rules
from tests.durable.house import NOW, House
from tests.engine.plans import plan
from tests.reports.shop import WORKSPACE, offer

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.mark.parametrize("holdout", [0, 100])
def test_a_lead_that_is_drawn_written_to_and_buys_is_counted_once_everywhere(
    store: Store, holdout: int
) -> None:
    told = offer()
    a_day = Duration(days=1)
    steps = [
        step.model_copy(update={"next": "rest"}) if step.id.startswith("email:") else step
        for step in told.steps
    ]
    journey = plan(
        *steps,
        DelayStep(id="rest", duration=a_day),
        journey="offer",
        goal=told.goal,
        holdout=holdout,
    )
    house = House(store, journey)
    with store.write() as connection:
        keep_rules(connection, Rules(orders=OrderRules(event="order.paid"), currency="USD"), NOW)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    bought = NOW + timedelta(hours=3)
    house.happens("order.paid", bought, order_id="o-1", total=120, currency="USD")
    house.advance(run, bought)

    def rows(name: str, **more: Any) -> list[Any]:
        with store.read() as connection:
            return make_report(connection, Wanted(name, "beginning", **more), WORKSPACE, bought).rows

    arms = {(row.step, row.arm): (row.leads, row.converted, row.value) for row in rows("experiments")}
    if holdout:
        assert arms[None, CONTROL] == (1, 1, 120)
        assert arms["lot", "a"][0] + arms["lot", "b"][0] == 0, "who is held out is no part of the split"
    else:
        assert sorted((arms["lot", "a"], arms["lot", "b"]), key=str) == [(0, 0, None), (1, 1, 120)]
        steps_reached = {row.key: row.reached for row in rows("funnel", journey="offer")}
        assert (
            steps_reached[None] == steps_reached["lot"] == steps_reached["rest"] == steps_reached["goal"] == 1
        )
        assert steps_reached["email:a"] + steps_reached["email:b"] == 1
    [orders] = rows("orders")
    assert (orders.orders, orders.net) == (1, 120)
