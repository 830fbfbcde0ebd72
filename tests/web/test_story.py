from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dripline.language.plan import (
    Arm,
    BranchStep,
    DelayUntilStep,
    DiscountStep,
    Duration,
    Moment,
    NotifyStep,
    RemindStep,
    RepeatStep,
    WebhookStep,
)
from dripline.story import describe, standing
from tests.engine.plans import WELCOME, email, plan

YEREVAN = ZoneInfo("Asia/Yerevan")
MORNING = "2026-03-02T06:00:00+00:00"
OTHERS = plan(
    email("welcome/hello", next="branch"),
    BranchStep(id="branch", arms=(Arm(when="lead.vip", to=None),)),
    DelayUntilStep(id="monday", moment=Moment(at=540, weekdays=(0,))),
    RepeatStep(id="loop", every=Duration(days=3), times=3, first="offer", within=("offer",)),
    RemindStep(id="later", about="the boat", every=Duration(days=42)),
    DiscountStep(id="offer", percent=15),
    WebhookStep(id="crm", url="https://crm.example.com/x", method="POST"),
    NotifyStep(id="tell", to="owner", template="#tell"),
)


@pytest.mark.parametrize(
    ("what", "step", "detail", "told"),
    [
        ("entered", None, {"event": "lead.created"}, "enters the journey by lead.created"),
        ("queued", "email:hello", {"message": "m1"}, "queues the e-mail hello"),
        (
            "skipped",
            "sms:see-you-there",
            {"reason": "no phone number"},
            "does not send the SMS see-you-there: no phone number",
        ),
        (
            "held",
            "email:hello",
            {"until": MORNING, "reason": "quiet hours"},
            "holds the e-mail hello until 2026-03-02 10:00: quiet hours",
        ),
        (
            "waits",
            "after email:hello",
            {"until": MORNING},
            "waits 2 days after the e-mail hello, until 2026-03-02 10:00",
        ),
        ("woke", "after email:hello", {}, "the wait of 2 days is over"),
        (
            "waits",
            "demo",
            {"until": MORNING, "events": ["demo.booked"]},
            "waits for demo.booked, until 2026-03-02 10:00",
        ),
        ("accepted", "demo", {"event": "demo.booked"}, "demo.booked ends the wait"),
        ("timeout", "demo", {"events": ["demo.booked"]}, "demo.booked did not come in time"),
        ("goal", "demo", {"event": "order.paid", "value": 120.5}, "goal reached by order.paid, worth 120.5"),
        (
            "exit",
            "demo",
            {"event": "lead.unsubscribed", "reason": "left"},
            "leaves by lead.unsubscribed: left",
        ),
        ("ended", "stop", {"outcome": "stopped", "reason": "booked"}, "the run ends, stopped: booked"),
        ("ended", "stop", {"outcome": "finished", "reason": None}, "the run ends, finished"),
        (
            "filter-failed",
            "demo",
            {"event": "demo.booked", "when": "event.seats >= 5", "reason": "seats is text"},
            "cannot tell whether demo.booked counts at the wait for demo.booked (demo):"
            " event.seats >= 5 (seats is text)",
        ),
    ],
)
def test_a_run_s_log_is_told_in_the_words_of_the_journey(
    what: str, step: str | None, detail: dict[str, Any], told: str
) -> None:
    assert describe(what, step, detail, YEREVAN, WELCOME) == told


