"""Links of real messages of the repository's own journeys, followed on the real pages, on both databases."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from dripline.clock import machine_clock
from dripline.ingest.reports import take_report
from dripline.language.links import AnswerLink, PreferencesLink, UnsubscribeLink
from dripline.language.project import load_project
from dripline.language.workspace import Workspace
from dripline.links import Links
from dripline.providers import DeliveryReport
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.leads import add_lead, change_lead
from dripline.web.app import create_app
from dripline.web.link_words import WORDS
from tests.durable.house import NOW, House
from tests.house.test_docs import ROOT
from tests.web.conftest import WORKSPACE

PROJECT = load_project(ROOT)
REASONS = ["price", "time", "missing", "service", "other"]


class Post:
    """A house whose time a test moves, its public pages seen from far away, and what its messages say."""

    def __init__(self, store: Store) -> None:
        self.house = House(store, *PROJECT.plans.values())
        self.goes_to(NOW)
        assert PROJECT.workspace is not None
        self.workspace: Workspace = PROJECT.workspace
        self.client = self.pages()

    def goes_to(self, moment: datetime) -> None:
        self.house.clock.offset = moment - machine_clock()

    def pages(self, **settings: Any) -> TestClient:
        app = create_app(
            Settings(_env_file=None, api_key="key", **settings),
            self.house.store,
            self.workspace,
            machine=self.house.clock,
        )
        far = ("203.0.113.9", 4_000)
        return TestClient(app, base_url="http://drip.example.com", client=far, raise_server_exceptions=False)

    def lead(self, **values: Any) -> None:
        with self.house.store.write() as connection:
            change_lead(connection, "lead-1", values, NOW)

    def gets(self, event: str, **properties: Any) -> tuple[str, list[str]]:
        """Let something happen, and deliver the message that follows: the run, and where its links lead."""
        [run] = self.house.happens(event, **properties)
        [due] = self.house.advance(run, NOW).deliver
        self.house.deliveries.attempt(due.message)
        row = next(one for one in self.house.messages() if one.id == due.message)
        return run, [
            link
            for link in re.findall(r'href="http://127\.0\.0\.1:8080(/l/[^"]+)"', row.html)
            if not self.chooses(link)
        ]

    def chooses(self, link: str) -> bool:
        """Whether it leads to the lead's own page, as the last link of every footer does."""
        with self.house.store.read() as connection:
            claim = Links(open_house(connection).secret).read(link.removeprefix("/l/"))
        return claim is not None and isinstance(claim.link, PreferencesLink)

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What was recorded by following links, in order."""
        query = select(schema.events).where(schema.events.c.id.like("link-%")).order_by(schema.events.c.seq)
        with self.house.store.read() as connection:
            return [(row.name, row.properties) for row in connection.execute(query)]

    def row(self, lead: str = "lead-1") -> Any:
        with self.house.store.read() as connection:
            return connection.execute(select(schema.leads).where(schema.leads.c.id == lead)).one()


@pytest.fixture
def post(store: Store) -> Post:
    """The repository's own journeys, and a lead."""
    return Post(store)


def title(response: Any) -> str:
    found = re.search(r"<h1>(.*?)</h1>", response.text)
    assert found, response.text
    return found[1]


def test_a_reason_is_one_event_and_the_journey_goes_on_by_it(post: Post) -> None:
    run, links = post.gets("subscription.cancelled")
    assert len(links) == 5
    assert len(set(links)) == 5
    post.goes_to(NOW + timedelta(days=1))
    for method in ("GET", "HEAD"):
        assert post.client.request(method, links[0]).status_code == 200
    assert post.events() == [], "who only looks says nothing"
    assert title(post.client.post(links[0])) == "Thank you!"
    assert title(post.client.post(links[0])) == "Thank you!"
    assert post.events() == [("reason.given", {"reason": "price"})]
    post.house.advance(run, NOW + timedelta(days=1, minutes=1))
    assert [row.template for row in post.house.messages()] == ["farewell/goodbye", "farewell/price"]


def test_another_reason_is_another_event_that_the_journey_no_longer_waits_for(post: Post) -> None:
    run, links = post.gets("subscription.cancelled")
    for link in (links[1], links[0], links[1]):
        post.client.post(link)
    assert post.events() == [("reason.given", {"reason": "time"}), ("reason.given", {"reason": "price"})]
    post.house.advance(run, NOW + timedelta(minutes=1))
    post.house.advance(run, NOW + timedelta(minutes=2))
    assert [row.template for row in post.house.messages()] == ["farewell/goodbye", "farewell/pause"]


