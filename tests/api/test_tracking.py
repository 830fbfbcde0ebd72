"""The tracking API, call by call, as browsers, servers and curl send it."""

from __future__ import annotations

import gzip
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from dripline.access.keys import create_key
from dripline.clock import machine_clock
from dripline.ingest.segment.advice import advice
from dripline.ingest.segment.calls import corrected
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.store.schema import consents, events, leads, merges, runs
from dripline.store.strays import list_strays
from dripline.web.app import create_app
from dripline.web.guard import MAX_UNNAMED, MAX_WEB_FORM
from tests.ingest.journeys import a_plan, published

WORKSPACE = Workspace.model_validate(
    {
        "timezone": "Asia/Yerevan",
        "locales": ["hy"],
        "default_region": "AM",
        "topics": {"newsletter": "News"},
        "attributes": {"first_name": "text", "last_name": "text", "company": "text", "seats": "integer"},
        "events": {
            "demo.booked": {"seats": "integer", "note": "any", "page": "text"},
            "order.paid": {"total": "number"},
        },
        "tracking_api": {
            "events": {"Bought": {"event": "order.paid", "properties": {"cart.sum": "total"}}},
            "traits": {"newsletter": "topics.newsletter", "smsOk": "consent.sms", "level": "stage"},
        },
    }
)
KEY = "sesame"
ANI = {"userId": "crm-1"}
NOBODY: Any = None


@pytest.fixture
def client(store: Store) -> TestClient:
    return _client(store, WORKSPACE)


def _client(store: Store, workspace: Workspace) -> TestClient:
    settings = Settings(_env_file=None, api_key=KEY)
    app = create_app(settings, store, workspace)
    client = TestClient(app, base_url="https://track.example.com", client=("198.51.100.7", 5))
    client.auth = (KEY, "")
    return client


def told(store: Store) -> list[tuple[str, Any]]:
    """Everything that happened but changes of leads, oldest first."""
    with store.read() as connection:
        rows = connection.execute(select(events).order_by(events.c.seq)).all()
    return [(row.name, row.properties) for row in rows if not row.name.startswith("lead.")]


def only_lead(store: Store) -> Any:
    with store.read() as connection:
        return connection.execute(select(leads).where(leads.c.merged_into.is_(None))).one()


def strays(client: TestClient) -> list[tuple[str, str, str, int]]:
    answer = client.get("/v1/tracking/strays", headers={"Authorization": f"Bearer {KEY}"}, auth=NOBODY)
    return [(one["kind"], one["name"], one["why"], one["times"]) for one in answer.json()["strays"]]


