"""What `check` says of reminders, and what becomes of them in the plan."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dripline.language.plan import MessageStep, NotifyStep, RemindStep
from tests.language.conftest import Folder

Check = Callable[[str], list[str]]


def test_reminders_lead_back_and_the_day_leads_on(folder: Folder, check_steps: Check) -> None:
    told = check_steps(
        """
        - remind:
            about: "{after} the summer"
            until: lead.trial_ends_at
            every: 1 month
            unless: [demo.booked]
            unless_when: "event.seats >= 5"
            with: hello
            on_day: {sms: hello}
          as: later
        - stop: done
          if: "later.outcome == 'stopped' and later.event == 'demo.booked'"
        """
    )
    assert told == []
    plan = folder.load().plans["j"]
    remind, light, day, owner, _ = plan.steps
    assert isinstance(remind, RemindStep)
    assert isinstance(light, MessageStep)
    assert isinstance(day, MessageStep)
    assert isinstance(owner, NotifyStep)
    assert (remind.id, remind.message, light.next) == ("remind after start", "email:hello", remind.id)
    assert (remind.on_day, day.next, owner.id) == ("sms:hello", owner.id, "remind after start/owner")
    assert owner.next == remind.next
    assert plan.attribute_times == {"trial_ends_at": "datetime"}
    assert "demo.booked" in plan.event_times


@pytest.mark.parametrize(
    ("remind", "told"),
    [
        ("{every: 1 day, for: 1 week}", "6:11 missing-key"),
        ("{about: x, for: 1 week}", "6:11 missing-key"),
        ("{about: x, every: 1 day}", "6:11 missing-key"),
        ("{about: x, every: 1 day, for: 1 week, until: now}", "6:11 missing-key"),
        ("{about: x, every: 1 day, until: lead.birthdy}", "6:43 unknown-attribute"),
        ("{about: x, every: 1 day, for: 1 week, with: helo}", "6:55 missing-template"),
        ("{about: x, every: 1 day, for: 1 week, on_day: {delay: 1 day}}", "6:57 wrong-value"),
        ("{about: x, every: 1 day, for: 1 week, unless: order.payd}", "6:57 unknown-event"),
        ("{about: x, every: 1 day, for: 1 week, unless_when: event.total}", "6:49 missing-key"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(check_steps: Check, remind: str, told: str) -> None:
    assert check_steps(f"- remind: {remind}\n") == [told]
