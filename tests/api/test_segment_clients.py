"""Segment's and RudderStack's own Python libraries, as they are published: only the host is another."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment
from sqlalchemy import select

from dripline.store.database import Store
from dripline.store.leads import Identity, owners
from dripline.store.schema import events, groups, identities, leads, memberships, runs
from tests.ingest.journeys import a_plan, published
from tests.serving import KEY, Served

WORKSPACE = """
timezone: Asia/Yerevan
locales: [en]
default_region: AM
topics: {newsletter: News}
attributes: {first_name: text, last_name: text, company: text, plan: text, birthday: date}
events:
  demo.booked: {seats: integer, starts_at: datetime}
  order.paid: {order_id: text, total: number}
tracking_api:
  events:
    Order Completed: {event: order.paid, properties: {cart.value: total}}
  traits: {marketingEmails: consent.email}
  group_traits: {name: company}
"""

Make = Callable[..., Any]


def _segment(host: str, **more: Any) -> Any:
    return segment.Client(KEY, host=host, on_error=_fail, max_retries=20, upload_interval=0.1, **more)


def _rudder(host: str, **more: Any) -> Any:
    return rudder.Client(KEY, host=host, on_error=_fail, max_retries=20, upload_interval=0.1, **more)


_failures: list[str] = []


def _fail(error: Exception, _batch: Any) -> None:
    _failures.append(str(error))


@pytest.fixture(autouse=True)
def no_failures() -> Iterator[None]:
    """Nothing that a library sent was refused."""
    _failures.clear()
    yield
    assert _failures == []


@pytest.fixture
def served(store_url: str, tmp_path: Path) -> Iterator[Served]:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "dripline.yaml").write_text(WORKSPACE)
    with Served(tmp_path, folder, store_url) as served:
        yield served


@pytest.mark.parametrize(
    ("make", "gzip"), [(_segment, False), (_rudder, True)], ids=["segment", "rudder-gzip"]
)
def test_what_a_library_calls_is_there(served: Served, store: Store, make: Make, gzip: bool) -> None:
    with store.write() as connection:
        published(connection, a_plan("demo", on="demo.booked"), a_plan("orders", on="order.paid"))
    client = make(served.url, gzip=gzip)
    client.page(
        anonymous_id="b7c1", name="Pricing", properties={"url": "https://example.com/pricing?token=x"}
    )
    client.identify(
        "crm-1",
        {
            "email": "Ani@Example.com",
            "firstName": "Ani",
            "birthday": "1990-05-01T00:00:00Z",
            "marketingEmails": True,
        },
        {"campaign": {"source": "google", "medium": "cpc", "name": "spring"}, "timezone": "Asia/Tbilisi"},
        anonymous_id="b7c1",
    )
    client.track("crm-1", "Demo Booked", {"seats": "8", "startsAt": "2026-03-02T10:00:00Z", "color": "red"})
    client.track("crm-1", "Order Completed", {"orderId": 7, "cart": {"value": 12.5}})
    client.track("crm-1", "Something Else", {"x": 1})
    client.group("crm-1", "arpi", {"name": "Arpi LLC", "employees": 40})
    client.screen("crm-1", name="Home")
    client.alias("crm-1-old", "crm-1")
    client.flush()
    client.join()
    with store.read() as connection:
        [lead] = connection.execute(select(leads)).all()
        told = connection.execute(select(events).order_by(events.c.seq)).all()
        ids = {(row.kind, row.value) for row in connection.execute(select(identities))}
        started = sorted(connection.execute(select(runs.c.journey)).scalars())
        group = connection.execute(select(groups)).one()
        assert connection.execute(select(memberships.c.lead_id)).scalar_one() == lead.id
    assert (lead.external_id, lead.email, lead.timezone) == ("crm-1", "Ani@example.com", "Asia/Tbilisi")
    assert lead.attributes == {"first_name": "Ani", "birthday": "1990-05-01", "company": "Arpi LLC"}
    assert lead.consent == {"email": True}
    assert lead.last_touch["campaign"] == "spring"
    assert ids == {
        ("external_id", "crm-1"),
        ("email", "ani@example.com"),
        ("anonymous_id", "b7c1"),
        ("anonymous_id", "crm-1-old"),
    }
    assert started == ["demo", "orders"]
    assert group.traits == {"name": "Arpi LLC", "employees": 40}
    said = [(row.name, row.properties) for row in told if not row.name.startswith("lead.")]
    assert said == [
        ("page.viewed", {"name": "Pricing", "url": "https://example.com/pricing"}),
        ("demo.booked", {"seats": 8, "starts_at": "2026-03-02T10:00:00+00:00"}),
        ("order.paid", {"order_id": "7", "total": 12.5}),
        ("group.joined", {"group": "arpi", "name": "Arpi LLC"}),
        ("page.viewed", {"name": "Home", "screen": True}),
    ]


@pytest.mark.parametrize("make", [_segment, _rudder], ids=["segment", "rudder"])
def test_what_was_sent_while_the_server_was_killed_is_there_once(
    served: Served, store: Store, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    client = make(served.url, gzip=True, upload_size=20)

    def track(numbers: Iterable[int]) -> None:
        for number in numbers:
            client.track(f"crm-{number % 10}", "demo booked", {"seats": number}, message_id=f"m-{number}")

    track(range(200))
    time.sleep(0.15)  # some are kept by now, and some are under way
    served.kill()
    track(range(200, 400))
    served.start()
    client.flush()
    track(range(400))  # and all of it again
    client.flush()
    client.join()
    with store.read() as connection:
        booked = select(events.c.properties).where(events.c.name == "demo.booked")
        seats = [row["seats"] for row in connection.execute(booked).scalars()]
        people = owners(connection, [Identity("external_id", f"crm-{number}") for number in range(10)])
        assert len(connection.execute(select(leads)).all()) == len(people) == 10
    assert sorted(seats) == list(range(400))
