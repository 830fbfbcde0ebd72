from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dripline.language.links import AnswerLink, Link
from dripline.language.plan import EventFilter, MessageStep, Plan, Sender, TemplateSource, Trigger
from dripline.rendering import RenderError, render

BODY = "[No]({{ answer_link('reason.given', reason='price', seats=lead.seats) }})"


def plan(body: str, markup: Any = "md") -> Plan:
    channel = "sms" if markup == "text" else "email"
    return Plan(
        journey="j",
        title="J",
        timezone="Asia/Yerevan",
        locale="en",
        senders={"email": Sender(address="hello@example.com")},
        trigger=Trigger(on=EventFilter(events=("lead.created",))),
        steps=(MessageStep(id="one", channel=channel, template="t"),),
        templates={f"{channel}:t": {"en": TemplateSource(markup=markup, body=body, subject="Hello")}},
    )


def rendered(body: str, markup: Any = "md", **lead: Any) -> tuple[Any, list[Link]]:
    asked: list[Link] = []

    def make(link: Link) -> str:
        asked.append(link)
        return f"https://journeys.example.com/l/a_b-c*_d.{len(asked)}"

    channel = "sms" if markup == "text" else "email"
    scope = {"lead": lead, "now": datetime(2026, 1, 5, tzinfo=UTC)}
    return render(plan(body, markup), channel, "t", "en", scope, links=make), asked


@pytest.mark.parametrize(
    ("markup", "body"),
    [
        ("md", BODY),
        ("html", "<a href=\"{{ answer_link('reason.given', reason='price', seats=lead.seats) }}\">No</a>"),
        (
            "mjml",
            "<mjml><mj-body><mj-section><mj-column><mj-button href=\"{{ answer_link('reason.given',"
            " reason='price', seats=lead.seats) }}\">No</mj-button></mj-column></mj-section></mj-body></mjml>",
        ),
    ],
)
def test_a_link_stands_in_the_message_as_it_was_made(markup: str, body: str) -> None:
    message, asked = rendered(body, markup, seats=3)
    assert asked == [AnswerLink("reason.given", {"reason": "price", "seats": 3})]
    assert 'href="https://journeys.example.com/l/a_b-c*_d.1"' in message.html
    assert "https://journeys.example.com/l/a_b-c*_d.1" in message.text


def test_an_sms_has_links_too() -> None:
    message, _ = rendered("No? {{ unsubscribe_link() }}", "text")
    assert message.text == "No? https://journeys.example.com/l/a_b-c*_d.1"


def test_dates_and_lists_are_carried_as_json() -> None:
    _, asked = rendered(
        "{{ answer_link('x', day=lead.day, tags=['a', 'b'], yes=true) }}", day=date(2026, 3, 8)
    )
    assert asked == [AnswerLink("x", {"day": "2026-03-08", "tags": ["a", "b"], "yes": True})]


@pytest.mark.parametrize("body", [BODY, "{{ answer_link('x', y=lead) }}"])
def test_a_link_with_a_hole_holds_the_message(body: str) -> None:
    with pytest.raises(RenderError) as told:
        rendered(body)
    assert told.value.code in ("empty-value", "not-a-text")


def test_without_a_lead_links_stand_for_what_they_would_be() -> None:
    message = render(plan(BODY), "email", "t", "en", {"lead": {"seats": 3}})
    assert message.text == "[No](https://links.example/answer/reason.given?reason=price&seats=3)\n"
