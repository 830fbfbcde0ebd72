"""A visitor and the whole installation: real processes, a form, the messages, the click, the reply."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from dripline.store import schema
from dripline.store.consents import consent_history
from dripline.store.database import Store
from tests.house.test_everything import Up
from tests.house.test_everything import pytestmark as pytestmark
from tests.sink import Signer
from tests.sink.writing import a_mail, an_sms

READER = {"Accept": "text/html"}


class Seen:
    """An installation whose day takes ten minutes, and what its store knows."""

    def __init__(self, folder: Path) -> None:
        self.signer = Signer("twilio-token")
        self.up = Up(
            folder,
            "10min",
            DRIPLINE_TWILIO_AUTH_TOKEN="twilio-token",
            DRIPLINE_SENDGRID_INBOUND_KEY=self.signer.sendgrid_key,
            DRIPLINE_REPLY_DOMAIN="reply.example.com",
        )
        self.store = Store(f"sqlite:///{folder}/dripline.db")

    def lead(self, email: str) -> Any:
        with self.store.read() as connection:
            return connection.execute(select(schema.leads).where(schema.leads.c.email == email)).one()

    def messages(self, email: str) -> list[Any]:
        """What was sent to the lead, or about it."""
        query = select(schema.messages).where(schema.messages.c.lead_id == self.lead(email).id)
        with self.store.read() as connection:
            return list(connection.execute(query.order_by(schema.messages.c.queued_at, schema.messages.c.id)))

    def sent(self, email: str) -> list[str]:
        """The templates of the messages to the lead that left; `-` for a notice about it."""
        rows = [row for row in self.messages(email) if row.state == "accepted"]
        return ["-" if row.notice else row.template for row in rows]

    def until(self, email: str, expected: list[str]) -> None:
        self.up.wait(lambda: sorted(self.sent(email)) == sorted(expected), 40)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    seen = Seen(tmp_path_factory.mktemp("up"))
    yield seen
    seen.up.process.kill()
    seen.up.process.wait()
    seen.store.close()


def test_before_the_click_nothing_but_the_question_is_sent_and_after_it_the_welcome(seen: Seen) -> None:
    said = {"email": "nare@example.com", "first_name": "Nare", "consent": "yes", "_locale": "en"}
    for _ in range(3):
        answer = httpx.post(f"{seen.up.url}/f/newsletter", data=said, headers=READER)
        assert (answer.status_code, answer.headers["location"]) == (303, "newsletter/thanks?locale=en")
    seen.until("nare@example.com", ["welcome/confirm"])
    assert seen.lead("nare@example.com").consent == {}
    [question] = seen.messages("nare@example.com")
    [link] = re.findall(rf'href="({seen.up.url}/l/[^"]+)"', question.html)
    assert httpx.get(link).status_code == 200
    assert seen.lead("nare@example.com").consent == {}, "to look is not to agree"
    assert seen.sent("nare@example.com") == ["welcome/confirm"]
    assert httpx.post(link).status_code == 200
    seen.until("nare@example.com", ["welcome/confirm", "welcome/hello"])
    lead = seen.lead("nare@example.com")
    assert lead.consent == {"email": True}
    with seen.store.read() as connection:
        granted = [row for row in consent_history(connection, lead.id) if row.state == "granted"]
    assert {(row.channel, row.topic) for row in granted} >= {("email", None)}
    proof = granted[0].proof
    assert (proof["form"], proof["message"]) == ("newsletter", question.id)
    assert proof["wording"].startswith("Yes, send me news and offers")


def test_a_request_is_answered_its_owner_told_and_so_of_the_reply(seen: Seen) -> None:
    said = {"email": "ani@example.com", "phone": "+12025550147", "message": "How much is it?"}
    httpx.post(f"{seen.up.url}/f/contact", data=said, headers=READER)
    seen.until("ani@example.com", ["-", "requests/received"])
    httpx.post(f"{seen.up.url}/f/contact", data={**said, "message": "And when?"}, headers=READER)
    seen.until("ani@example.com", ["-", "requests/received", "-", "requests/received-again"])
    mailed = httpx.get(f"{seen.up.url}/mailbox", headers=READER)
    assert "And when?" in mailed.text
    sms = an_sms(seen.signer, f"{seen.up.url}/webhooks/twilio/inbound", "+12025550147", "Any news?")
    answer = httpx.post(f"{seen.up.url}/webhooks/twilio/inbound", content=sms.body, headers=dict(sms.headers))
    assert answer.status_code == 200
    seen.until("ani@example.com", ["requests/received", "requests/received-again", "-", "-", "-", "-"])
    texts = [row.body for row in seen.messages("ani@example.com") if row.notice]
    assert sum("By sms: Any news?" in text for text in texts) == 2, "both requests waited for it"


def test_a_reply_finds_the_message_that_it_answers(seen: Seen) -> None:
    [welcome] = [row for row in seen.messages("nare@example.com") if row.template == "welcome/hello"]
    with seen.store.read() as connection:
        headers = connection.execute(
            select(schema.mailbox.c.headers).where(schema.mailbox.c.key == welcome.id)
        ).scalar_one()
    assert headers["List-Unsubscribe"].startswith(f"<{seen.up.url}/l/")
    assert "<mailto:unsubscribe+" in headers["List-Unsubscribe"]
    mail = a_mail(seen.signer, "at.work@elsewhere.example", headers["Reply-To"], "Thank you!")
    path = f"{seen.up.url}/webhooks/sendgrid/inbound"
    assert httpx.post(path, content=mail.body, headers=dict(mail.headers)).status_code == 200
    story = httpx.get(f"{seen.up.url}/v1/leads/{seen.lead('nare@example.com').id}/timeline").json()
    parts = ("event lead.replied", "text: Thank you!", f"message: {welcome.id}")
    assert any(all(part in one["text"] for part in parts) for one in story["entries"])


def test_ten_requests_at_once_of_somebody_unknown_make_one_lead(seen: Seen) -> None:
    def send(number: int) -> int:
        said = {"email": "ten@example.com", "message": f"No. {number}"}
        far = {**READER, "X-Forwarded-For": f"203.0.113.{number}"}
        return httpx.post(f"{seen.up.url}/f/contact", data=said, headers=far, timeout=30).status_code

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(send, range(10))) == [303] * 10
    assert seen.lead("ten@example.com").email == "ten@example.com", "one, and no more"
