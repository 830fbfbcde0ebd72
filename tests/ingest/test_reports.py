from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select

from dripline.ingest.recording import record
from dripline.ingest.reports import take_report
from dripline.providers import DeliveryReport
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import open_house
from dripline.store.schema import events, inbox, leads, messages, suppressions
from tests.ingest.journeys import MONDAY, EventFilter, Exit, a_lead, a_plan, published

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.fixture
def sent(store: Store) -> str:
    """The run of a lead that was sent one e-mail, `m1`, and leaves its journey by lead.unsubscribed."""
    way_out = Exit(on=EventFilter(events=("lead.unsubscribed",)), reason="left")
    with store.write() as connection:
        a_lead(connection, email="ani@example.com", consent={"email": True, "sms": True})
        published(connection, a_plan(exits=(way_out,)))
        [run] = record(connection, Event("e1", "lead-1", "lead.created", {}, MONDAY), NOW).started
        connection.execute(
            insert(messages).values(
                id="m1", run_id=run, lead_id="lead-1", journey="welcome", plan_hash=a_plan(exits=(way_out,)).hash,
                step="email:x", visit=1, channel="email", template="x", transactional=False, priority=50, context={},
                queued_at=MONDAY,
            written_at=MONDAY, progress_at=NOW, recipient="Ani@example.com",
            )
        )  # fmt: skip
    return run


def report(kind: str, key: str = "m1") -> DeliveryReport:
    return DeliveryReport(key, kind, NOW, "provider-1")


def rows(store: Store, table: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(table)).all())


def test_a_delivery_is_kept_in_the_ledger_and_tells_nobody(store: Store, sent: str) -> None:
    take_report(store, report("delivered"), machine=lambda: NOW)
    [message] = rows(store, messages)
    assert (message.state, message.delivered_at, message.provider_id) == ("delivered", NOW, "provider-1")
    assert rows(store, suppressions) == []
    assert len(rows(store, events)) == 1


@pytest.mark.parametrize("kind", ["unsubscribed", "complained"])
def test_leaving_is_minded_once_however_often_it_is_reported(store: Store, sent: str, kind: str) -> None:
    for _ in range(2):
        take_report(store, report(kind), machine=lambda: NOW)
    [lead] = rows(store, leads)
    [suppressed] = rows(store, suppressions)
    assert lead.consent == {"email": False, "sms": True}
    with store.write() as connection:
        assert suppressed.address_hash == open_house(connection).address_hash("email", "ani@example.com")
    assert [(event.name, event.properties) for event in rows(store, events)[1:]] == [
        ("lead.unsubscribed", {"channel": "email"}),
        ("lead.updated", {"changed": ["consent"]}),
    ]
    assert [row.run_id for row in rows(store, inbox)] == [sent]


def test_a_hard_bounce_suppresses_the_address_and_leaves_the_consent(store: Store, sent: str) -> None:
    take_report(store, report("bounced"), machine=lambda: NOW)
    [suppressed] = rows(store, suppressions)
    assert suppressed.reason == "bounced"
    assert rows(store, leads)[0].consent["email"] is True


def test_a_report_of_no_message_of_ours_is_no_error_and_makes_no_lead(store: Store, sent: str) -> None:
    take_report(store, report("unsubscribed", key="unknown"), machine=lambda: NOW)
    assert len(rows(store, leads)) == 1
    assert len(rows(store, events)) == 1
