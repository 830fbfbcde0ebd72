"""Friends come by links, type codes, scan pictures; programs ask what became of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from dripline.ingest.incoming import EventIn, LeadIn
from dripline.ingest.referring.service import Referring
from dripline.ingest.service import Ingest
from dripline.language.workspace import Workspace
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.database import Store
from dripline.web.app import create_app
from dripline.web.friends import PER_MINUTE
from tests.durable.house import Clock

URL = "https://drip.example"
WORKSPACE = Workspace.model_validate(
    {
        "timezone": "UTC",
        "locales": ["en", "hy"],
        "currency": "USD",
        "orders": "order.paid",
        "events": {"order.paid": {"order_id": "text", "total": "number"}},
        "forms": {"news": {"title": "News", "fields": {"email": {"label": "E-mail", "required": True}}}},
        "referrals": {
            "friends": {
                "form": "news",
                "remembers": "30 days",
                "welcome": {"percent": 15, "valid": "30 days"},
                "reward": {"discount": {"amount": "50 USD"}},
            },
            "partners": {"landing": "https://shop.example/hello?ref=x&lang=hy", "reward": {"gift": "a mug"}},
        },
    }
)
PERSON = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Accept-Language": "ru, en;q=0.5"}


class Door:
    """The web process, with one lead who brings friends."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, Clock()
        settings = Settings(_env_file=None, api_key="key", public_url=URL)
        self.app = create_app(settings, store, WORKSPACE, machine=self.clock)
        self.ingest = Ingest(store, WORKSPACE, machine=self.clock)
        self.ani = self.ingest.upsert_lead(LeadIn(email="ani@example.com")).body["id"]
        self.code = self.asks("POST", "referral-programs/friends/codes", lead=self.ani)["code"]

    def visitor(self, address: str = "203.0.113.9") -> TestClient:
        return TestClient(
            self.app,
            base_url=URL,
            client=(address, 4_000),
            follow_redirects=False,
            raise_server_exceptions=False,
            headers=PERSON,
        )

    def asks(self, method: str, path: str, **body: Any) -> Any:
        """A shop's request; its answer, with the `status`."""
        headers = {"Authorization": "Bearer key"}
        more = {"json": body} if method == "POST" else {"params": body}
        answer = self.visitor().request(method, f"/v1/{path}", headers=headers, **more)
        return {**answer.json(), "status": answer.status_code}

    def sends(self, visitor: TestClient, email: str, **more: str) -> None:
        assert visitor.post("/f/news", data={"email": email, **more}).status_code == 303

    def brought(self) -> list[tuple[str, str, str, str | None]]:
        leads, rows = schema.leads, schema.referrals
        with self.store.read() as connection:
            query = select(leads.c.email, rows.c.via, rows.c.state, rows.c.refused)
            found = connection.execute(query.join(rows, rows.c.friend_id == leads.c.id).order_by(rows.c.at))
            return [tuple(row) for row in found]


@pytest.fixture
def door(migrated_file: Path, tmp_path: Path) -> Iterator[Door]:
    shutil.copy(migrated_file, tmp_path / "dripline.db")
    store = Store(f"sqlite:///{tmp_path / 'dripline.db'}")
    yield Door(store)
    store.close()


def test_a_link_leads_to_the_form_and_who_sends_it_is_the_friend(door: Door) -> None:
    visitor = door.visitor()
    moved = visitor.get(f"/r/{door.code.lower()}")
    assert (moved.status_code, moved.headers["location"]) == (303, f"../f/news?ref={door.code}")
    page = visitor.get(f"/f/news?ref={door.code}").text
    assert f'name="_ref" value="{door.code}"' in page
    assert f"?locale=hy&amp;ref={door.code}" in page
    door.sends(visitor, "nare@example.com", _ref=door.code)
    assert door.brought() == [("nare@example.com", "form", "joined", None)]
    events = schema.events.c
    with door.store.read() as connection:
        names = list(
            connection.execute(select(events.name).where(events.name.startswith("referral."))).scalars()
        )
    assert sorted(names) == ["referral.joined", "referral.welcomed"], "the referrer is told at once"


def test_who_comes_back_later_is_known_by_the_cookie_and_its_device_too(door: Door) -> None:
    visitor = door.visitor()
    kept = visitor.get(f"/r/{door.code}").headers["set-cookie"]
    assert all(word in kept for word in ("__Host-dripline-friend=", "HttpOnly", "Secure", "Max-Age=2592000"))
    door.sends(visitor, "nare@example.com")
    visitor.get(f"/r/{door.code}")
    door.sends(visitor, "oleg@example.com")
    assert [row[2:] for row in door.brought()] == [("joined", None), ("refused", "device")]


def test_a_form_on_another_page_learns_the_code_by_the_pages_address(door: Door) -> None:
    door.sends(door.visitor(), "nare@example.com", _page=f"https://shop.example/friends?ref={door.code}")
    door.sends(door.visitor(), "oleg@example.com", _page="https://shop.example/friends?ref=nonsense")
    assert [row[0] for row in door.brought()] == ["nare@example.com"]


