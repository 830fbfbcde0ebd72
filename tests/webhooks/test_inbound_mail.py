"""What leads write by e-mail: replies, farewells, and what programs send by themselves."""

from __future__ import annotations

import time
from email.message import EmailMessage
from typing import Any

import pytest
from pydantic import SecretStr

from dripline.ingest.inbound.mail import new_text
from dripline.replies import ReplyAddresses
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.suppressions import UNSUBSCRIBED, suppress, suppressed_by
from tests.durable.house import NOW
from tests.sink.writing import a_mail
from tests.webhooks.inbound import DOMAIN, EMAIL, Replies


@pytest.fixture
def replies(store: Store) -> Replies:
    """A lead that gets our messages, and can answer them."""
    replies = Replies(store)
    replies.identify()
    return replies


QUOTED = [
    "Yes, please.\n\nOn Mon, 5 Jan 2026 at 12:00, Dripline <hello@dripline.example> wrote:\n> Hello Ani,\n> shall we?",
    "Yes, please.\r\n\r\n-----Original Message-----\r\nFrom: Dripline\r\nSent: Monday\r\nTo: Ani\r\n\r\nHello Ani",
    "Yes, please.\n\nпн, 5 янв. 2026 г. в 12:00, Dripline <hello@dripline.example>:\n> Здравствуйте!",
    "Yes, please.\n\nDripline пишет:\n> Здравствуйте!",
    "Yes, please.\n\nԵրկ, 5 հնվ, 2026 թ., 12:00, Dripline <hello@dripline.example> գրել է.\n> Բարև\n> Ձեզ",
    "Yes, please.\n\nSent from my iPhone",
    "Yes, please.\n-- \nAni Petrosyan\n+374 91 123456",
    "Yes, please.\n\n________________________________\nFrom: Dripline <hello@dripline.example>\nSent: Monday\nTo: Ani",
    "Yes, please.\n> Hello Ani,\n> shall we?",
]


@pytest.mark.parametrize("text", QUOTED)
def test_what_is_quoted_is_not_what_the_lead_says(text: str) -> None:
    assert new_text(text) == "Yes, please."


def test_a_mail_that_only_quotes_is_kept_as_it_is() -> None:
    assert new_text("> Hello\n> there") == "> Hello\n> there"
    assert new_text("") == ""


@pytest.mark.parametrize(
    "text",
    [
        "On " * 6_000,
        "> " * 9_000,
        "From: a\n" * 3_000,
        "\n" * 20_000,
        "-" * 20_000,
        " \t" * 9_000,
        "On x\nwrote:\n" * 2_000,
        "Yes" + "\n" * 11_900 + "please",
        "Yes" + "\n \t" * 3_900 + "please",
    ],
)
def test_no_mail_takes_long_to_read(text: str) -> None:
    began = time.process_time()
    new_text(text)
    assert time.process_time() - began < 6


def test_a_reply_finds_its_message_and_its_lead_by_its_address(replies: Replies) -> None:
    message = replies.sent()
    answer = replies.mail("Tell me more.", to=replies.address(message), sender="ani.at.work@other.example")
    assert answer.status_code == 200
    said = {"channel": "email", "text": "Tell me more.", "message": message.id}
    assert replies.events() == [("lead.replied", said)]
    [row] = replies.kept()
    assert (row.lead_id, row.message_id, row.intent, row.subject) == (
        "lead-1",
        message.id,
        "reply",
        "Re: Hello",
    )


def test_a_mail_to_any_other_address_is_its_senders_and_answers_the_last_message(replies: Replies) -> None:
    message = replies.sent()
    replies.mail("Tell me more.", sender=EMAIL.upper())
    assert replies.events()[0][1]["message"] == message.id


def test_an_address_that_is_not_ours_names_nothing(replies: Replies) -> None:
    message = replies.sent()
    address = replies.address(message)
    local, _, domain = address.partition("@")
    other = f"reply+{'0' * 32}{local[-20:]}@{domain}"
    for made_up in (
        other,
        address.replace("reply+", "unsubscribe+"),
        f"{local}@evil.example",
        f"{local[:-1]}@{domain}",
    ):
        replies.mail("Hello", to=made_up, sender="stranger@example.net")
    assert [row.lead_id for row in replies.kept()] == [None] * 4
    assert replies.lead().consent == {"email": True, "sms": True}
    assert ReplyAddresses("another secret", DOMAIN).read(address) is None


def test_an_address_lives_through_mail_programs(replies: Replies) -> None:
    address = replies.address(replies.sent())
    assert len(address.partition("@")[0]) <= 64
    replies.mail("Hello", to=f'"Dripline" <{address.upper()}>')
    assert replies.kept()[0].message_id is not None


def test_whoever_only_claims_to_be_a_lead_is_not_taken_for_it(replies: Replies) -> None:
    replies.mail("unsubscribe", SPF="softfail", dkim="none")
    replies.mail("Hello", SPF="fail", dkim="")
    assert [row.lead_id for row in replies.kept()] == [None, None]
    assert replies.events() == []
    assert replies.lead().consent["email"] is True
    assert replies.suppressed() == []