@pytest.mark.parametrize(
    ("what", "step", "detail", "told"),
    [
        ("branch", "branch", {"arm": 2, "when": "lead.vip"}, "takes arm 2: lead.vip holds"),
        ("branch", "branch", {"arm": 3, "when": "else"}, "takes arm 3: nothing before it holds"),
        ("branch", "branch", {"arm": None, "when": None}, "no arm holds: goes on"),
        ("if-false", "offer", {"if": "lead.vip"}, "passes over the discount of 15%: lead.vip does not hold"),
        ("waits", "monday", {"until": MORNING}, "waits for Monday 09:00, until 2026-03-02 10:00"),
        (
            "no-wait",
            "monday",
            {"reason": "the moment is past", "do": "skip", "to": "offer"},
            "does not wait, the moment is past: skips to the discount of 15%",
        ),
        ("waits", "loop", {"until": MORNING}, "rests 3 days before the next pass, until 2026-03-02 10:00"),
        (
            "thawed",
            "monday",
            {"until": MORNING},
            "the journey goes on after its pause: waits for Monday 09:00, until 2026-03-02 10:00",
        ),
        ("pass", "loop", {"pass": 2, "of": 3}, "begins pass 2 of 3"),
        (
            "loop-over",
            "loop",
            {"passes": 3, "because": "3 passes"},
            "repeats no more after 3 passes: 3 passes",
        ),
        ("waits", "later", {"until": MORNING}, "keeps in touch (the boat), until 2026-03-02 10:00"),
        ("issued", "offer", {"expires_on": "2026-04-01"}, "issues the discount of 15%, valid to 2026-04-01"),
        ("asks", "crm", {"kind": "webhook"}, "asks crm.example.com, and waits for the answer"),
        ("answered", "crm", {"ok": True, "status": 200}, "the answer came (200)"),
        ("answered", "crm", {"ok": False, "reason": "timeout"}, "no good answer came: timeout"),
        ("notifies", "tell", {"to": "owner"}, "tells owner about it"),
        ("updated", "x", {"changed": ["stage", "score"]}, "changes stage, score"),
        ("split", "x", {"arm": "short"}, "goes the way short, by lot"),
        (
            "parked",
            "branch",
            {"reason": "`lead.vip` is text"},
            "stops at the branch (branch) for a person to look at: `lead.vip` is text",
        ),
        (
            "moved",
            "monday",
            {"from": "offer", "until": MORNING, "why": "spring"},
            "the journey was changed, goes on at the wait for Monday 09:00 (monday), until 2026-03-02 10:00: spring",
        ),
    ],
)
def test_every_kind_of_step_has_words(what: str, step: str | None, detail: dict[str, Any], told: str) -> None:
    assert describe(what, step, detail, YEREVAN, OTHERS) == told


@pytest.mark.parametrize(
    ("what", "step", "detail", "told"),
    [
        ("queued", "email:x", {}, "queues email:x"),
        ("waits", "gone", {"until": MORNING}, "waits until 2026-03-02 10:00"),
        ("waits", "gone", {"until": None, "events": ["a", "b"]}, "waits for a or b"),
        ("waits", "gone", {"until": None}, "waits for an event"),
        ("woke", "gone", {}, "the wait at gone is over"),
        ("issued", "gone", {}, "issues a discount"),
        ("asks", "gone", {"kind": "call", "of": "rate"}, "asks the function rate, and waits for the answer"),
        ("teleported", "x", {"to": "moon", "why": None}, "teleported x (to: moon)"),
        ("skipped", "x", {}, "does not send x: ?"),
    ],
)
def test_a_line_of_a_step_that_the_plan_does_not_have_can_still_be_told(
    what: str, step: str | None, detail: dict[str, Any], told: str
) -> None:
    assert describe(what, step, detail, YEREVAN, WELCOME) == told
    assert describe(what, step, detail, YEREVAN) == told


def a_run(**values: Any) -> Any:
    """The row of an open run."""
    nothing = dict.fromkeys(
        ("step", "wait", "until", "ended_at", "parked_reason", "outcome", "outcome_reason", "holdout")
    )
    return SimpleNamespace(**{**nothing, **values})


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (a_run(), "about to begin"),
        (a_run(step="demo", wait={"began": MORNING}), "waits for demo.booked"),
        (
            a_run(step="after email:hello", wait={"began": MORNING}, holdout=True),
            "waits 2 days after the e-mail hello (control group)",
        ),
        (
            a_run(step="demo", parked_reason="no such field"),
            "stopped at the wait for demo.booked (demo) for a person to look at: no such field",
        ),
        (a_run(step="email:hello", wait={"began": MORNING, "held": "limit"}), "holds the e-mail hello"),
        (a_run(step="email:hello"), "at the e-mail hello"),
    ],
)
def test_where_a_run_stands_is_said_in_the_words_of_the_journey(run: Any, told: str) -> None:
    assert standing(run, YEREVAN, WELCOME) == told
