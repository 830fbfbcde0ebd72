"""Topics by channel: what is said last of a channel holds, in the shortest form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.topics import CHANNELS, at_a_glance, changed, has_left, wish

AGREED = st.none() | st.booleans()
SAID = AGREED | st.dictionaries(st.sampled_from(CHANNELS), AGREED)


@pytest.mark.parametrize(
    ("before", "said", "after"),
    [
        ({}, {"sms": False}, {"sms": False}),
        (True, {"sms": False}, {"email": True, "sms": False}),
        ({"email": True, "sms": False}, {"sms": True}, True),
        ({"email": False}, {"sms": False}, False),
        (False, {"email": True}, {"email": True, "sms": False}),
        (True, {"email": None}, {"sms": True}),
        ({"sms": False}, True, True),
        ({"sms": False}, None, None),
    ],
)
def test_what_is_said_is_laid_over_what_was_said(before: Any, said: Any, after: Any) -> None:
    topics = {"news": before} if before != {} else {}
    assert changed(topics, {"news": said}).get("news") == after


@given(st.lists(SAID, max_size=6))
def test_the_last_word_on_a_channel_holds(words: list[Any]) -> None:
    topics: dict[str, Any] = {}
    last: dict[str, bool | None] = dict.fromkeys(CHANNELS)
    for word in words:
        topics = changed(topics, {"news": word})
        last |= word if isinstance(word, dict) else dict.fromkeys(CHANNELS, word)
    assert {channel: wish(topics, "news", channel) for channel in CHANNELS} == last
    assert {channel: has_left(topics, "news", channel) for channel in CHANNELS} == {
        channel: agreed is False for channel, agreed in last.items()
    }
    assert topics.get("news") != {}


def test_a_condition_sees_a_topic_as_left_only_where_it_was_left_on_every_channel() -> None:
    topics = {"a": True, "b": False, "c": {"sms": False}, "d": {"email": True, "sms": False}}
    assert at_a_glance(topics) == {"a": True, "b": False, "d": True}