def test_a_call_is_answered_as_segment_answers(client: TestClient) -> None:
    answer = client.post("/v1/track", json={**ANI, "event": "Demo Booked"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    batch = client.post("/v1/batch", json={"batch": [{**ANI, "type": "identify"}]})
    assert batch.json()["success"] is True


@pytest.mark.parametrize("name", ["demo.booked", "Demo Booked", "demoBooked", "demo_booked", "DEMO BOOKED"])
def test_names_that_differ_in_case_and_word_breaks_alone_are_the_same(
    client: TestClient, store: Store, name: str
) -> None:
    client.post("/v1/track", json={**ANI, "event": name, "properties": {"Seats": "8"}})
    assert told(store) == [("demo.booked", {"seats": 8})]


def test_what_the_workspace_maps_comes_first(client: TestClient, store: Store) -> None:
    client.post("/v1/track", json={**ANI, "event": "Bought", "properties": {"cart": {"sum": 12}}})
    assert told(store) == [("order.paid", {"total": 12})]


def test_what_has_no_place_is_counted_and_loses_nothing_that_has(client: TestClient, store: Store) -> None:
    for _ in range(2):
        client.post("/v1/track", json={**ANI, "event": "Demo Bookd ani@example.com"})
    client.post("/v1/track", json={**ANI, "event": "Lead Created"})
    client.post(
        "/v1/track",
        json={**ANI, "event": "demo.booked", "properties": {"seats": "eight", "color": "red", "note": "x"}},
    )
    client.post(
        "/v1/identify", json={**ANI, "traits": {"email": "no address", "firstName": "Ani", "shoe": 41}}
    )
    assert told(store) == [("demo.booked", {"note": "x"})]
    assert only_lead(store).attributes == {"first_name": "Ani"}
    assert strays(client) == [
        ("event", "Demo Bookd …@…", "is not declared", 2),
        ("event", "Lead Created", "is `lead.created`, which only Dripline itself tells", 1),
        ("property", "color", "is not declared", 1),
        ("property", "seats", "`seats` must be a whole number", 1),
        ("trait", "email", "`email` is not an e-mail address: an email address must have an @-sign", 1),
        ("trait", "shoe", "is not declared", 1),
    ]


@pytest.mark.parametrize("orders", ["servers", "anybody"])
def test_what_something_hangs_of_is_not_believed_of_a_key_that_lies_open(store: Store, orders: str) -> None:
    client = _client(store, _shop(orders))
    sale = {
        **ANI,
        "event": "Bought",
        "properties": {"orderId": "9", "cart": {"sum": 90}, "friend": "AB12C-DE34F"},
    }
    back = {**ANI, "type": "track", "event": "order refunded", "properties": {"orderId": "9"}}
    joined = {**ANI, "type": "track", "event": "Code Typed", "properties": {"friend": "AB12C-DE34F"}}
    called = {**ANI, "type": "track", "event": "Call Made"}
    assert client.post("/v1/track", json=sale).json() == {"success": True}
    answer = client.post(
        "/v1/import", json={"batch": [back, joined, called, {**ANI, "type": "track", "event": "seen"}]}
    )
    assert answer.json()["taken"] == 4
    shown = [one for one in strays(client) if one[0] == "event"]
    if orders == "anybody":
        everything = ["order.paid", "order.refunded", "code.typed", "call.made", "seen"]
        assert [name for name, _ in told(store)] == everything
        assert shown == []
        return
    assert [name for name, _ in told(store)] == ["seen"]
    assert only_lead(store).external_id == "crm-1"
    assert shown == [
        ("event", "Bought", "something hangs of `order.paid`: no write key may tell it", 1),
        ("event", "Call Made", "something hangs of `call.made`: no write key may tell it", 1),
        ("event", "Code Typed", "something hangs of `code.typed`: no write key may tell it", 1),
        ("event", "order refunded", "something hangs of `order.refunded`: no write key may tell it", 1),
    ]
    [first, *_] = list_of(store)
    assert "events:write" in advice(first, _shop(orders))


def test_a_server_tells_of_orders_by_a_key_that_nobody_reads(store: Store) -> None:
    client = _client(store, _shop("servers"))
    with store.write() as connection:
        both = create_key(connection, "shop", ["track", "events:write"], machine_clock(), None, live=True)
        track = create_key(connection, "page", ["track"], machine_clock(), None, live=True)
    sale = {**ANI, "event": "Bought", "properties": {"orderId": "9", "cart": {"sum": 90}}}
    for secret in (both.secret, track.secret):  # as a write key, whatever else it may do
        client.post("/v1/track", json={**sale, "writeKey": secret}, auth=NOBODY)
        client.post("/v1/track", json=sale, auth=(secret, ""))
    client.post("/v1/track", json=sale, headers={"Authorization": f"Bearer {track.secret}"}, auth=NOBODY)
    assert told(store) == []
    client.post("/v1/track", json=sale, headers={"Authorization": f"Bearer {both.secret}"}, auth=NOBODY)
    assert told(store) == [("order.paid", {"order_id": "9", "total": 90})]


def _shop(orders: str) -> Workspace:
    return Workspace.model_validate(
        {
            "timezone": "Asia/Yerevan",
            "locales": ["hy"],
            "currency": "AMD",
            "events": {
                "order.paid": {"order_id": "text", "total": "number", "friend": "text"},
                "order.refunded": {"order_id": "text"},
                "code.typed": {"friend": "text"},
                "call.made": {},
                "seen": {},
            },
            "people": {"anna": {"email": "anna@example.com"}},
            "teams": {"sales": {"people": ["anna"], "reactions": "call.made"}},
            "orders": {"event": "order.paid", "refund": {"event": "order.refunded"}},
            "referrals": {
                "friends": {
                    "landing": "https://shop.example/",
                    "told_by": {"event": ["order.paid", "code.typed"], "code": "event.friend"},
                    "reward": {"gift": "a mug"},
                    "return_period": "14 days",
                }
            },
            "tracking_api": {
                "events": {"Bought": {"event": "order.paid", "properties": {"cart.sum": "total"}}},
                "orders": orders,
            },
        }
    )


def list_of(store: Store) -> Any:
    """The strays themselves, the most frequent first."""
    with store.read() as connection:
        return list_strays(connection)


def test_reserved_traits_are_the_fields_of_a_lead(client: TestClient, store: Store) -> None:
    traits = {
        "email": "ani@example.com",
        "phone": "091 123456",
        "name": "Ani Petrosyan",
        "company": {"name": "Arpi LLC", "employees": 9},
        "address": {"country": "Armenia", "city": "Gyumri"},
        "id": "crm-1",
    }
    context = {"locale": "hy-AM", "timezone": "Asia/Yerevan", "ip": "203.0.113.9", "userAgent": "x"}
    client.post("/v1/identify", json={**ANI, "traits": traits, "context": context})
    lead = only_lead(store)
    assert (lead.email, lead.phone, lead.country) == ("ani@example.com", "+37491123456", "AM")
    assert (lead.locale, lead.timezone) == ("hy-AM", "Asia/Yerevan")
    assert lead.attributes == {"first_name": "Ani", "last_name": "Petrosyan", "company": "Arpi LLC"}
    assert strays(client) == []
    assert "203.0.113.9" not in repr(lead)


def test_what_a_browser_knows_of_itself_changes_nothing_that_was_said(
    client: TestClient, store: Store
) -> None:
    client.post("/v1/identify", json={**ANI, "traits": {"locale": "hy"}})
    client.post("/v1/identify", json={**ANI, "context": {"locale": "en-US", "timezone": "Asia/Tbilisi"}})
    lead = only_lead(store)
    assert (lead.locale, lead.timezone) == ("hy", "Asia/Tbilisi")


def test_nobody_agrees_to_messages_but_by_a_trait_that_is_mapped(client: TestClient, store: Store) -> None:
    traits = {
        "email": "ani@example.com",
        "consent": {"email": True},
        "consent.email": True,
        "stage": "customer",
    }
    client.post("/v1/identify", json={**ANI, "traits": traits})
    lead = only_lead(store)
    assert (lead.consent, lead.stage) == ({}, None)
    client.post(
        "/v1/identify", json={**ANI, "traits": {"smsOk": "yes", "newsletter": False, "level": "trial"}}
    )
    lead = only_lead(store)
    assert (lead.consent, lead.topics, lead.stage) == ({"sms": True}, {"newsletter": False}, "trial")
    with store.read() as connection:
        rows = connection.execute(select(consents).order_by(consents.c.id)).all()
    assert {(row.channel, row.topic, row.source) for row in rows} == {
        ("sms", None, "segment"),
        (None, "newsletter", "segment"),
    }
    client.post("/v1/identify", json={**ANI, "traits": {"smsOk": "perhaps"}})
    assert only_lead(store).consent == {"sms": True}


def test_a_repeat_changes_nothing(client: TestClient, store: Store) -> None:
    calls = [
        {**ANI, "type": "identify", "traits": {"company": "One"}, "messageId": "a"},
        {**ANI, "type": "identify", "traits": {"company": "Two"}, "messageId": "b"},
        {**ANI, "type": "track", "event": "Demo Booked", "messageId": "c"},
        {**ANI, "type": "group", "groupId": "arpi", "messageId": "d"},
        {**ANI, "type": "track", "event": "Demo Booked", "timestamp": "2026-03-02T10:00:00Z"},
    ]
    first = client.post("/v1/batch", json={"batch": calls}).json()
    with store.read() as connection:
        before = connection.execute(select(events)).all()
    again = client.post("/v1/batch", json={"batch": calls, "sentAt": "2026-03-02T10:00:05Z"}).json()
    assert (first["taken"], again["taken"], again["repeated"]) == (5, 0, 5)
    with store.read() as connection:
        assert connection.execute(select(events)).all() == before
    assert client.post("/v1/track", json={**ANI, "event": "Demo Booked", "messageId": "c"}).status_code == 200
    assert len(told(store)) == 3


def test_a_bad_call_of_a_batch_loses_no_good_one(client: TestClient, store: Store) -> None:
    calls = [
        {**ANI, "type": "track", "event": "Demo Booked"},
        {"type": "track", "event": "Demo Booked"},
        {**ANI, "type": "dance"},
        "no call",
        {**ANI, "type": "track", "event": "Demo Booked", "properties": {"note": "\x00"}},
        {**ANI, "type": "track", "event": 7},
        {**ANI, "type": "track", "event": "Demo Booked", "properties": {"note": "x" * 70_000}},
        {**ANI, "type": "track", "event": "Order Paid", "properties": {"total": 3}},
    ]
    answer = client.post("/v1/batch", json={"batch": calls})
    said = answer.json()
    assert (answer.status_code, said["taken"], said["refused"]) == (200, 2, 6)
    assert [(one["index"], one["errors"][0]["field"]) for one in said["problems"]] == [
        (1, "userId"),
        (2, "type"),
        (3, ""),
        (4, "properties.note"),
        (5, "event"),
        (6, ""),
    ]
    assert [name for name, _ in told(store)] == ["demo.booked", "order.paid"]
    none = client.post("/v1/batch", json={"batch": calls[1:3]})
    assert (none.status_code, none.json()["errors"][0]["field"]) == (422, "batch.0.userId")


def test_who_visits_first_and_says_later_who_it_is_is_one_person(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        published(connection, a_plan("demo", on="demo.booked"))
    visitor = {"anonymousId": "b7c1"}
    client.post("/v1/page", json={**visitor, "properties": {"url": "https://x.example/?utm_source=google"}})
    client.post("/v1/track", json={**visitor, "event": "Demo Booked"})
    client.post("/v1/identify", json={**visitor, **ANI, "traits": {"email": "ani@example.com"}})
    lead = only_lead(store)
    assert (lead.external_id, lead.first_touch["source"]) == ("crm-1", "google")
    with store.read() as connection:
        assert connection.execute(select(runs.c.lead_id)).scalars().all() == [lead.id]
        assert set(connection.execute(select(events.c.lead_id)).scalars()) == {lead.id}


def test_a_user_id_that_is_an_address_is_one(client: TestClient, store: Store) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    client.put(
        "/v1/leads", json={"external_id": "crm-1", "email": "ani@example.com"}, headers=headers, auth=NOBODY
    )
    client.post("/v1/track", json={"userId": "Ani@example.com", "event": "Demo Booked"})
    assert only_lead(store).external_id == "crm-1"
    assert len(told(store)) == 1


def test_an_alias_makes_a_visitor_somebody_but_nobody_another_unless_the_workspace_says_so(
    client: TestClient, store: Store
) -> None:
    client.post("/v1/track", json={"anonymousId": "browser", "event": "Demo Booked"})
    client.post("/v1/identify", json={"userId": "victim", "traits": {"email": "ani@example.com"}})
    client.post("/v1/identify", json={"userId": "other", "traits": {"email": "bella@example.com"}})
    assert client.post("/v1/alias", json={"previousId": "browser", "userId": "victim"}).status_code == 200
    for previous, now in (("victim", "other"), ("other", "victim"), ("victim", "nobody-yet")):
        refused = client.post("/v1/alias", json={"previousId": previous, "userId": now})
        assert (refused.status_code, refused.json()["code"]) == (409, "both-known")
    with store.read() as connection:
        assert sorted(
            connection.execute(select(leads.c.external_id).where(leads.c.merged_into.is_(None))).scalars()
        ) == [
            "other",
            "victim",
        ]


def test_an_alias_makes_one_of_two(client: TestClient, store: Store) -> None:
    anybody = WORKSPACE.tracking_api.model_copy(update={"aliases": "anybody"})
    client = _client(store, WORKSPACE.model_copy(update={"tracking_api": anybody}))
    client.post("/v1/identify", json={"userId": "old", "traits": {"company": "Arpi LLC"}})
    client.post("/v1/track", json={"userId": "old", "event": "Demo Booked"})
    client.post("/v1/identify", json={"userId": "new", "traits": {"email": "ani@example.com"}})
    assert client.post("/v1/alias", json={"previousId": "old", "userId": "new"}).status_code == 200
    lead = only_lead(store)
    assert (lead.external_id, lead.attributes["company"]) == ("new", "Arpi LLC")
    with store.read() as connection:
        assert connection.execute(select(merges.c.cause)).scalars().all() == ["alias"]
    client.post("/v1/alias", json={"previousId": "new", "userId": "newest"})
    assert only_lead(store).external_id == "newest"
    assert client.post("/v1/alias", json={"userId": "new"}).json()["errors"][0]["field"] == "previousId"


def test_pages_are_kept_without_what_follows_their_addresses(client: TestClient, store: Store) -> None:
    page = {
        "url": "https://u:p@example.com/pricing?token=secret#x",
        "title": "Pricing",
        "search": "?token=secret",
    }
    client.post("/v1/page", json={**ANI, "name": "Pricing", "context": {"page": page}})
    client.post("/v1/screen", json={**ANI, "name": "Home"})
    assert told(store) == [
        ("page.viewed", {"name": "Pricing", "url": "https://example.com/pricing", "title": "Pricing"}),
        ("page.viewed", {"name": "Home", "screen": True}),
    ]


def test_pages_are_left_out_where_the_workspace_says_so(store: Store) -> None:
    silent = WORKSPACE.model_copy(
        update={"tracking_api": WORKSPACE.tracking_api.model_copy(update={"pages": False})}
    )
    app = create_app(Settings(_env_file=None, api_key=KEY), store, silent)
    answer = TestClient(app).post("/v1/page", json=ANI, auth=(KEY, ""))
    assert (answer.status_code, told(store)) == (200, [])


def test_groups_are_joined_once(client: TestClient, store: Store) -> None:
    for traits in ({"name": "Arpi LLC", "plan": "pro"}, {"plan": None}):
        client.post("/v1/group", json={**ANI, "groupId": 7, "traits": traits})
    assert told(store) == [("group.joined", {"group": "7", "name": "Arpi LLC"})]


NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("original", "sent", "meant"),
    [
        (
            "2026-03-02T12:00:00Z",
            "2026-03-02T12:00:10Z",
            NOW - timedelta(seconds=10),
        ),  # a clock two hours ahead
        ("2026-03-01T10:00:00.000Z", None, NOW - timedelta(days=1)),
        (1_772_359_200_000, None, NOW - timedelta(days=1)),
        ("2026-03-01T10:00:00", "2026-03-02T10:00:00", NOW - timedelta(days=1)),
        ("2026-03-03T10:00:00Z", None, None),  # it cannot be later than now
        ("yesterday", None, None),
        ({}, [], None),
        ("0001-01-01T00:00:00+14:00", None, None),
        (1e300, None, None),
        (None, "2026-03-02T10:00:00Z", None),
    ],
)
def test_times_are_told_by_our_clock(original: Any, sent: Any, meant: datetime | None) -> None:
    assert corrected(original, sent, NOW) == meant


def test_what_happened_long_ago_starts_nothing(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        published(connection, a_plan("demo", on="demo.booked"))
    old = {**ANI, "type": "track", "event": "Demo Booked", "timestamp": "2020-01-01T00:00:00Z"}
    client.post("/v1/track", json=old)
    client.post("/v1/import", json={"batch": [{**ANI, "type": "track", "event": "Demo Booked"}]})
    with store.read() as connection:
        kept = connection.execute(select(events.c.historical).where(events.c.name == "demo.booked")).scalars()
        assert list(kept) == [True, True]
        assert connection.execute(select(runs)).all() == []


def test_a_browser_may_send_from_any_page(client: TestClient) -> None:
    client.auth = None
    asked = client.options(
        "/v1/t", headers={"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
    )
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "authorization" in asked.headers["Access-Control-Allow-Headers"].lower()
    body = json.dumps({**ANI, "event": "Demo Booked", "writeKey": KEY})
    headers = {"Origin": "https://shop.example", "Content-Type": "text/plain;charset=UTF-8"}
    sent = client.post("/v1/t", content=body, headers=headers)
    assert (sent.status_code, sent.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert sent.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    wrong = client.post("/v1/t", content=body.replace(KEY, "wrong"), headers=headers)
    assert (wrong.status_code, wrong.headers["Access-Control-Allow-Origin"]) == (401, "*")
    assert "Access-Control-Allow-Origin" not in client.get("/health").headers


def test_a_key_for_other_things_tracks_nothing_and_a_write_key_reads_nothing(client: TestClient) -> None:
    assert client.post("/v1/track", json={**ANI, "event": "x"}, auth=("wrong", "")).status_code == 401
    assert client.get("/v1/tracking/strays").status_code == 403
    assert client.get("/v1/runs").status_code == 403


def test_packed_bodies_are_unpacked_and_no_further_than_may_be(client: TestClient, store: Store) -> None:
    def sent(body: bytes, packing: str = "gzip") -> Any:
        return client.post("/v1/track", content=body, headers={"Content-Encoding": packing})

    good = gzip.compress(json.dumps({**ANI, "event": "Demo Booked"}).encode())
    assert sent(good).status_code == 200
    half = len(good) // 2
    parts = gzip.compress(b'{"userId": "crm-1", ') + gzip.compress(b'"event": "Demo Booked"}')
    assert sent(parts).status_code == 200
    assert (sent(good[:half]).status_code, sent(b"no gzip").status_code) == (400, 400)
    assert (sent(good, "br").status_code, sent(gzip.compress(b"")).status_code) == (415, 400)
    bomb = gzip.compress(b" " * 200_000_000, 9)
    assert len(bomb) < 250_000
    assert sent(bomb).status_code == 413
    assert sent(gzip.compress(bomb)).status_code == 400
    began = time.process_time()
    assert sent(gzip.compress(b"") * 200_000).status_code == 413
    assert time.process_time() - began < 6
    assert len(told(store)) == 2


def test_what_comes_without_a_key_is_not_read_at_length(client: TestClient) -> None:
    for path, most in (("/v1/batch", MAX_UNNAMED), ("/login", MAX_WEB_FORM)):
        assert client.post(path, content=b"[" + b"[]," * 400_000 + b"[]]", auth=NOBODY).status_code == 413
        assert client.post(path, content=b"x" * most, auth=NOBODY).status_code in (401, 403)


def test_ten_first_calls_of_one_person_at_once_make_one_lead(client: TestClient, store: Store) -> None:
    def call(number: int) -> int:
        body = {**ANI, "anonymousId": f"b-{number % 3}", "event": "Demo Booked", "messageId": f"m-{number}"}
        status: int = client.post("/v1/track", json=body).status_code
        return status

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(call, range(10))) == {200}
    assert only_lead(store).external_id == "crm-1"
    assert len(told(store)) == 10


def test_the_same_call_in_ten_requests_at_once_is_done_once(client: TestClient, store: Store) -> None:
    body = {"batch": [{**ANI, "type": "track", "event": "Demo Booked", "messageId": "m"}]}
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/batch", json=body).json(), range(10)))
    assert sorted(answer["taken"] for answer in answers) == [0] * 9 + [1]
    assert len(told(store)) == 1
