"""What leads write by SMS: keywords in their languages, and everything else."""

from __future__ import annotations

import pytest

from dripline.ingest.inbound import intent_of
from dripline.ingest.inbound.keywords import agrees
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.suppressions import suppress
from tests.durable.house import NOW
from tests.sink.writing import an_sms
from tests.webhooks.inbound import PHONE, PUBLIC, Replies

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@pytest.fixture
def replies(store: Store) -> Replies:
    """A lead that gets our messages, and can answer them."""
    replies = Replies(store)
    replies.identify()
    return replies


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        *(
            (word, "stop")
            for word in ("STOP", " stop. ", "Stop!", "sToP 🛑", "Unsubscribe", "STOP ALL", "opt-out")
        ),
        *((word, "stop") for word in ("ՍՏՈՊ", "Ստոպ։", "դադարեցնել", "СТОП", "Отписаться!", "አቁም", "«Стоп»")),
        *((word, "start") for word in ("START", "unstop", "ՍԿՍԵԼ", "Старт", "ጀምር")),
        *((word, "help") for word in ("HELP", "info?", "Օգնություն", "ПОМОЩЬ", "እርዳታ")),
        *(
            (word, None)
            for word in ("Please stop by at 5", "Stop please", "", "👍", "yes", "x" * 5_000, "stop\u200bme")
        ),
    ],
)
def test_a_whole_message_may_be_a_keyword_in_any_language(text: str, intent: str | None) -> None:
    assert intent_of(text) == intent


def test_a_yes_is_known_however_it_is_written() -> None:
    assert agrees(" Yes! ")
    assert not agrees("yes please")


def test_who_writes_stop_gets_no_more_and_the_runs_learn_of_it(replies: Replies) -> None:
    answer = replies.sms("Stop", sid="SM1")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert answer.text == EMPTY, "Twilio answers that by itself"
    assert replies.lead().consent == {"email": True, "sms": False}
    assert replies.agreed().consent["sms"] is False
    assert replies.suppressed() == [("sms", "unsubscribed")]
    assert replies.events() == [("lead.unsubscribed", {"channel": "sms"})]
    [row] = replies.kept()
    assert (row.id, row.intent, row.lead_id, row.sender) == ("SM1", "stop", "lead-1", PHONE)


def test_a_repeat_changes_nothing(replies: Replies) -> None:
    for _ in range(3):
        assert replies.sms("СТОП", sid="SM1").status_code == 200
    assert len(replies.kept()) == len(replies.events()) == 1


@pytest.mark.parametrize(
    ("text", "locale", "part"),
    [
        ("СТОП", "hy", "сообщений от нас больше не будет"),
        ("ՍՏՈՊ", None, "այլևս"),
        ("Opt out", "am", "አይደርስዎትም"),
    ],
)
def test_a_stop_that_twilio_does_not_know_is_confirmed_in_its_language(
    replies: Replies, text: str, locale: str | None, part: str
) -> None:
    replies.change(locale=locale)
    assert part in replies.sms(text).text


def test_who_writes_start_is_written_to_again_by_that_proof(replies: Replies) -> None:
    replies.sms("STOP")
    replies.later(minutes=1)
    assert replies.sms("ՍԿՍԵԼ", sid="SM2").text != EMPTY
    assert replies.suppressed() == []
    assert replies.lead().consent["sms"] is True
    assert replies.agreed().consent["sms"] is True
    assert replies.events()[-1] == ("lead.resubscribed", {"channel": "sms"})


def test_who_writes_start_from_another_of_its_numbers_agrees_to_nothing_at_this_one(replies: Replies) -> None:
    """A lead that was two has numbers besides the one that it is written to by."""
    replies.change(consent={}, phone="+12025550111")
    replies.sms("START")
    assert (replies.lead().consent, replies.events()) == ({}, [])


def test_a_start_lifts_nothing_but_the_persons_own_no(replies: Replies) -> None:
    replies.change(consent={"sms": False})
    with replies.store.write() as connection:
        suppress(connection, "sms", open_house(connection).address_hash("sms", PHONE), "bounced", NOW)
    replies.sms("START")
    assert replies.suppressed() == [("sms", "bounced")]
    assert replies.lead().consent == {"sms": False}


