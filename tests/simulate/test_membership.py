"""The segments of a made-up lead follow what happens in its life, by the rules of the store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dripline.language.rules import compile_rules
from dripline.language.workspace import Workspace
from dripline.simulate.life import Life
from dripline.simulate.setting import NOBODY

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def lived(kept: dict[str, Any], *happens: tuple[float, str, dict[str, Any]], **lead: Any) -> list[str]:
    """What a life tells of segments: days after the start, and what it was."""
    workspace = Workspace.model_validate(
        {
            "timezone": "UTC",
            "locales": ["en"],
            "currency": "AMD",
            "orders": {"event": "order.paid", "refund": {"event": "order.refunded"}},
            "events": {
                "order.paid": {"order_id": "text", "total": "number", "items": "list"},
                "order.refunded": {"order_id": "text"},
            },
            "attributes": {"born": "date"},
            "segments": kept,
        }
    )
    life = Life([], {**NOBODY, **lead}, START, rules=compile_rules(workspace))
    for days, name, properties in happens:
        life.happens(name, properties, START + days * DAY)
    life.live(START + 400 * DAY)
    return [
        f"{(one.at - START) / DAY:.0f} {one.what.removeprefix('segment.')} {one.detail['segment']}"
        for one in life.timeline
        if one.what.startswith("segment.")
    ]


def paid(days: float, order: str, total: int = 10, items: tuple[str, ...] = ()) -> Any:
    return days, "order.paid", {"order_id": order, "total": total, "items": list(items)}


def test_orders_let_it_in_and_time_lets_it_out() -> None:
    regular = {"regulars": {"bought": {"times": "at least 2", "within": "90 days"}}}
    assert lived(regular, paid(1, "a"), paid(3, "b")) == ["3 entered regulars", "91 left regulars"]
    silent = {"silent": {"bought": {}, "not_bought": {"within": "30 days"}}}
    assert lived(silent, paid(1, "a"), paid(40, "b")) == [
        "31 entered silent",
        "40 left silent",
        "70 entered silent",
    ]


def test_what_was_given_back_was_not_bought() -> None:
    spent = {"spenders": {"bought": {"spent": "15 AMD", "product": "mug"}}}
    back = (5.0, "order.refunded", {"order_id": "b"})
    orders = paid(1, "a", 10, ("mug",)), paid(2, "b", 10, ("mug", "cup")), paid(3, "c", 99, ("cup",))
    assert lived(spent, *orders) == ["2 entered spenders"]
    assert lived(spent, *orders, back) == ["2 entered spenders", "5 left spenders"]


def test_who_is_in_one_from_the_start_is_told_by_nobody_and_what_is_said_stays() -> None:
    both = {"lost": "lead.stage == 'lost'", "regulars": {"bought": {}}, "best": "lead.rfm.f == 5"}
    said = {"stage": "lost", "rfm": {"r": 1, "f": 5, "m": 1}, "segments": ["regulars"]}
    assert lived(both, paid(1, "a"), **said) == []
