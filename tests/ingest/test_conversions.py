"""A goal counts until its `within`, also after the run has ended."""

from __future__ import annotations

from datetime import timedelta

import pytest

from dripline.ingest.recording import record
from dripline.language.plan import Duration, EventFilter, Goal
from dripline.store.database import Store
from dripline.store.events import Event
from tests.ingest.journeys import MONDAY, a_lead, a_plan, end, published, run_rows

PAID = Goal(
    on=EventFilter(events=("order.paid",), when="event.total > 10"),
    value="event.total",
    within=Duration(days=30),
)


def an_order(days: int, total: float, number: int = 1) -> Event:
    return Event(f"order-{number}", "lead-1", "order.paid", {"total": total}, MONDAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("goal", "days", "total", "credited"),
    [
        (PAID, 29, 20.0, True),
        (PAID, 31, 20.0, False),
        (PAID, 29, 5.0, False),
        (PAID.model_copy(update={"within": None}), 1, 20.0, False),
    ],
)
def test_an_order_after_the_end_is_the_run_s_conversion(
    store: Store, goal: Goal, days: int, total: float, credited: bool
) -> None:
    with store.write() as connection:
        a_lead(connection)
        published(connection, a_plan(goal=goal))
        [run] = record(connection, Event("e1", "lead-1", "lead.created", {}, MONDAY), MONDAY).started
        end(connection, run)
        record(connection, an_order(days, total), MONDAY)
        record(connection, an_order(days, total * 2, number=2), MONDAY)
        [row] = run_rows(connection)
    assert (row.goal_value == total) is credited
    assert (row.converted_at is not None) is credited