OTHERS = [
    {"SPF": "pass", "envelope_from": "me@evil.example", "dkim": "{@evil.example : pass}"},
    {"SPF": "pass", "envelope_from": "me@notexample.com", "dkim": "none"},
    {"SPF": "fail", "dkim": "{@example.com : fail, @evil.example : pass}"},
    {"SPF": "softfail", "dkim": "{@pass.example : fail}"},
    {"SPF": "pass", "envelope_from": "me@com", "dkim": "{@com : pass}"},
    {"SPF": "neutral", "headers": "From: me@example.com\r\n", "dkim": "{@example.com : pass}"},
]


@pytest.mark.parametrize("how", OTHERS)
def test_mail_that_passes_for_a_domain_of_its_own_is_not_taken_for_anothers(
    replies: Replies, how: dict[str, str]
) -> None:
    replies.mail("unsubscribe", **how)
    assert replies.lead().consent["email"] is True
    assert replies.suppressed() == []
    assert [row.lead_id for row in replies.kept()] in ([None], [])


@pytest.mark.parametrize(
    "how",
    [
        {"SPF": "none", "dkim": "{@evil.example : fail, @example.com : pass}"},
        {"SPF": "pass", "envelope_from": "bounce@mail.example.com", "dkim": "none"},
        {"SPF": "pass", "envelope_from": "<ani@EXAMPLE.com>", "dkim": ""},
    ],
)
def test_mail_that_passes_for_the_domain_of_its_sender_is_its_senders(
    replies: Replies, how: dict[str, str]
) -> None:
    replies.mail("unsubscribe", **how)
    assert replies.lead().consent["email"] is False


def test_who_has_a_message_of_ours_cannot_stop_or_start_another_address_by_naming_it(
    replies: Replies,
) -> None:
    message, victim = replies.sent(), "victim@example.org"
    told: dict[str, Any] = {"to": replies.address(message), "SPF": "fail", "dkim": "none"}
    replies.mail("stop", sender=victim, **told)
    with replies.store.read() as connection:
        house = open_house(connection)
        assert suppressed_by(connection, "email", house.address_hash("email", victim)) is None
        assert suppressed_by(connection, "email", house.address_hash("email", EMAIL)) == UNSUBSCRIBED
    with replies.store.write() as connection:
        suppress(connection, "email", house.address_hash("email", victim), UNSUBSCRIBED, NOW)
    replies.mail("yes", sender=victim, **told)
    with replies.store.read() as connection:
        assert suppressed_by(connection, "email", house.address_hash("email", victim)) == UNSUBSCRIBED


@pytest.mark.parametrize(
    "text",
    ["unsubscribe", "STOP\n\nOn Mon, Dripline <a@b.example> wrote:\n> Hi", "Отписаться.", "Stop!\nAni"],
)
def test_a_reply_that_says_stop_is_one(replies: Replies, text: str) -> None:
    message = replies.sent()
    replies.mail(text, to=replies.address(message))
    assert replies.lead().consent == {"email": False, "sms": True}
    assert replies.events() == [("lead.unsubscribed", {"channel": "email"})]
    assert replies.agreed().consent["email"] is False


def test_a_mail_program_leaves_the_topic_by_the_address_of_the_header(replies: Replies) -> None:
    message = replies.sent()
    for _ in range(2):
        replies.mail(
            "",
            to=replies.address(message, "unsubscribe_mail"),
            message_id="<1@a.example>",
            subject="unsubscribe",
        )
    assert replies.lead().topics == {"newsletter": False}
    assert replies.lead().consent == {"email": True, "sms": True}
    assert replies.events() == [("lead.unsubscribed", {"channel": "email", "topic": "newsletter"})]


AUTOMATIC: list[dict[str, Any]] = [
    {"headers": "Auto-Submitted: auto-replied\r\n"},
    {"headers": "X-Autoreply: yes\r\n"},
    {"headers": "Precedence: bulk\r\n"},
    {"headers": "List-Id: <news.example.com>\r\n"},
    {"headers": "Content-Type: multipart/report; report-type=delivery-status\r\n"},
    {"envelope_from": ""},
    {"sender": "MAILER-DAEMON@mx.example.com"},
]


@pytest.mark.parametrize("how", AUTOMATIC)
def test_what_a_program_sends_is_kept_and_no_reply(replies: Replies, how: dict[str, Any]) -> None:
    message = replies.sent()
    replies.mail("I am away until Monday. Stop", to=replies.address(message), **how)
    assert [(row.intent, row.lead_id) for row in replies.kept()] == [("automatic", "lead-1")]
    assert replies.events() == []


def test_a_person_may_say_that_no_program_wrote_it(replies: Replies) -> None:
    replies.mail("Hello", headers="Auto-Submitted: no\r\n")
    assert replies.kept()[0].intent == "reply"


def test_a_mail_that_comes_twice_is_kept_once(replies: Replies) -> None:
    for _ in range(2):
        replies.mail("Hello", message_id="<1@mail.example>")
    assert len(replies.kept()) == len(replies.events()) == 1


