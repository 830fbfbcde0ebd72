"""Plans as the compiler would make them, for tests that need none of the compiler."""

from __future__ import annotations

from typing import Any

from dripline.language.plan import (
    DelayStep,
    Duration,
    EventFilter,
    Exit,
    Goal,
    Limit,
    MessageStep,
    Plan,
    Sender,
    Step,
    StopStep,
    TemplateSource,
    Trigger,
    WaitForStep,
)

DAY = Duration(days=1)


def on(*names: str, when: str | None = None, event_only: bool = True) -> EventFilter:
    """An event filter."""
    return EventFilter(events=names, when=when, event_only=event_only)


def email(template: str, **more: Any) -> MessageStep:
    """An e-mail step, its id derived as the compiler would."""
    more = {"topic": "newsletter", **more}
    return MessageStep(id=f"email:{template}", channel="email", template=template, **more)


def plan(*steps: Step, **more: Any) -> Plan:
    """A plan of these steps, entered on `lead.created`, left on `lead.unsubscribed`."""
    text = {"en": TemplateSource(markup="text", body="Hello", subject="Hello")}
    templates = {f"{step.channel}:{step.template}": text for step in steps if isinstance(step, MessageStep)}
    given: dict[str, Any] = {
        "journey": "welcome",
        "title": "Welcome",
        "timezone": "UTC",
        "locale": "en",
        "postal_address": {"": "Example Ltd, 1 Garden Street, Yerevan"},
        "senders": {"email": Sender(address="hello@example.com"), "sms": Sender(address="+15005550006")},
        "trigger": Trigger(on=on("lead.created")),
        "exits": (Exit(on=on("lead.unsubscribed"), reason="unsubscribed"),),
        "steps": steps,
        "templates": templates,
    }
    return Plan(**(given | more))


WELCOME = plan(
    email("hello", next="after email:hello", limit=Limit(count=3, per=Duration(days=7)), result="hello"),
    DelayStep(id="after email:hello", duration=Duration(days=2), next="demo"),
    WaitForStep(
        id="demo",
        on=on("demo.booked", when="event.seats >= 5"),
        timeout=Duration(days=3),
        result="demo",
        then="sms:see-you-there",
        otherwise="email:offer",
    ),
    MessageStep(
        id="sms:see-you-there", channel="sms", template="see-you-there", topic="newsletter", next="stop"
    ),
    StopStep(id="stop", reason="booked"),
    email("offer", limit=Limit(count=3, per=Duration(days=7))),
    goal=Goal(on=on("order.paid"), value="event.total", within=Duration(days=30)),
)
