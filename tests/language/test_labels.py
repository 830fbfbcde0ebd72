from __future__ import annotations

import pytest

from dripline.language.labels import say_reentry, say_trigger
from dripline.language.plan import Duration, EventFilter, Trigger, Yearly

NOTHING = EventFilter(events=())
CREATED = EventFilter(events=("lead.created",))
WEEK = Duration(days=7)


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        (Trigger(on=CREATED), "on lead.created"),
        (
            Trigger(on=EventFilter(events=("a", "b"), when="lead.consent.email")),
            "on a or b if lead.consent.email",
        ),
        (Trigger(on=NOTHING), "by hand, or from another journey"),
        (
            Trigger(on=NOTHING, yearly=Yearly(attribute="birthday", kind="date")),
            "on the lead's birthday, each year at 09:00",
        ),
        (
            Trigger(on=NOTHING, yearly=Yearly(attribute="paid_until", kind="date", offset=Duration(days=-7))),
            "7 days before the lead's paid until, each year at 09:00",
        ),
    ],
)
def test_who_enters_is_said_in_words(trigger: Trigger, told: str) -> None:
    assert say_trigger(trigger) == told


@pytest.mark.parametrize(
    ("trigger", "told"),
    [
        (Trigger(on=CREATED), "once per lead"),
        (Trigger(on=CREATED, key="order_id"), "once per lead and order_id"),
        (Trigger(on=CREATED, reentry="always"), "as often as it happens"),
        (
            Trigger(on=CREATED, reentry="always", key="webinar"),
            "as often as it happens, side by side by webinar",
        ),
        (Trigger(on=CREATED, reentry=WEEK), "once per lead, and again after 7 days"),
    ],
)
def test_how_often_is_said_in_words(trigger: Trigger, told: str) -> None:
    assert say_reentry(trigger) == told
