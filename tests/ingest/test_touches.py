"""Where leads come from: what addresses say, what is kept of it, and who reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from dripline.ingest.change import read_change
from dripline.ingest.incoming import LeadIn
from dripline.ingest.leads import upsert
from dripline.ingest.refusal import Refused
from dripline.ingest.touches import Touch, touch_of
from dripline.language.workspace import Workspace
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.leads import facts, read_lead
from dripline.store.touches import first_and_last, touches_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
WORKSPACE = Workspace.model_validate({"timezone": "Asia/Yerevan", "locales": ["en"], "currency": "AMD"})


def keep(store: Store, when: datetime = NOW, historical: bool = False, **touch: Any) -> tuple[str, ...]:
    said = LeadIn.model_validate(
        {"email": "ani@example.com", "historical": historical, **({"touch": touch} if touch else {})}
    )
    with store.write() as connection:
        return upsert(connection, read_change(said, WORKSPACE), when, when).changed


def lead(store: Store) -> dict[str, Any]:
    with store.read() as connection:
        return facts(connection.execute(select(schema.leads)).one())


def rows(store: Store) -> list[Any]:
    with store.read() as connection:
        return touches_of(connection, lead(store)["id"])


@pytest.mark.parametrize(
    ("page", "referrer", "source", "channel"),
    [
        ("https://a.am/?utm_source=google&utm_medium=cpc", None, "google", "paid-search"),
        ("https://a.am/?utm_source=facebook&utm_medium=paid_social", None, "facebook", "paid-social"),
        ("https://a.am/?utm_source=news.am&utm_medium=cpm", None, "news.am", "display"),
        ("https://a.am/?utm_source=news.am&utm_medium=cpc", None, "news.am", "paid-other"),
        ("https://a.am/?utm_source=march&utm_medium=Email", None, "march", "email"),
        ("https://a.am/?utm_source=ig", None, "ig", "social"),
        ("https://a.am/?utm_source=leaflet&utm_medium=qr", None, "leaflet", "offline"),
        ("https://a.am/?utm_source=leaflet", None, "leaflet", "other"),
        ("https://a.am/?gclid=abc", "https://www.google.com/", "google", "paid-search"),
        ("https://a.am/?yclid=1", None, "yandex", "paid-search"),
        ("https://a.am/?fbclid=1", "https://l.facebook.com/", "facebook", "social"),
        ("https://a.am/?fbclid=1&utm_source=fb&utm_medium=cpc", None, "fb", "paid-social"),
        ("https://a.am/", "https://www.google.am/search", "google", "organic-search"),
        ("https://a.am/", "https://yandex.com.am/", "yandex", "organic-search"),
        ("https://a.am/", "https://duckduckgo.com/", "duckduckgo", "organic-search"),
        ("https://a.am/", "https://mail.google.com/mail/u/0", "mail.google.com", "email"),
        (
            "https://a.am/",
            "android-app://com.google.android.gm/",
            "android-app:com.google.android.gm",
            "email",
        ),
        ("https://a.am/", "https://t.me/s/shop", "t.me", "messenger"),
        ("https://a.am/", "https://chatgpt.com/", "chatgpt.com", "assistant"),
        ("https://a.am/", "https://news.am/eng/1.html", "news.am", "referral"),
        ("https://a.am/", "https://notgoogle.example.com/", "notgoogle.example.com", "referral"),
        ("https://a.am/", "https://netflix.com/", "netflix.com", "referral"),
        ("https://a.am/cart", "https://www.a.am/", None, "direct"),
        ("https://shop.a.am/cart", "https://a.am/", None, "direct"),
        ("https://a.am/", None, None, "direct"),
        ("not an address", "http://[::1", None, "direct"),
    ],
)
def test_a_channel_is_found_by_the_written_rules(
    page: str, referrer: str | None, source: str | None, channel: str
) -> None:
    found = touch_of(page, referrer)
    assert (found.source, found.channel) == (source, channel)


def test_nothing_that_says_who_it_was_is_kept_of_an_address() -> None:
    found = touch_of(
        "https://ani:secret@a.am/of/ani%40example.com/x?email=ani@example.com&gclid=who&utm_source=m"
        "&utm_term=ani@example.com#ani",
        "https://news.am/reader/77?session=1",
    )
    assert found == Touch(source="m", channel="paid-search", page="https://a.am/of/…/x", referrer="news.am")


@given(
    st.text(max_size=200), st.text(max_size=200), st.dictionaries(st.text(max_size=10), st.text(max_size=300))
)
def test_no_rubbish_is_refused_or_too_long_to_keep(page: str, referrer: str, said: dict[str, str]) -> None:
    for text in (page, f"https://{page}", f"https://a.am/?utm_source={page}&utm_medium={referrer}"):
        found = touch_of(text, referrer, said)
        assert all(len(value) <= 256 for name, value in found.values.items() if value and name != "page")
        assert len(found.page or "") <= 2048
        assert "\0" not in "".join(value for value in found.values.values() if value)


def test_the_first_and_the_last_are_shown_and_all_are_kept(store: Store) -> None:
    assert keep(store, source="google", medium="cpc", cost=0.5, currency="usd") == ()
    changed = keep(store, NOW + timedelta(days=1), page="https://a.am/?utm_source=march&utm_medium=email")
    assert changed == ("last_touch",)
    known = lead(store)
    assert known["first_touch"] == {
        "at": NOW.isoformat(),
        "source": "google",
        "medium": "cpc",
        "channel": "paid-search",
        "cost": 0.5,
        "currency": "USD",
    }
    assert known["last_touch"]["channel"] == "email"
    assert [(row.source, row.cost) for row in rows(store)] == [("google", 50), ("march", None)]
    assert keep(store, NOW + timedelta(days=2), at=NOW - timedelta(days=9), source="leaflet") == (
        "first_touch",
    )
    assert lead(store)["last_touch"]["source"] == "march"
    with store.read() as connection:
        told = first_and_last(connection, known["id"])
    assert told == {name: lead(store)[name] for name in ("first_touch", "last_touch")}


def test_a_touch_that_says_nothing_new_is_none(store: Store) -> None:
    assert keep(store, source="google", medium="cpc") == ()
    assert keep(store, NOW + timedelta(hours=1), source="google", medium="cpc") == ()
    assert keep(store, NOW + timedelta(hours=2), page="https://a.am/price") == (), "direct changes nothing"
    assert keep(store, NOW + timedelta(hours=3), source="march", medium="email") == ("last_touch",)
    assert keep(store, NOW + timedelta(hours=4), source="google", medium="cpc") == ("last_touch",)
    assert len(rows(store)) == 3
    assert keep(store, NOW + timedelta(hours=5), historical=True, source="march", medium="email") == ()
    assert keep(store, NOW + timedelta(hours=6), at=NOW + timedelta(days=900), source="x") == ("last_touch",)
    assert lead(store)["last_touch"]["at"] == (NOW + timedelta(hours=6)).isoformat(), "nobody comes tomorrow"


def test_who_comes_directly_first_is_known_to(store: Store) -> None:
    keep(store, page="https://a.am/")
    assert lead(store)["first_touch"]["channel"] == "direct"
    keep(store, NOW + timedelta(hours=1), source="google", medium="cpc")
    assert lead(store)["first_touch"]["channel"] == "direct"


@pytest.mark.parametrize(
    ("touch", "field"),
    [
        ({"page": "rubbish"}, "touch.page"),
        ({"referrer": "//"}, "touch.referrer"),
        ({"cost": 1, "currency": "XXQ"}, "touch.currency"),
    ],
)
def test_what_cannot_be_a_touch_is_refused_by_its_field(touch: dict[str, Any], field: str) -> None:
    said = LeadIn.model_validate({"email": "ani@example.com", "touch": touch})
    with pytest.raises(Refused) as caught:
        read_change(said, WORKSPACE)
    assert [error.field for error in caught.value.errors] == [field]


def test_the_event_of_a_new_lead_sees_where_it_came_from(store: Store) -> None:
    keep(store, source="google")
    with store.read() as connection:
        names = connection.execute(select(schema.events.c.name)).scalars().all()
        row = read_lead(connection, lead(store)["id"])
    assert names == ["lead.created"]
    assert row is not None
    assert row.first_touch["source"] == "google"
