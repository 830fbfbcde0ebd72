"""Consent was given for an address: what becomes of it when the lead's address is another."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from dripline.ingest.agreeing import Source, replayed
from dripline.ingest.change import read_change
from dripline.ingest.incoming import LeadIn
from dripline.ingest.leads import upsert
from dripline.ingest.merging.identify import identify
from dripline.store.consents import consent_history
from dripline.store.database import Store
from dripline.store.schema import events, leads
from tests.ingest.test_service import WORKSPACE

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
ANI = {"external_id": "crm-1", "email": "ani@example.com", "phone": "+37491123456"}
ADDRESSES = {"email": ("email", "new@example.com"), "sms": ("phone", "+37499654321")}


def says(store: Store, kind: str, **said: Any) -> None:
    """A change that comes by that source."""
    source = Source(kind, {"call": "identify"} if kind == "segment" else {}, "key-1")
    with store.write() as connection:
        change = read_change(LeadIn.model_validate(said), WORKSPACE, source)
        (identify if kind == "segment" else upsert)(connection, change, NOW, NOW)


def now(store: Store) -> tuple[Mapping[str, Any], list[tuple[Any, ...]]]:
    """What the one lead agrees to, and its log; which must come to the same."""
    with store.read() as connection:
        lead = connection.execute(select(leads)).one()
        rows = consent_history(connection, lead.id)
    assert replayed(rows).consent == lead.consent
    return lead.consent, [(row.channel, row.state, row.source, row.proof.get("address")) for row in rows]


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_web_page_that_says_another_address_takes_no_consent_along(store: Store, channel: str) -> None:
    kind, address = ADDRESSES[channel]
    says(store, "api", **ANI, consent={channel: True})
    says(store, "segment", external_id="crm-1", **{kind: address})
    assert now(store) == (
        {},
        [(channel, "granted", "api", None), (channel, "withdrawn", "segment", "replaced")],
    )


def test_journeys_hear_that_consent_went_with_the_address(store: Store) -> None:
    says(store, "api", **ANI, consent={"email": True})
    says(store, "segment", external_id="crm-1", email="new@example.com")
    with store.read() as connection:
        updated = connection.execute(select(events).where(events.c.name == "lead.updated")).one()
    assert updated.properties == {"changed": ["consent", "email"]}


def test_what_the_same_call_says_is_said_for_the_new_address(store: Store) -> None:
    says(store, "api", **ANI, consent={"email": True})
    says(store, "segment", external_id="crm-1", email="new@example.com", consent={"email": True})
    assert now(store) == (
        {"email": True},
        [("email", "granted", "api", None), ("email", "granted", "segment", "replaced")],
    )


@pytest.mark.parametrize("kind", ["api", "import"])
def test_the_operators_own_word_takes_consent_over_and_is_logged(store: Store, kind: str) -> None:
    says(store, "api", **ANI, consent={"email": True})
    says(store, kind, external_id="crm-1", email="new@example.com")
    assert now(store) == (
        {"email": True},
        [("email", "granted", "api", None), ("email", "granted", kind, "replaced")],
    )


@pytest.mark.parametrize("kind", ["api", "segment", "import"])
def test_an_address_that_is_taken_away_takes_its_consent_along(store: Store, kind: str) -> None:
    says(store, "api", **ANI, consent={"email": True, "sms": True})
    says(store, kind, external_id="crm-1", email=None)
    says(store, "segment", external_id="crm-1", email="new@example.com")
    consent, log = now(store)
    assert consent == {"sms": True}
    assert log[2:] == [("email", "withdrawn", kind, "removed")]


def test_consent_without_an_address_is_for_none_that_a_web_page_names(store: Store) -> None:
    says(store, "api", external_id="crm-1", phone="+37491123456", consent={"email": True})
    says(store, "segment", external_id="crm-1", email="new@example.com")
    assert now(store)[0] == {}


def test_a_visitor_who_agrees_and_then_tells_its_address_has_agreed(store: Store) -> None:
    says(store, "segment", anonymous_id="browser-1", consent={"email": True})
    says(store, "segment", anonymous_id="browser-1", email="ani@example.com")
    assert now(store)[0] == {"email": True}


@pytest.mark.parametrize("kind", ["api", "segment"])
def test_a_no_is_the_persons_at_whatever_address(store: Store, kind: str) -> None:
    says(store, "api", **ANI, consent={"email": False})
    says(store, kind, external_id="crm-1", email="new@example.com")
    assert now(store) == ({"email": False}, [("email", "denied", "api", None)])


def test_the_same_address_in_other_letters_is_the_same(store: Store) -> None:
    says(store, "api", **ANI, consent={"email": True})
    says(store, "segment", external_id="crm-1", email="ANI@example.com")
    assert now(store) == ({"email": True}, [("email", "granted", "api", None)])
