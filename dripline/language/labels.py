"""The parts of a plan in a few words: what stands in a picture, in a list, in the story of a lead."""

from __future__ import annotations

from dripline.language.durations import say_duration
from dripline.language.plan import Duration, EventFilter, Trigger, Yearly


def say_trigger(trigger: Trigger) -> str:
    """Who enters: `on lead.created if lead.consent.email`."""
    if trigger.yearly is not None:
        return _yearly(trigger.yearly)
    if not trigger.on.events:
        return "by hand, or from another journey"
    return f"on {say_events(trigger.on)}" + (f" if {trigger.on.when}" if trigger.on.when else "")


def say_reentry(trigger: Trigger) -> str:
    """How often one lead may enter."""
    per = f"lead and {trigger.key}" if trigger.key else "lead"
    match trigger.reentry:
        case "never":
            return f"once per {per}"
        case "always":
            return f"as often as it happens{', side by side by ' + trigger.key if trigger.key else ''}"
        case Duration() as pause:
            return f"once per {per}, and again after {say_duration(pause)}"


def say_events(on: EventFilter) -> str:
    """The events, without what narrows them: `demo.booked or order.paid`."""
    return " or ".join(on.events)


def say_offset(offset: Duration) -> str:
    """A length before or after something: `7 days before`, `1 hour after`."""
    parts = (offset.months, offset.days, offset.seconds)
    length = Duration(months=abs(parts[0]), days=abs(parts[1]), seconds=abs(parts[2]))
    return f"{say_duration(length)} {'before' if min(parts) < 0 else 'after'}"


def _yearly(yearly: Yearly) -> str:
    when = "on" if yearly.offset == Duration() else say_offset(yearly.offset)
    return f"{when} the lead's {yearly.attribute.replace('_', ' ')}, each year at {yearly.at}"