@pytest.mark.parametrize(("locale", "speaks"), [("hy-AM", "hy"), ("ru", "ru"), ("en-GB", "en"), ("fr", "en")])
def test_the_page_speaks_the_language_of_the_message(post: Post, locale: str, speaks: str) -> None:
    post.lead(locale=locale)
    _, links = post.gets("subscription.cancelled")
    page = post.client.get(links[0], headers={"Accept-Language": "am"})
    assert f'<html lang="{speaks}">' in page.text
    assert title(page) == WORDS[speaks]["ask-answer"].title
    assert title(post.client.post(links[0])) == WORDS[speaks]["did-answer"].title


def test_every_language_says_everything() -> None:
    english = WORDS["en"]
    for words in WORDS.values():
        assert words.keys() == english.keys()
        for page, said in words.items():
            assert said.title
            assert said.text
            assert (said.button is None) == (english[page].button is None)


def test_a_link_that_was_altered_or_made_up_is_refused_kindly_and_tells_nothing(post: Post) -> None:
    _, links = post.gets("subscription.cancelled")
    with post.house.store.read() as connection:
        secret = open_house(connection).secret
    elsewhere = Links("another secret").of(post.house.message().id, NOW)(AnswerLink("reason.given", {}))
    altered = [
        links[0][:-1],
        links[0] + "A",
        "/l/" + links[0][3:].upper(),
        "/l/x",
        elsewhere,
        "/l/" + "a" * 8_000,
    ]
    answers = [post.client.request(method, link) for link in altered for method in ("GET", "POST")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert title(answers[0]) == "We do not know this link"
    assert post.events() == []
    unknown = Links(secret).of("no such message", NOW)
    for link in (AnswerLink("reason.given", {}), UnsubscribeLink()):
        assert title(post.client.post(unknown(link))) == "This link no longer works", (
            "and it does not say it did"
        )


@pytest.mark.parametrize("broken", ["/l/", "/l//x", "/l/a/b", "/l/a/", "/l/a/b/c?d=e", "/l/static/"])
def test_a_link_that_a_mail_program_broke_is_answered_by_a_page_for_readers(post: Post, broken: str) -> None:
    answer = post.client.get(broken, headers={"Accept-Language": "hy"}, follow_redirects=False)
    assert answer.status_code == 404
    assert WORDS["hy"]["unknown"].title in answer.text
    assert "location" not in answer.headers, "nobody is sent to whatever host the request named"
    assert post.client.post(broken, follow_redirects=False).status_code == 404


def test_strangers_are_answered_in_their_browsers_language(post: Post) -> None:
    page = post.client.get("/l/x", headers={"Accept-Language": "de-DE, ru;q=0.8, en;q=0.5"})
    assert title(page) == WORDS["ru"]["unknown"].title


def test_a_link_grows_too_old_but_not_one_to_unsubscribe(post: Post) -> None:
    post.lead(consent={})
    _, [confirm] = post.gets("signup.requested")
    post.lead(consent={"email": True})
    _, hello = post.gets("lead.created")
    client = post.pages(link_days=30)
    post.goes_to(NOW + timedelta(days=29))
    assert client.get(confirm).status_code == 200
    post.goes_to(NOW + timedelta(days=31))
    for method in ("GET", "POST"):
        assert (client.request(method, confirm).status_code) == 410
    assert post.events() == []
    assert title(client.post(hello[-1])) == "You are unsubscribed"
    assert post.events()[0][0] == "lead.unsubscribed"


def test_what_the_workspace_no_longer_declares_is_recorded_no_more(post: Post) -> None:
    _, links = post.gets("subscription.cancelled")
    post.workspace = WORKSPACE
    assert post.pages().post(links[0]).status_code == 410
    assert post.events() == []


# -- consent ------------------------------------------------------------------------------------------------------


@pytest.fixture
def unconfirmed(post: Post) -> Callable[[], str]:
    """A lead that has not agreed to e-mail asks for it: the link by which to confirm."""
    post.lead(consent={})

    def asked() -> str:
        _, [link] = post.gets("signup.requested")
        return link

    return asked


def test_an_answer_sends_itself_but_consent_and_farewell_want_a_hand(
    post: Post, unconfirmed: Callable[[], str]
) -> None:
    _, answers = post.gets("subscription.cancelled")
    assert "send.js" in post.client.get(answers[0]).text
    asked = post.client.get(unconfirmed()).text
    assert "send.js" not in asked
    assert "<button>" in asked


def test_a_confirmed_address_is_consent_with_its_proof(post: Post, unconfirmed: Callable[[], str]) -> None:
    link = unconfirmed()
    assert title(post.client.get(link)) == "Shall we write to you?"
    assert post.row().consent == {}
    assert title(post.client.post(link)) == "Thank you!"
    assert title(post.client.post(link)) == "Thank you!"
    assert post.row().consent == {"email": True}
    message = post.house.message()
    proof = ("lead.confirmed", {"channel": "email", "message": message.id})
    assert post.events() == [proof, ("lead.updated", {"changed": ["consent"]})]
    run = message.run_id
    post.house.advance(run, NOW + timedelta(minutes=1))
    assert post.house.run(run).outcome_reason == "confirmed"


def test_a_confirmation_is_of_the_address_that_it_was_sent_to(
    post: Post, unconfirmed: Callable[[], str]
) -> None:
    link = unconfirmed()
    post.lead(email="another@example.com")
    assert post.client.post(link).status_code == 410
    assert (post.row().consent, post.events()) == ({}, [])


def test_an_old_confirmation_is_no_way_back_for_who_has_left_since(
    post: Post, unconfirmed: Callable[[], str]
) -> None:
    link = unconfirmed()
    post.client.post(link)
    post.lead(consent={"email": False})
    assert post.client.post(link).status_code == 410
    assert post.row().consent == {"email": False}


def test_nor_is_a_second_link_that_was_never_followed(post: Post, unconfirmed: Callable[[], str]) -> None:
    """Who was asked twice, agreed and left may still open the other mail."""
    first = unconfirmed()
    run = post.house.message().run_id
    post.goes_to(NOW + timedelta(days=2, minutes=1))
    [due] = post.house.advance(run, NOW + timedelta(days=2, minutes=1)).deliver
    post.house.deliveries.attempt(due.message)
    html = next(row.html for row in post.house.messages() if row.id == due.message)
    [second] = re.findall(r'href="http://127\.0\.0\.1:8080(/l/[^"]+)"', html)
    post.goes_to(NOW + timedelta(days=2, minutes=2))
    assert post.client.post(first).status_code == 200
    _, hello = post.gets("lead.created")
    post.client.post(hello[-1], data={"everything": "yes"})
    assert post.row().consent == {"email": False}
    assert post.client.post(second).status_code == 410
    assert post.row().consent == {"email": False}


def test_who_left_by_the_api_does_not_come_back_by_a_link_from_before(
    post: Post, unconfirmed: Callable[[], str]
) -> None:
    link = unconfirmed()
    post.goes_to(NOW + timedelta(minutes=1))
    answer = post.client.put(
        "/v1/leads",
        json={"id": "lead-1", "consent": {"email": False}},
        headers={"Authorization": "Bearer key"},
    )
    assert answer.status_code == 200
    assert post.client.post(link).status_code == 410
    assert post.row().consent == {"email": False}


def test_who_left_comes_back_by_a_link_that_was_asked_for_since(
    post: Post, unconfirmed: Callable[[], str]
) -> None:
    post.lead(consent={"email": True})
    _, hello = post.gets("lead.created")
    post.client.post(hello[-1], data={"everything": "yes"})
    post.goes_to(NOW + timedelta(minutes=1))
    assert title(post.client.post(unconfirmed())) == "Thank you!"
    assert post.row().consent == {"email": True}


def test_who_unsubscribed_at_the_provider_comes_back_by_confirming_once_asking_anew(
    post: Post, unconfirmed: Callable[[], str]
) -> None:
    link = unconfirmed()
    message = post.house.message()
    take_report(post.house.store, DeliveryReport(message.id, "unsubscribed", NOW))
    assert post.client.post(link).status_code == 410
    assert post.row().consent == {"email": False}
    post.lead(consent={})
    post.client.post(link)
    assert post.row().consent == {"email": True}
    with post.house.store.read() as connection:
        assert connection.execute(select(schema.suppressions)).all() == []


# -- leaving ------------------------------------------------------------------------------------------------------


def test_who_unsubscribes_leaves_the_topic_and_the_journey(post: Post) -> None:
    run, links = post.gets("lead.created")
    assert title(post.client.get(links[-1])) == "Unsubscribe?"
    assert post.row().topics == {}
    for _ in range(2):
        assert title(post.client.post(links[-1])) == "You are unsubscribed"
    assert post.row().topics == {"newsletter": False}
    assert post.row().consent == {"email": True, "sms": True}
    assert post.events() == [
        ("lead.unsubscribed", {"channel": "email", "topic": "newsletter"}),
        ("lead.updated", {"changed": ["topics"]}),
    ]
    post.house.advance(run, NOW + timedelta(minutes=1))
    assert post.house.run(run).outcome == "exit"


def test_a_mail_program_unsubscribes_by_one_click(post: Post) -> None:
    """RFC 8058, in both forms that it allows."""
    _, links = post.gets("lead.created")
    assert post.client.post(links[-1], data={"List-Unsubscribe": "One-Click"}).status_code == 200
    assert post.row().topics == {"newsletter": False}
    post.lead(topics={})
    as_form = {"List-Unsubscribe": (None, "One-Click")}
    assert post.client.post(links[-1], files=as_form, follow_redirects=False).status_code == 200
    assert post.row().topics == {"newsletter": False}
    assert [name for name, _ in post.events()] == ["lead.unsubscribed", "lead.updated"] * 2


def test_mail_programs_are_told_the_link_of_the_message_where_it_is_marketing(post: Post) -> None:
    told: list[str | None] = []
    post.house.email.meanwhile = lambda message: told.append(message.unsubscribe)
    _, links = post.gets("lead.created")
    post.gets("subscription.cancelled")
    assert told == [f"http://127.0.0.1:8080{links[-1]}", None]


def test_the_page_offers_to_leave_everything(post: Post) -> None:
    _, links = post.gets("lead.created")
    page = post.client.post(links[-1])
    assert '<input type="hidden" name="everything" value="yes">' in page.text
    page = post.client.post(links[-1], data={"everything": "yes"})
    assert "<form" not in page.text
    assert post.row().consent == {"email": False, "sms": True}
    assert post.events()[-2] == ("lead.unsubscribed", {"channel": "email"})


def test_a_lead_that_was_merged_is_followed(post: Post) -> None:
    _, links = post.gets("lead.created")
    with post.house.store.write() as connection:
        add_lead(connection, "lead-2", {"email": "ani@example.com", "consent": {"email": True}}, NOW)
        connection.execute(
            update(schema.leads).where(schema.leads.c.id == "lead-1").values(merged_into="lead-2")
        )
    post.client.post(links[-1])
    assert post.row("lead-2").topics == {"newsletter": False}


def test_of_an_erased_lead_nothing_is_recorded_and_nobody_is_told_so(post: Post) -> None:
    post.lead(consent={})
    _, [confirm] = post.gets("signup.requested")
    post.lead(consent={"email": True})
    _, hello = post.gets("lead.created")
    _, reasons = post.gets("subscription.cancelled")
    post.lead(erased_at=NOW)
    before = post.row()
    assert (
        title(post.client.post(reasons[0])) == title(post.client.post(confirm)) == "This link no longer works"
    )
    assert title(post.client.post(hello[-1])) == "You are unsubscribed"
    assert (post.row(), post.events()) == (before, [])


# -- the door -----------------------------------------------------------------------------------------------------


def test_the_pages_need_no_key_load_nothing_from_elsewhere_and_are_not_to_be_found(post: Post) -> None:
    _, links = post.gets("subscription.cancelled")
    page = post.client.get(links[0])
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-robots-tag"].startswith("noindex")
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["content-security-policy"].startswith(
        "default-src 'none'; style-src 'self'; script-src 'self'"
    )
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers
    assert re.findall(r'(?:src|href)="([^"]+)"', page.text) == [
        "data:,",
        "static/page.css",
        "static/send.js",
    ]
    assert "ani@example.com" not in page.text
    for file in ("page.css", "send.js"):
        assert post.client.get(f"/l/static/{file}").status_code == 200
    assert post.client.get("/l/static/style.css").status_code == 404
    assert post.client.get("/").status_code == 401, "the rest stays closed"


def test_a_form_that_is_too_large_is_not_read(post: Post) -> None:
    _, links = post.gets("subscription.cancelled")
    assert post.client.post(links[0], content=b"x" * 10_001).status_code == 413
    many = "&".join(f"a{number}=1" for number in range(1_000))
    assert post.client.post(links[0], content=many.encode()).status_code == 200
    assert len(post.events()) == 1


def test_while_the_store_is_away_the_reader_is_asked_to_come_again(tmp_path: Any) -> None:
    assert PROJECT.workspace is not None
    app = create_app(Settings(_env_file=None), Store(f"sqlite:///{tmp_path}/no/such.db"), PROJECT.workspace)
    client = TestClient(app, base_url="http://x", client=("203.0.113.9", 1), raise_server_exceptions=False)
    answer = client.post("/l/anything")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert title(answer) == "Please try again in a minute"


def test_a_link_in_a_notice_only_shows_where_one_would_be(post: Post) -> None:
    page = post.client.get("/l/example/answer/reason.given?reason=price")
    assert title(page) == "This is only an example"
    assert 'href="../../static/page.css"' in page.text
    assert post.client.post("/l/example/unsubscribe").status_code == 200
    assert post.events() == []
