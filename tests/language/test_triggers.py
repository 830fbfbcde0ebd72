"""The forms of a trigger: by events with a key, by hand, on a date each year."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dripline.language.plan import Duration, Trigger, Yearly
from tests.language.conftest import Folder


@pytest.mark.parametrize(
    ("trigger", "problems"),
    [
        ("{event: demo.booked, key: event.seats}", []),
        ("{event: demo.booked, key: event.seat}", ["2:36 unknown-property"]),
        ("{event: [demo.booked, order.paid], key: event.seats}", ["2:50 unknown-property"]),
        ("{event: demo.booked, key: lead.id}", ["2:36 wrong-value"]),
        ("manual", []),
        ("{manual: true, reentry: always}", []),
        ("{manual: true, when: lead.vip}", ["2:25 unknown-key"]),
        ("{manual: true, event: demo.booked}", ["2:11 wrong-value"]),
        ("{date: lead.birthday}", []),
        ("{date: lead.trial_ends_at, offset: 2 weeks, at: 18:30, when: lead.vip}", []),
        ("{date: lead.birtday}", ["2:17 unknown-attribute"]),
        ("{date: lead.plan}", ["2:17 wrong-type"]),
        ("{date: birthday}", ["2:17 wrong-value"]),
        ("{date: lead.birthday, at: 25:00}", ["2:36 wrong-value"]),
        ("{date: lead.birthday, offset: -7h}", ["2:40 bad-duration"]),
        ("{date: lead.birthday, key: event.x}", ["2:32 unknown-key"]),
        ("{event: demo.booked, at: 09:00}", ["2:31 unknown-key"]),
        ("{when: lead.vip}", ["2:10 missing-key"]),
    ],
)
def test_what_is_wrong_with_a_trigger_is_told(
    check: Callable[[str], list[str]], trigger: str, problems: list[str]
) -> None:
    assert check(f"journey: j\ntrigger: {trigger}\nsteps: [{{stop: x}}]\n") == problems


def test_a_date_is_compiled(folder: Folder) -> None:
    trigger = "{date: lead.birthday, offset: -1 week, at: 08:00}"
    folder.write("journeys/j.yaml", f"journey: j\ntrigger: {trigger}\nsteps: [{{stop: x}}]\n")
    found = folder.load().plans["j"].trigger
    assert isinstance(found, Trigger)
    assert found.yearly == Yearly(attribute="birthday", kind="date", offset=Duration(days=-7), at="08:00")
    assert found.on.events == ()