def test_letters_of_other_charsets_arrive(replies: Replies) -> None:
    replies.mail("Здравствуйте, хочу демо", charset="windows-1251")
    assert replies.kept()[0].body == "Здравствуйте, хочу демо"


def test_a_mail_without_text_is_read_by_its_html(replies: Replies) -> None:
    replies.mail("", html="<style>p {}</style><p>Hello,<br>I <b>want</b> it.</p><script>x</script>")
    assert replies.kept()[0].body == "Hello,\nI want it."


def test_a_raw_mail_is_read_as_well(replies: Replies) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Ani <{EMAIL}>", f"hello@{DOMAIN}", "Բարև"
    mail["Message-ID"] = "<raw@mail.example>"
    mail.set_content("Կցանկանայի տեսնել։\n")
    mail.add_alternative("<p>another</p>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    replies.mail("", email=mail.as_string(), headers="", subject="")
    [row] = replies.kept()
    assert (row.body, row.subject, row.lead_id) == ("Կցանկանայի տեսնել։", "Բարև", "lead-1")


MALFORMED = [
    {"headers": "\x00\xff: \r\n\r\n\r\nFrom"},
    {"headers": "Message-ID: " + "<" * 5_000 + "\r\n"},
    {"headers": "From: =?utf-8?q?=FF?= <>\r\nContent-Type: ;;;\r\n"},
    {"charset": "UTF-8", "charsets": '{"text": "no-such-charset"}'},
    {"charsets": "[[[", "envelope": "{"},
    {"envelope": '{"to": {"a": 1}, "from": 3}'},
    {"sender": "nobody"},
    {"sender": ""},
    {"email": "From: =?x?b?\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n--\r\n"},
    {"html": "<" * 50_000},
    {"html": "<table>" * 2_000},
]


@pytest.mark.parametrize("how", MALFORMED)
def test_a_mail_that_is_badly_made_is_no_fault_of_ours(replies: Replies, how: dict[str, Any]) -> None:
    assert replies.mail("" if "html" in how else "Hello", **how).status_code == 200


DEEP = "From: ani@example.com\r\n" + "".join(
    f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(2_000)
)


@pytest.mark.parametrize(
    "how",
    [
        {"headers": "Content-Type: " + "(" * 5_000 + "\r\n"},
        {"sender": "(" * 5_000 + " ani@example.com"},
        {"sender": "(" * 300 + " ani@example.com"},
        {"headers": "Content-Type: text/plain; " + "a*0*=x'';" * 9_000 + "\r\n"},
        {"sender": "a." * 40_000 + "@example.com"},
        {"sender": '"a" ' * 22_000 + "<ani@example.com>"},
        {"email": "Content-Type: text/plain; " + "a*0*=x'';" * 9_000 + "\r\n\r\nHello"},
        {"email": DEEP + "Content-Type: text/plain\r\n\r\nHello"},
    ],
)
def test_no_header_of_a_stranger_breaks_us_or_keeps_us_busy(replies: Replies, how: dict[str, Any]) -> None:
    began = time.process_time()
    assert replies.mail("Hello", **how).status_code == 200
    assert time.process_time() - began < 6


def test_only_sendgrid_is_believed(replies: Replies) -> None:
    handed = a_mail(replies.signer, EMAIL, f"x@{DOMAIN}", "unsubscribe", at=replies.house.clock().timestamp())
    old = a_mail(replies.signer, EMAIL, f"x@{DOMAIN}", "unsubscribe", at=NOW.timestamp() - 3_600)
    for body, headers in (
        (handed.body.replace(b"unsubscribe", b"subscribe  "), handed.headers),
        (handed.body, {"Content-Type": handed.headers["Content-Type"]}),
        (old.body, old.headers),
    ):
        answer = replies.client.post("/webhooks/sendgrid/inbound", content=body, headers=dict(headers))
        assert answer.status_code == 403
    assert replies.kept() == []
    signed = replies.signer.sendgrid(b"{}", replies.house.clock().timestamp())
    assert replies.client.post("/webhooks/sendgrid/inbound", content=b"{}", headers=signed).status_code == 400


def test_without_a_key_an_address_that_nobody_knows_does(store: Store) -> None:
    replies = Replies(store, sendgrid_inbound_key=None, sendgrid_inbound_token=SecretStr("s3cret"))
    handed = a_mail(replies.signer, EMAIL, f"x@{DOMAIN}", "Hello")

    def post(path: str) -> int:
        return int(replies.client.post(path, content=handed.body, headers=dict(handed.headers)).status_code)

    assert post("/webhooks/sendgrid/inbound/s3cret") == 200
    assert post("/webhooks/sendgrid/inbound/other") == 403
    assert post("/webhooks/sendgrid/inbound") == 404
    assert len(replies.kept()) == 1


def test_a_mail_with_large_files_is_taken_without_them(replies: Replies) -> None:
    assert replies.mail("Hello", html="x" * 2_000_000).status_code == 200
    assert replies.mail("Hello", html="x" * 11_000_000).status_code == 413
    assert [row.body for row in replies.kept()] == ["Hello"]
