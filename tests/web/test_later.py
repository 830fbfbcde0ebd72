"""The page on which a lead names the day to come back to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from dripline.language.links import LaterLink
from dripline.links import Links
from dripline.privacy.erasing import Eraser
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.leads import change_lead
from dripline.store.schema import messages
from dripline.web.later_words import LATER
from tests.durable.house import NOW
from tests.web.test_links import Post


@pytest.fixture
def post(store: Store) -> Post:
    """The repository's own journeys, and a lead that got an e-mail on 2026-01-05."""
    post = Post(store)
    post.gets("lead.created")
    return post


def page_of(post: Post, product: str | None = "team") -> str:
    with post.house.store.read() as connection:
        links = Links(open_house(connection).secret)
    return links.of(post.house.message().id, NOW)(LaterLink(product))


def told(post: Post) -> list[dict[str, str]]:
    return [said for name, said in post.events() if name == "demand.deferred"]


def test_to_look_changes_nothing(post: Post) -> None:
    page = page_of(post)
    answer = post.client.get(page)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert 'min="2026-01-06"' in answer.text
    assert told(post) == []


def test_no_link_of_a_notice_names_a_day_for_the_lead(post: Post) -> None:
    page = page_of(post)
    with post.house.store.write() as connection:
        connection.execute(update(messages).values(notice=True))
    assert "<form" not in post.client.get(page).text
    post.client.post(page, data={"do": "save", "when": "1"})
    assert told(post) == []


@pytest.mark.parametrize(
    ("sent", "until"),
    [
        ({"when": "1"}, "2026-02-05"),
        ({"when": "3"}, "2026-04-05"),
        ({"when": "6"}, "2026-07-05"),
        ({"when": "own", "day": "2026-01-06"}, "2026-01-06"),
        ({"when": "own", "day": "2027-12-31"}, "2027-12-31"),
    ],
)
def test_a_day_is_told_once_with_what_it_is_about(post: Post, sent: dict[str, str], until: str) -> None:
    page = page_of(post)
    for _ in range(2):
        answer = post.client.post(page, data={"do": "save", **sent})
        assert "Noted: we will come back to you on" in answer.text
    assert told(post) == [{"product": "team", "until": until}]


@pytest.mark.parametrize(
    "sent",
    [
        {"when": "own", "day": "2026-01-05"},
        {"when": "own", "day": "2031-01-05"},
        {"when": "own", "day": "soon"},
        {"when": "own"},
        {"when": "12"},
        {},
    ],
)
def test_a_day_that_cannot_be_named_is_asked_for_again(post: Post, sent: dict[str, str]) -> None:
    answer = post.client.post(page_of(post), data={"do": "save", **sent})
    assert LATER["en"].wrong in answer.text
    assert told(post) == []


@pytest.mark.parametrize("sent", [{}, {"List-Unsubscribe": "One-Click"}, {"when": "1"}])
def test_what_posts_without_pressing_changes_nothing(post: Post, sent: dict[str, str]) -> None:
    assert post.client.post(page_of(post), data=sent).status_code == 200
    assert told(post) == []


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_tomorrow_is_the_day_after_today_where_the_lead_is(post: Post) -> None:
    with post.house.store.write() as connection:
        change_lead(connection, "lead-1", {"timezone": "Pacific/Honolulu"}, NOW)
    assert 'min="2026-01-05"' in post.client.get(page_of(post)).text


def test_another_day_may_be_named_later(post: Post) -> None:
    page = page_of(post, None)
    for months in ("6", "1"):
        post.client.post(page, data={"do": "save", "when": months})
    assert told(post) == [{"until": "2026-07-05"}, {"until": "2026-02-05"}]


def test_an_old_link_and_that_of_an_erased_lead_are_outlived(post: Post) -> None:
    page = page_of(post)
    Eraser(post.house.store).erase("lead-1", "ops")
    assert post.client.post(page, data={"do": "save", "when": "1"}).status_code == 410
    post.goes_to(NOW + timedelta(days=400))
    assert post.client.get(page).status_code == 410
    assert told(post) == []
