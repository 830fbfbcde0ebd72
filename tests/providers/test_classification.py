"""Every row of "accepted, not accepted, refused for good, or unknown", through the real clients."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from activities.providers.sendgrid import SendGrid
from activities.providers.twilio import REFUSED, WAITS, Twilio
from dripline.providers import (
    NotAccepted,
    Outgoing,
    PermanentFailure,
    Provider,
    ProviderError,
    Uncertain,
)
from tests.providers.conftest import TIMEOUT
from tests.sink import (
    Behaviour,
    Do,
    Sink,
    accept_and_drop,
    drop,
    fail,
    garble,
    refuse,
    slow,
    throttle,
    trickle,
)


def failure(provider: Provider, message: Outgoing) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        provider.send(message)
    return caught.value


def test_an_email_arrives_as_it_was_written_with_its_key(
    sink: Sink, sendgrid: SendGrid, email: Outgoing
) -> None:
    accepted = sendgrid.send(email)

    (taken,) = sink.accepted
    assert accepted.provider_id == taken.id
    assert (taken.key, taken.to, taken.subject, taken.text) == (
        email.key,
        email.to,
        email.subject,
        email.text,
    )
    assert (taken.posted.html, taken.posted.sender, taken.posted.sender_name) == (
        email.html,
        email.sender,
        email.sender_name,
    )


def test_a_text_arrives_as_it_was_written_with_its_callback(
    sink: Sink, twilio: Twilio, sms: Outgoing
) -> None:
    accepted = twilio.send(sms)

    (taken,) = sink.accepted
    assert accepted.provider_id == taken.id
    assert (taken.key, taken.to, taken.text) == (sms.key, sms.to, sms.text)
    assert (taken.posted.sender, taken.posted.callback) == (sms.sender, sms.status_callback)


def test_a_messaging_service_sends_in_place_of_a_number(sink: Sink, twilio: Twilio, sms: Outgoing) -> None:
    service = "MG" + "1" * 32

    twilio.send(replace(sms, sender=service))

    assert [taken.posted.sender for taken in sink.accepted] == [service]


@pytest.mark.parametrize(
    ("do", "kind", "code"),
    [
        (refuse(400), PermanentFailure, "sendgrid.invalid-recipient"),
        (refuse(413), PermanentFailure, "sendgrid.too-large"),
        (refuse(415), PermanentFailure, "sendgrid.unsupported-media"),
        (refuse(401), NotAccepted, "sendgrid.unauthorized"),
        (refuse(403), NotAccepted, "sendgrid.unauthorized"),
        (refuse(404), NotAccepted, "sendgrid.not-found"),
        (refuse(405), NotAccepted, "sendgrid.not-found"),
        (refuse(407), NotAccepted, "sendgrid.http-407"),
        (refuse(301), NotAccepted, "sendgrid.http-301"),
        (refuse(303), Uncertain, "sendgrid.http-303"),
        (throttle(), NotAccepted, "sendgrid.rate-limited"),
        (fail(500), Uncertain, "sendgrid.http-500"),
        (fail(502, taken=True), Uncertain, "sendgrid.http-502"),
        (fail(503), Uncertain, "sendgrid.http-503"),
        (fail(504, taken=True), Uncertain, "sendgrid.http-504"),
        (garble(), Uncertain, "sendgrid.http-200"),
        (accept_and_drop(), Uncertain, "sendgrid.dropped"),
        (drop(), Uncertain, "sendgrid.dropped"),
    ],
)
def test_what_sendgrid_answers_is_put_in_the_right_class(
    sink: Sink, sendgrid: SendGrid, email: Outgoing, do: Do, kind: type[ProviderError], code: str
) -> None:
    sink.behaviour = Behaviour([do])

    problem = failure(sendgrid, email)

    assert (type(problem), problem.code) == (kind, code)
    assert len(sink.asked) == 1, "a provider never tries again by itself"
    assert len(sink.accepted) == do.take


@pytest.mark.parametrize(
    ("do", "kind", "code"),
    [
        (refuse(401, 20003), NotAccepted, "twilio.unauthorized"),
        (refuse(401), NotAccepted, "twilio.unauthorized"),
        (refuse(404, 20404), NotAccepted, "twilio.not-found"),
        (refuse(400, 29999), PermanentFailure, "twilio.error-29999"),
        (refuse(400), PermanentFailure, "twilio.invalid-recipient"),
        (refuse(407), NotAccepted, "twilio.http-407"),
        (refuse(308), NotAccepted, "twilio.http-308"),
        (refuse(303), Uncertain, "twilio.http-303"),
        (throttle(), NotAccepted, "twilio.rate-limited"),
        (fail(500), Uncertain, "twilio.http-500"),
        (fail(503, taken=True), Uncertain, "twilio.http-503"),
        (garble(), Uncertain, "twilio.unreadable"),
        (accept_and_drop(), Uncertain, "twilio.dropped"),
        (drop(), Uncertain, "twilio.dropped"),
    ],
)
def test_what_twilio_answers_is_put_in_the_right_class(
    sink: Sink, twilio: Twilio, sms: Outgoing, do: Do, kind: type[ProviderError], code: str
) -> None:
    sink.behaviour = Behaviour([replace(do, code=21211) if do == refuse(400) else do])

    problem = failure(twilio, sms)

    assert (type(problem), problem.code) == (kind, code)
    assert len(sink.asked) == 1, "a provider never tries again by itself"
    assert len(sink.accepted) == do.take


@pytest.mark.parametrize("number", sorted(REFUSED))
def test_a_documented_refusal_of_twilio_is_for_good(
    sink: Sink, twilio: Twilio, sms: Outgoing, number: int
) -> None:
    sink.behaviour = Behaviour([refuse(400, number)])

    problem = failure(twilio, sms)

    assert (type(problem), problem.code) == (PermanentFailure, REFUSED[number])


@pytest.mark.parametrize("number", sorted(WAITS))
def test_what_an_operator_can_set_right_at_twilio_waits(
    sink: Sink, twilio: Twilio, sms: Outgoing, number: int
) -> None:
    sink.behaviour = Behaviour([refuse(400, number)])

    problem = failure(twilio, sms)

    assert (type(problem), problem.code) == (NotAccepted, WAITS[number])


def test_an_error_of_twilio_in_the_form_of_rfc_9457_is_understood(
    sink: Sink, twilio: Twilio, sms: Outgoing
) -> None:
    body = b'{"type": "https://twilio.com/e/21610", "title": "STOP", "status": 400, "code": 21610}'
    sink.behaviour = Behaviour([Do(take=False, status=400, code=21610, body=body)])

    assert failure(twilio, sms).code == "twilio.unsubscribed"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "a date in 30 s"}, 30.0),
        ({"X-RateLimit-Reset": "a time in 20 s"}, 20.0),
        ({"Retry-After": "5", "X-RateLimit-Reset": str(int(time.time()) + 500)}, 5.0),
        ({"Retry-After": "-5"}, 0.0),
        ({"Retry-After": "1e300"}, 3600.0),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_a_provider_that_is_too_busy_says_for_how_long(
    sink: Sink, sendgrid: SendGrid, email: Outgoing, headers: dict[str, str], seconds: float | None
) -> None:
    said = {
        "a date in 30 s": format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=False),
        "a time in 20 s": str(int(time.time()) + 20),
    }
    answer = tuple((name, said.get(value, value)) for name, value in headers.items())
    sink.behaviour = Behaviour([Do(take=False, status=429, headers=answer)])

    problem = failure(sendgrid, email)

    assert isinstance(problem, NotAccepted)
    assert problem.retry_after == pytest.approx(seconds, abs=15)


def test_twilio_too_says_for_how_long_it_is_busy(sink: Sink, twilio: Twilio, sms: Outgoing) -> None:
    sink.behaviour = Behaviour([throttle(9)])

    problem = failure(twilio, sms)

    assert isinstance(problem, NotAccepted)
    assert problem.retry_after == 9.0


@pytest.mark.parametrize("do", [slow(1.6), trickle()], ids=["silent", "trickling"])
def test_a_call_ends_in_time_whatever_comes_back(
    sink: Sink, sendgrid: SendGrid, twilio: Twilio, email: Outgoing, sms: Outgoing, do: Do
) -> None:
    sink.behaviour = Behaviour([do, do])
    for provider, message in ((sendgrid, email), (twilio, sms)):
        began = time.monotonic()

        problem = failure(provider, message)

        assert (type(problem), problem.code) == (Uncertain, f"{provider.name}.timeout")
        assert time.monotonic() - began < TIMEOUT + 0.5
    time.sleep(max(do.wait - TIMEOUT, 0) + 0.3)
    assert len(sink.accepted) == 2, "and yet it was taken"


def test_a_key_that_is_wrong_is_no_fault_of_the_message(sink: Sink, email: Outgoing, sms: Outgoing) -> None:
    wrong: tuple[Provider, Provider] = (
        SendGrid("SG.other", TIMEOUT, sink.url),
        Twilio(sink.account_sid, "other", TIMEOUT, sink.url),
    )

    problems = [failure(provider, message) for provider, message in zip(wrong, (email, sms), strict=True)]

    assert [(type(problem), problem.code) for problem in problems] == [
        (NotAccepted, "sendgrid.unauthorized"),
        (NotAccepted, "twilio.unauthorized"),
    ]


def test_no_error_and_no_log_line_tells_whom_it_was_for(
    sink: Sink,
    sendgrid: SendGrid,
    twilio: Twilio,
    email: Outgoing,
    sms: Outgoing,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    for do in (refuse(400, 21211), fail(), drop(), garble(), throttle()):
        for provider, message in ((sendgrid, email), (twilio, sms)):
            sink.behaviour = Behaviour([do])
            problem = failure(provider, message)
            assert problem.args == (problem.code,)
            assert problem.__cause__ is None
            assert problem.__context__ is None or problem.__suppress_context__
    twilio.find(sms, datetime.now(UTC), frozenset())

    assert email.to not in caplog.text
    assert sms.to[1:] not in caplog.text
    assert sink.api_key not in caplog.text
