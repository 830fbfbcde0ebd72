"""What conditions and templates are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dripline.engine.scope import scope
from tests.engine.plans import WELCOME

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_the_times_of_an_event_that_a_wait_remembered_are_times() -> None:
    welcome = WELCOME.model_copy(update={"event_times": {"demo.booked": {"starts_at": "datetime"}}})
    remembered = {"demo": {"name": "demo.booked", "seats": 8, "starts_at": "2026-01-07T06:00:00+00:00"}}
    names = scope(welcome, {}, None, None, remembered, NOON, ZoneInfo("UTC"))
    assert names["demo"] == {
        "name": "demo.booked",
        "seats": 8,
        "starts_at": datetime(2026, 1, 7, 6, tzinfo=UTC),
    }