def test_a_page_of_ones_own_is_told_the_code_and_keeps_the_rest_of_its_query(door: Door) -> None:
    code = door.asks("POST", "referral-programs/partners/codes", lead="ani@example.com")["code"]
    moved = door.visitor().get(f"/r/{code}")
    assert moved.headers["location"] == f"https://shop.example/hello?lang=hy&ref={code}"
    assert "set-cookie" not in moved.headers


def test_only_people_are_counted_and_codes_that_nobody_has_lead_nowhere(door: Door) -> None:
    visitor = door.visitor()
    for headers in ({}, {"User-Agent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}):
        visitor.get(f"/r/{door.code}", headers=headers)
    visitor.head(f"/r/{door.code}")
    assert door.asks("POST", "referral-programs/friends/codes", lead=door.ani)["visits"] == 1
    lost = visitor.get("/r/K7RWM-2PXQ4")
    assert lost.status_code == 404
    assert "спросите того" in lost.text


def test_a_code_is_a_picture_too(door: Door) -> None:
    png, svg = (door.visitor().get(f"/r/{door.code}.{kind}") for kind in ("png", "svg"))
    assert (png.headers["content-type"], png.content[:4]) == ("image/png", b"\x89PNG")
    assert svg.text.startswith("<svg")
    assert door.visitor().get(f"/r/{door.code}.gif").status_code == 404
    assert door.visitor().get("/r/K7RWM-2PXQ4.png").status_code == 404


def test_whoever_looks_for_codes_is_slowed_down_by_pictures_too(door: Door) -> None:
    visitor = door.visitor("198.51.100.7")
    kinds = ("", ".png", ".svg")
    answers = [visitor.get(f"/r/K7RWM-2PXQ4{kinds[number % 3]}") for number in range(PER_MINUTE + 3)]
    assert [one.status_code for one in answers] == [404] * PER_MINUTE + [429] * 3
    assert all(int(one.headers["Retry-After"]) > 0 for one in answers[PER_MINUTE:])
    assert door.visitor().get(f"/r/{door.code}.png").status_code == 200


def test_a_shop_says_who_came_and_reads_what_becomes_of_it(door: Door) -> None:
    nare = door.ingest.upsert_lead(LeadIn(email="nare@example.com")).body["id"]
    came = door.asks("POST", "referrals", code=door.code, lead={"email": "nare@example.com"})
    assert (came["status"], came["state"], came["welcome"]["percent"]) == (201, "joined", 15)
    again = door.asks("POST", "referrals", code=door.code, lead=nare)
    assert (again["status"], again["id"], again["welcome"]) == (200, came["id"], came["welcome"])
    paid = {"order_id": "o-1", "total": 100}
    door.ingest.record_event(EventIn(name="order.paid", lead=nare, id="o-1", properties=paid))
    shown = door.asks("GET", f"referrals/{came['id']}")
    assert (shown["state"], shown["referrer"], shown["friend"]) == ("purchased", door.ani, nare)
    assert [one["id"] for one in door.asks("GET", "referrals", state="purchased")["referrals"]] == [
        came["id"]
    ]
    refused = door.asks("POST", f"referrals/{came['id']}/refuse", why="the same household")
    assert (refused["state"], refused["refused"]) == ("refused", "the same household")
    assert refused["told"] == "rules", "as the referrer may read it"
    [program] = door.asks("GET", "referral-programs")["programs"]
    assert (program["codes"], program["states"]) == (1, {"refused": 1})
    assert door.asks("GET", "referral-programs/friends/leaders")["leaders"] == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("referrals", {"code": "K7RWM-2PXQ4", "lead": "ani@example.com"}, 404),
        ("referrals", {"code": "", "lead": "ani@example.com"}, 422),
        ("referral-programs/freinds/codes", {"lead": "ani@example.com"}, 404),
        ("referral-programs/friends/codes", {"lead": "nobody@example.com"}, 404),
        ("referrals/nothing/refuse", {"why": "x"}, 404),
    ],
)
def test_what_cannot_be_done_is_told(door: Door, path: str, body: dict[str, Any], status: int) -> None:
    assert door.asks("POST", path, **body)["status"] == status
    assert door.asks("POST", "referrals", code=door.code, lead=door.ani)["code"] == "own-code"


def test_the_page_shows_who_brought_most_and_names_nobody_to_viewers(door: Door) -> None:
    door.ingest.upsert_lead(LeadIn(email="nare@example.com"))
    door.asks("POST", "referrals", code=door.code, lead="nare@example.com")
    paid = {"order_id": "o-1", "total": 100}
    door.ingest.record_event(EventIn(name="order.paid", lead="nare@example.com", id="o-1", properties=paid))
    door.clock.offset += timedelta(days=15)
    Referring(door.store, machine=door.clock).settle_due(10, 1.0)
    page = door.visitor().get("/friends", headers={"Authorization": "Bearer key", "Accept": "text/html"}).text
    assert "ani@example.com" in page
    assert "nare@example.com" in page
    assert '<span class="badge finished">rewarded</span>' in page
    assert "<dt>friends came</dt><dd>1</dd>" in page
    assert "<h2>partners" in page
