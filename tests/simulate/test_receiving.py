"""Journeys that wait for what becomes of their messages, lived in virtual time by the real engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dripline.language.plan import (
    DelayStep,
    Duration,
    MessageStep,
    Plan,
    RemindStep,
    StopStep,
    TemplateSource,
    Trigger,
    WaitForStep,
)
from dripline.simulate.life import Life
from tests.engine.plans import email, on, plan
from tests.simulate.test_life import ANI, DAY, MONDAY

HOUR = timedelta(hours=1)


def letter(*links: str) -> dict[str, TemplateSource]:
    body = "".join(f'<a href="{link}">x</a>' for link in links) or "Hello"
    return {"en": TemplateSource(markup="html", subject="Hello", body=f"<p>{body}</p>")}


LETTERS = {
    "email:hello": letter("https://example.com/pricing?u=1", "https://example.com/docs"),
    "email:offer": letter("https://example.com/offer"),
}


def waits(when: str | None = None, event: str = "email.clicked", **more: Any) -> Plan:
    """Two e-mails a day apart, then three days for a click."""
    return plan(
        email("hello", next="pause", result="hello"),
        DelayStep(id="pause", duration=Duration(days=1), next="email:offer"),
        email("offer", next="wait"),
        WaitForStep(
            id="wait",
            on=on(event, when=when, event_only=not when or "hello" not in when),
            timeout=Duration(days=3),
            then="yes",
            otherwise="no",
            **more,
        ),
        StopStep(id="yes", reason="clicked"),
        StopStep(id="no", reason="silent"),
        templates=LETTERS,
        exits=(),
    )


Coming = tuple[timedelta, str, dict[str, Any]]


def lived(made: Plan, *coming: Coming, plans: tuple[Plan, ...] = ()) -> Life:
    life = Life([made, *plans], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    for after, name, properties in coming:
        life.happens(name, properties, MONDAY + after)
    life.live(MONDAY + 60 * DAY)
    return life


def ended(life: Life) -> str | None:
    outcome = life.runs[0].outcome
    return outcome.reason if outcome else None


def test_a_wait_means_the_last_message_of_its_run() -> None:
    assert ended(lived(waits(), (DAY + HOUR, "email.clicked", {}))) == "clicked"
    assert ended(lived(waits())) == "silent"


def test_an_older_message_that_is_clicked_late_does_not_end_it() -> None:
    late = (DAY + HOUR, "email.clicked", {"template": "hello"})
    assert ended(lived(waits(), late)) == "silent"


def test_a_click_during_a_delay_is_not_missed() -> None:
    made = plan(
        email("hello", next="pause"),
        DelayStep(id="pause", duration=Duration(days=2), next="wait"),
        WaitForStep(id="wait", on=on("email.clicked"), timeout=Duration(days=1), then="yes", otherwise="no"),
        StopStep(id="yes", reason="clicked"),
        StopStep(id="no", reason="silent"),
        templates=LETTERS,
        exits=(),
    )
    assert ended(lived(made, (HOUR, "email.clicked", {}))) == "clicked"


def test_a_filter_that_says_which_message_means_that_one() -> None:
    for when in (
        "event.message == hello.message",
        "event.template == 'hello'",
        "event.step == 'email:hello'",
    ):
        made = waits(when, since="start")
        assert ended(lived(made, (HOUR, "email.clicked", {}))) == "clicked"
        assert ended(lived(made, (DAY + HOUR, "email.clicked", {"template": "offer"}))) == "silent"


def test_a_filter_may_ask_which_link_it_was_without_its_query() -> None:
    made = waits("event.link == 'https://example.com/pricing' and event.template == 'hello'", since="start")
    assert ended(lived(made, (HOUR, "email.clicked", {}))) == "clicked"
    docs = {"link": "https://example.com/docs"}
    assert ended(lived(made, (HOUR, "email.clicked", docs))) == "silent"
    assert ended(lived(waits("'/offer' in event.link"), (DAY + HOUR, "email.clicked", {}))) == "clicked"


def test_the_message_of_another_journey_does_not_end_it() -> None:
    other = plan(
        email("hello"),
        journey="other",
        trigger=Trigger(on=on("order.paid")),
        templates=LETTERS,
        exits=(),
    )
    paid: Coming = (DAY + HOUR, "order.paid", {})
    click: Coming = (DAY + 2 * HOUR, "email.clicked", {"journey": "other"})
    assert ended(lived(waits(), paid, click, plans=(other,))) == "silent"
    anyone = waits("event.journey == 'other'")
    assert ended(lived(anyone, paid, click, plans=(other,))) == "clicked"


def test_every_kind_of_fate_ends_a_wait_for_it() -> None:
    for event in ("email.delivered", "email.opened", "email.bounced", "email.failed", "email.complained"):
        made = waits(event=event)
        assert ended(lived(made, (DAY + HOUR, event, {}))) == "clicked"
    sms = plan(
        MessageStep(id="sms:hi", channel="sms", template="hi", transactional=True, next="wait"),
        WaitForStep(id="wait", on=on("sms.failed"), timeout=Duration(days=1), then="yes", otherwise="no"),
        StopStep(id="yes", reason="clicked"),
        StopStep(id="no", reason="silent"),
        exits=(),
    )
    life = Life([sms], {**ANI, "phone": "+37491123456"}, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.happens("sms.failed", {"reason": "twilio.unknown-handset"}, MONDAY + HOUR)
    life.live(MONDAY + DAY)
    assert ended(life) == "clicked"


def test_reminders_stop_by_what_the_lead_does_with_one_of_them() -> None:
    made = plan(
        RemindStep(
            id="remind",
            about="later",
            every=Duration(days=7),
            period=Duration(days=28),
            unless=on("email.clicked"),
            message="email:hello",
            next="done",
            on_day="day",
        ),
        email("hello", next="remind"),
        StopStep(id="done", reason="clicked"),
        StopStep(id="day", reason="the day"),
        templates=LETTERS,
        exits=(),
    )
    assert ended(lived(made, (8 * DAY, "email.clicked", {}))) == "clicked"
    assert ended(lived(made)) == "the day"


def test_an_event_about_a_message_that_nobody_got_is_told() -> None:
    for properties, why in (
        ({}, "email.clicked: no email message had been sent"),
        ({"template": "offer"}, "email.clicked: no email message had been sent, template offer"),
    ):
        life = Life([waits()], ANI, MONDAY)
        life.happens("email.clicked", properties, MONDAY)
        life.live(MONDAY + DAY)
        assert [entry.detail["reason"] for entry in life.timeline if entry.what == "no-such-letter"] == [why]
    life = lived(waits(), (DAY + HOUR, "email.clicked", {"link": "https://example.com/nowhere"}))
    [told] = [entry.detail["reason"] for entry in life.timeline if entry.what == "no-such-letter"]
    assert told == "email.clicked: offer has no link to https://example.com/nowhere"
    assert ended(life) == "silent"


def test_what_a_run_remembers_of_its_messages_costs_those_nothing_that_do_not_ask() -> None:
    plain = plan(email("hello"), templates=LETTERS)
    assert lived(plain).runs[0].state.variables == {}
    assert set(lived(waits()).runs[0].state.variables) == {"hello", "@last email"}
