"""The lead's own page: to look changes nothing, a press saves it, and it never says yes for another address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dripline.ingest.agreeing import replayed
from dripline.language.links import PreferencesLink, UnsubscribeLink
from dripline.links import Links
from dripline.store.consents import consent_history
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.web.link_words import WORDS
from dripline.web.preference_words import PREFERENCES
from tests.durable.house import NOW
from tests.web.test_links import Post

ALL = ["email newsletter", "email events", "sms newsletter", "sms events"]


@pytest.fixture
def post(store: Store) -> Post:
    """The repository's own journeys, and a lead."""
    return Post(store)


def page_of(post: Post) -> str:
    """The address of the page, by an e-mail that the lead got."""
    post.gets("lead.created")
    return link_of(post, post.house.message().id)


def link_of(post: Post, message: str) -> str:
    with post.house.store.read() as connection:
        return Links(open_house(connection).secret).of(message, NOW)(PreferencesLink())


def ticked(response: Any) -> list[str]:
    return [want for want in ALL if f'value="{want}" checked' in response.text]


def log(post: Post) -> list[tuple[Any, ...]]:
    with post.house.store.read() as connection:
        return [
            (row.channel, row.topic, row.state, row.source) for row in consent_history(connection, "lead-1")
        ]


def test_to_look_changes_nothing_and_shows_what_the_lead_gets(post: Post) -> None:
    page = page_of(post)
    for method in ("GET", "HEAD"):
        answer = post.client.request(method, page)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert ticked(post.client.get(page)) == ALL
    assert "Product news and offers" in post.client.get(page).text
    assert post.events() == []


@pytest.mark.parametrize(
    "data", [None, {"List-Unsubscribe": "One-Click"}, {"do": "everything"}, {"want": ALL[0]}]
)
def test_what_posts_without_pressing_changes_nothing(post: Post, data: dict[str, str] | None) -> None:
    page = page_of(post)
    assert post.client.post(page, data=data).status_code == 200
    assert post.events() == []


def test_a_topic_is_left_on_one_channel_alone(post: Post) -> None:
    page = page_of(post)
    answer = post.client.post(page, data={"do": "save", "want": [one for one in ALL if one != ALL[2]]})
    assert "Saved." in answer.text
    assert ticked(answer) == [ALL[0], ALL[1], ALL[3]]
    assert post.row().topics == {"newsletter": {"sms": False}}
    assert post.row().consent == {"email": True, "sms": True}
    assert log(post) == [("sms", "newsletter", "denied", "page")]
    assert post.events() == [
        ("lead.unsubscribed", {"channel": "sms", "topic": "newsletter"}),
        ("lead.updated", {"changed": ["topics"]}),
    ]


def test_to_save_twice_is_to_save_once(post: Post) -> None:
    page = page_of(post)
    for _ in range(2):
        post.client.post(page, data={"do": "save", "want": ALL[:2]})
    assert post.row().consent == {"email": True, "sms": False}
    assert len(log(post)) == 1


def test_who_leaves_everything_gets_nothing_and_may_come_back_on_the_channel_of_the_link(post: Post) -> None:
    page = page_of(post)
    assert PREFERENCES["en"].did["leave"] in post.client.post(page, data={"do": "leave"}).text
    assert post.row().consent == {"email": False, "sms": False}
    answer = post.client.post(page, data={"do": "save", "want": ALL})
    assert ticked(answer) == ALL[:2], "the link says nothing of the number"
    assert post.row().consent == {"email": True, "sms": False}
    assert log(post)[-1] == ("email", None, "granted", "page")
    assert ("lead.resubscribed", {"channel": "email"}) in post.events()
    with post.house.store.read() as connection:
        assert consent_history(connection, "lead-1")[-1].proof == {"message": post.house.message().id}


def test_a_link_of_an_old_address_says_no_but_never_yes_for_the_new_one(post: Post) -> None:
    page = page_of(post)
    post.lead(email="new@example.com", consent={"email": False, "sms": True})
    answer = post.client.post(page, data={"do": "save", "want": ALL})
    assert post.row().consent == {"email": False, "sms": True}
    assert "disabled" in answer.text
    post.client.post(page, data={"do": "leave"})
    assert post.row().consent == {"email": False, "sms": False}


def test_a_pause_lasts_thirty_days_skips_what_is_due_and_may_be_ended(post: Post) -> None:
    run, _ = post.gets("lead.created")
    first = post.house.message().id
    page = link_of(post, first)
    answer = post.client.post(page, data={"do": "pause"})
    assert "We will leave you in peace until" in answer.text
    assert post.row().paused_until - post.house.clock() > timedelta(days=29, hours=23)
    [(name, said), _] = post.events()
    assert (name, list(said)) == ("lead.paused", ["until"])
    assert log(post) == [(None, None, "paused", "page")]
    post.goes_to(NOW + timedelta(days=8))
    for days in (3, 5, 8):
        post.house.advance(run, NOW + timedelta(days=days))
    later = [row for row in post.house.messages() if row.id != first]
    assert later
    assert all(row.reason.startswith("paused until 20") for row in later)
    post.client.post(page, data={"do": "resume"})
    assert post.row().paused_until is None
    assert log(post)[-1] == (None, None, "resumed", "page")


def test_the_log_alone_says_how_things_stand(post: Post) -> None:
    page = page_of(post)
    post.lead(consent={}, topics={})
    for data in (
        {"do": "save", "want": ALL[:1]},
        {"do": "pause"},
        {"do": "save", "want": ALL[:2]},
        {"do": "leave"},
        {"do": "save", "want": ALL[1:2]},
        {"do": "track"},
        {"do": "untrack"},
        {"do": "untrack"},
    ):
        post.client.post(page, data=data)
    with post.house.store.read() as connection:
        history = consent_history(connection, "lead-1")
    found, row = replayed(history), post.row()
    assert found.tracking is row.tracking is False
    message = post.house.message().id
    assert [(one.state, one.source, one.proof) for one in history][-2:] == [
        ("tracked", "page", {"message": message}),
        ("untracked", "page", {"message": message}),
    ]
    assert (found.consent, found.topics, found.paused_until) == (row.consent, row.topics, row.paused_until)


def test_a_longer_pause_is_not_shortened_by_asking_for_one(post: Post) -> None:
    page, until = page_of(post), NOW + timedelta(days=60)
    post.lead(paused_until=until)
    post.client.post(page, data={"do": "pause"})
    assert post.row().paused_until == until


def test_the_page_needs_its_own_token(post: Post) -> None:
    page = page_of(post)
    assert post.client.get(page[:-1]).status_code == 404
    with post.house.store.read() as connection:
        other = Links(open_house(connection).secret).of(post.house.message().id, NOW)(UnsubscribeLink())
    post.client.post(other, data={"do": "pause"})
    assert post.row().paused_until is None


def test_an_erased_leads_page_is_gone(post: Post) -> None:
    page = page_of(post)
    post.lead(erased_at=NOW)
    assert post.client.get(page).status_code == 410
    assert post.client.post(page, data={"do": "save", "want": ALL}).status_code == 410


def test_the_page_speaks_every_language_of_the_others() -> None:
    assert set(PREFERENCES) == set(WORDS)
    for words in PREFERENCES.values():
        assert set(words.did) == {"save", "leave", "pause", "resume", "track", "untrack"}
        assert "{day}" in words.paused
