"""The small pictures beside figures."""

from __future__ import annotations

from datetime import date

from dripline.web.charts import bar, bounds_of, interval
from dripline.web.pages.reports import every


def test_a_bar_is_as_long_as_its_value() -> None:
    assert 'width="100.0"' in bar(5, 10)
    assert 'width="0.0"' in bar(0, 0)
    assert 'width="0.0"' in bar(-3, 10)


def test_an_interval_stands_on_a_scale_with_the_place_of_nothing() -> None:
    bounds = bounds_of([(-0.1, 0.3), (0.1, 0.2)])
    assert bounds[0] < -0.1 < 0.3 < bounds[1]
    assert bounds_of([(0.1, 0.2)])[0] <= 0, "nothing is always to be seen"
    assert 'class="sure"' in interval(0.1, 0.15, 0.2, bounds)
    assert 'class="open"' in interval(-0.1, 0.1, 0.3, bounds)
    assert interval(0, 0, 0, (0, 0))


def test_a_picture_over_time_leaves_room_for_times_without_orders() -> None:
    assert [f"{day:%m-%d}" for day in every("week", date(2026, 1, 26), date(2026, 2, 9))] == [
        "01-26",
        "02-02",
        "02-09",
    ]
    assert [f"{day:%m-%d}" for day in every("month", date(2026, 1, 1), date(2026, 3, 1))] == [
        "01-01",
        "02-01",
        "03-01",
    ]
    assert len(list(every("day", date(2026, 2, 27), date(2026, 3, 1)))) == 3
