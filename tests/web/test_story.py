from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dripline.story import describe

YEREVAN = ZoneInfo("Asia/Yerevan")


@pytest.mark.parametrize(
    ("what", "step", "detail", "told"),
    [
        ("entered", None, {"event": "lead.created"}, "enters the journey by lead.created"),
        ("queued", "email:welcome/hello", {"message": "m1"}, "queues email:welcome/hello"),
        ("skipped", "sms:x", {"reason": "no phone number"}, "does not send sms:x: no phone number"),
        (
            "waits",
            "delay",
            {"until": "2026-03-02T06:00:00+00:00"},
            "waits at delay, until 2026-03-02 10:00",
        ),
        (
            "waits",
            "wait",
            {"until": None, "events": ["demo.booked", "order.paid"]},
            "waits at wait for demo.booked or order.paid",
        ),
        ("accepted", "wait", {"event": "demo.booked"}, "demo.booked ends the wait at wait"),
        ("timeout", "wait", {"events": ["demo.booked"]}, "nothing came in time at wait"),
        ("branch", "choose", {"arm": 2, "when": "lead.vip"}, "takes arm 2 of choose: lead.vip holds"),
        ("branch", "choose", {"arm": 3, "when": "else"}, "takes arm 3 of choose: nothing before it holds"),
        ("branch", "choose", {"arm": None, "when": None}, "no arm of choose holds: goes on"),
        ("if-false", "email:x", {"if": "lead.vip"}, "passes over email:x: lead.vip does not hold"),
        ("goal", "wait", {"event": "order.paid", "value": 120.5}, "goal reached by order.paid, worth 120.5"),
        (
            "exit",
            "wait",
            {"event": "lead.unsubscribed", "reason": "left"},
            "leaves by lead.unsubscribed: left",
        ),
        ("ended", "done", {"outcome": "stopped", "reason": "booked"}, "the run ends, stopped: booked"),
        ("ended", "done", {"outcome": "finished", "reason": None}, "the run ends, finished"),
        ("teleported", "x", {"to": "moon", "why": None}, "teleported x (to: moon)"),
        ("skipped", "x", {}, "does not send x: ?"),
    ],
)
def test_every_line_of_a_runs_log_has_words(
    what: str, step: str | None, detail: dict[str, Any], told: str
) -> None:
    assert describe(what, step, detail, YEREVAN) == told