def test_a_yes_means_start_only_from_who_has_left(replies: Replies) -> None:
    replies.sms("Yes!")
    assert replies.events() == [("lead.replied", {"channel": "sms", "text": "Yes!"})]
    replies.sms("STOP")
    replies.sms("yes")
    assert replies.events()[-1] == ("lead.resubscribed", {"channel": "sms"})


def test_help_is_answered_in_the_leads_language(replies: Replies) -> None:
    replies.change(locale="ru-AM")
    answer = replies.sms("HELP")
    assert "<Message>Dripline: на эти сообщения вы согласились." in answer.text
    assert replies.events() == []
    assert "These are" in replies.sms("help", sender="+12025550199").text.replace("these", "These")


@pytest.mark.parametrize("kind", ["STOP", "START", "HELP"])
def test_what_twilio_has_answered_is_not_answered_twice(replies: Replies, kind: str) -> None:
    answer = replies.sms("ARRET", OptOutType=kind)
    assert answer.text == EMPTY
    assert [row.intent for row in replies.kept()] == [kind.lower()]


def test_anything_else_is_a_reply_to_the_last_message(replies: Replies) -> None:
    replies.change(stage="lead", attributes={})
    message = replies.sent("subscription.cancelled")
    replies.sms("It was <too> expensive & slow", sid="SM9")
    [(name, said)] = replies.events()
    assert (name, said) == ("lead.replied", {"channel": "sms", "text": "It was <too> expensive & slow"})
    assert message.channel == "email", "which was no SMS, and is not what it answers"


def test_a_reply_goes_to_the_runs_that_wait_for_it(replies: Replies) -> None:
    [run] = replies.house.happens("lead.rejected", reason="price")
    replies.house.advance(run, NOW)
    replies.sms("Let us talk again")
    assert replies.house.run(run).wake_wanted > replies.house.run(run).wake_done


def test_what_the_lead_wrote_is_in_its_story(replies: Replies) -> None:
    for text in ("Where are you?", "HELP", "СТОП!"):
        replies.sms(text)
        replies.later(minutes=1)
    story = replies.story()
    assert any("event lead.replied" in line and "text: Where are you?" in line for line in story)
    assert "SMS from the lead, “HELP”: asks for help" in story
    assert "SMS from the lead, “СТОП!”: asks for no more" in story


def test_an_unknown_number_makes_no_lead(replies: Replies) -> None:
    replies.sms("Hello?", sender="+12025550199")
    replies.sms("STOP", sender="+12025550199")
    assert [(row.lead_id, row.intent) for row in replies.kept()] == [(None, "reply"), (None, "stop")]
    assert replies.suppressed() == [("sms", "unsubscribed")], "whoever that is, gets nothing"
    assert replies.events() == []


def test_an_erased_lead_is_nobody(replies: Replies) -> None:
    replies.change(erased_at=NOW)
    replies.sms("Hello?")
    assert [row.lead_id for row in replies.kept()] == [None]


def test_only_twilio_is_believed(replies: Replies) -> None:
    handed = an_sms(replies.signer, f"{PUBLIC}/webhooks/twilio/inbound", PHONE, "STOP")
    for body, headers in (
        (handed.body.replace(b"STOP", b"START"), handed.headers),
        (handed.body, {"Content-Type": "application/x-www-form-urlencoded"}),
        (b"\xff", handed.headers),
        (handed.body + b"&x=1", handed.headers),
    ):
        answer = replies.client.post("/webhooks/twilio/inbound", content=body, headers=dict(headers))
        assert answer.status_code in (400, 403)
    assert replies.kept() == []


@pytest.mark.parametrize("sender", ["12345", "whatsapp:+37491123456", "Bank", "", "+1"])
def test_senders_that_are_no_phone_are_let_go(replies: Replies, sender: str) -> None:
    assert replies.sms("STOP", sender=sender).status_code == 200
    assert replies.kept() == []


def test_long_and_odd_texts_are_kept_within_bounds(replies: Replies) -> None:
    replies.sms("x" * 12_000 + "\x00")
    [row] = replies.kept()
    assert len(row.body) == 10_000
    assert len(replies.events()[0][1]["text"]) == 2_000
