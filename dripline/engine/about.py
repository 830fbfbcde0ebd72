"""Which message an event is about, and whether that is the one that a run means."""

from __future__ import annotations

from dripline.engine.effects import Event
from dripline.engine.moving import Moving
from dripline.language.expressions import compile_expression
from dripline.language.plan import EventFilter
from dripline.language.tracking import SAYS_WHICH, channel_of


def last_of(channel: str) -> str:
    """Under which name a run remembers its last message of a channel: one that no expression can read."""
    return f"@last {channel}"


def means_its_last(run: Moving, wanted: EventFilter, event: Event) -> bool:
    """Whether the event is about the run's last message of that channel, unless the filter says which it means.

    Events that are about no message are not asked. Runs of before this was remembered mean any of their own.
    """
    channel = channel_of(event.name)
    if channel is None or says_which(wanted):
        return True
    last = run.state.variables.get(last_of(channel))
    return event.properties.get("message") == last if last else is_its_own(run, wanted, event)


def is_its_own(run: Moving, wanted: EventFilter, event: Event) -> bool:
    """Whether the event is about any message of this run, unless the filter says which it means."""
    if channel_of(event.name) is None or says_which(wanted):
        return True
    return event.properties.get("run") == run.state.id


def says_which(wanted: EventFilter) -> bool:
    """Whether the condition asks for the message by itself."""
    return wanted.when is not None and not SAYS_WHICH.isdisjoint(compile_expression(wanted.when).names)


__all__ = ["is_its_own", "last_of", "means_its_last", "says_which"]
