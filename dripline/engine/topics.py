"""Subscription topics of a lead: each wanted or left, on every channel or on one of them.

A lead's topics are `{"newsletter": False, "events": {"sms": False}}`: a truth is for every channel, a mapping for the
channels that it names. What is not said is wanted, so that a lead without any topics gets them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CHANNELS = ("email", "sms")

Wish = bool | Mapping[str, bool]
"""What a lead said of one topic: of all channels, or of some."""

Said = bool | None | Mapping[str, bool | None]
"""A change of that: None takes back what was said."""


def wish(topics: Mapping[str, Any] | None, topic: str, channel: str) -> bool | None:
    """What the lead said of that topic on that channel; None: nothing, which does not hinder a message."""
    said = (topics or {}).get(topic)
    if isinstance(said, Mapping):
        said = said.get(channel)
    return said if isinstance(said, bool) else None


def has_left(topics: Mapping[str, Any] | None, topic: str, channel: str) -> bool:
    """Whether messages of that topic may not go by that channel."""
    return wish(topics, topic, channel) is False


def changed(topics: Mapping[str, Any] | None, said: Mapping[str, Said]) -> dict[str, Any]:
    """The topics after a change, each in its shortest form: a mapping only where the channels differ."""
    after = dict(topics or {})
    for topic, new in said.items():
        short = _shortest(_by_channel(after.get(topic)) | _by_channel(new))
        if short is None:
            after.pop(topic, None)
        else:
            after[topic] = short
    return after


def at_a_glance(topics: Mapping[str, Any] | None) -> dict[str, bool]:
    """The topics as conditions read them, each one truth: false where it was left on every channel, true where it
    was asked for on some. One that was only left on some is missing, like one of which nothing was said.
    """
    seen = {}
    for topic in topics or {}:
        said = [wish(topics, topic, channel) for channel in CHANNELS]
        if True in said:
            seen[topic] = True
        elif None not in said:
            seen[topic] = False
    return seen


def _by_channel(said: Any) -> dict[str, bool | None]:
    if isinstance(said, Mapping):
        return {channel: said[channel] for channel in CHANNELS if channel in said}
    return dict.fromkeys(CHANNELS, said)


def _shortest(said: Mapping[str, bool | None]) -> Any:
    kept = {channel: agreed for channel, agreed in said.items() if agreed is not None}
    if len(kept) == len(CHANNELS) and len(set(kept.values())) == 1:
        return kept[CHANNELS[0]]
    return kept or None
