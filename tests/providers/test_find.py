"""Twilio's own list settles what the answer left open."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.providers.sendgrid import SendGrid
from activities.providers.twilio import Twilio
from dripline.providers import Outgoing, Uncertain
from tests.sink import Behaviour, Sink, accept_and_drop, drop

NONE_KNOWN: frozenset[str] = frozenset()


def just_now() -> datetime:
    return datetime.now(UTC) - timedelta(seconds=1)


def test_a_message_that_was_taken_and_not_answered_is_found(
    sink: Sink, twilio: Twilio, sms: Outgoing
) -> None:
    sink.behaviour = Behaviour([accept_and_drop()])
    with pytest.raises(Uncertain):
        twilio.send(sms)

    assert twilio.find(sms, just_now(), NONE_KNOWN) == sink.accepted[0].id


def test_a_message_that_was_not_taken_is_not_found(sink: Sink, twilio: Twilio, sms: Outgoing) -> None:
    sink.behaviour = Behaviour([drop()])
    with pytest.raises(Uncertain):
        twilio.send(sms)

    assert twilio.find(sms, just_now(), NONE_KNOWN) is None


@pytest.mark.parametrize(
    "other",
    [{"to": "+37499000000"}, {"text": "Another text"}, {"sender": "+15005550007"}],
    ids=["number", "text", "sender"],
)
def test_another_message_is_not_taken_for_it(
    sink: Sink, twilio: Twilio, sms: Outgoing, other: dict[str, Any]
) -> None:
    twilio.send(replace(sms, **other))

    assert twilio.find(sms, just_now(), NONE_KNOWN) is None


def test_a_message_that_belongs_to_another_is_not_taken_for_it(
    sink: Sink, twilio: Twilio, sms: Outgoing
) -> None:
    first, second = twilio.send(sms).provider_id, twilio.send(sms).provider_id
    assert first
    assert second

    assert twilio.find(sms, just_now(), frozenset({first})) == second
    assert twilio.find(sms, just_now(), frozenset({first, second})) is None


def test_an_older_message_with_the_same_text_is_not_taken_for_it(
    sink: Sink, twilio: Twilio, sms: Outgoing
) -> None:
    twilio.send(sms)

    assert twilio.find(sms, datetime.now(UTC) + timedelta(minutes=1), NONE_KNOWN) is None


def test_all_pages_of_the_list_are_read(sink: Sink, twilio: Twilio, sms: Outgoing) -> None:
    mine = twilio.send(sms).provider_id
    for number in range(120):
        twilio.send(replace(sms, text=f"Reminder {number}"))

    assert twilio.find(sms, just_now() - timedelta(minutes=1), NONE_KNOWN) == mine


def test_a_list_that_cannot_be_had_leaves_it_open(sink: Sink, twilio: Twilio, sms: Outgoing) -> None:
    sink.close_listener()
    try:
        with pytest.raises(Uncertain, match=r"twilio\.list-unavailable"):
            twilio.find(sms, just_now(), NONE_KNOWN)
    finally:
        sink.reopen()


def test_sendgrid_has_no_list_to_look_in(sink: Sink, sendgrid: SendGrid, email: Outgoing) -> None:
    sendgrid.send(email)

    assert sendgrid.find(email, just_now(), NONE_KNOWN) is None
