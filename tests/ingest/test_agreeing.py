"""The log of consent: every change of what a lead agreed to, however it came, with its proof."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from dripline.ingest.agreeing import Source, replayed
from dripline.ingest.change import read_change
from dripline.ingest.importing.rows import Order
from dripline.ingest.incoming import LeadIn
from dripline.ingest.leads import upsert
from dripline.ingest.service import Ingest
from dripline.ingest.words import field_errors
from dripline.store.consents import consent_history
from dripline.store.database import Store
from dripline.store.schema import leads
from tests.ingest.test_service import WORKSPACE, said

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)


@pytest.fixture
def ingest(store: Store) -> Ingest:
    return Ingest(store, WORKSPACE)


def log(store: Store, *fields: str) -> list[tuple[Any, ...]]:
    """The log of the one lead there is, its fields as asked for."""
    with store.read() as connection:
        lead = connection.execute(select(leads)).one()
        rows = consent_history(connection, lead.id)
    names = fields or ("channel", "topic", "state", "source")
    return [tuple(getattr(row, name) for name in names) for row in rows]


def test_the_consent_of_a_new_lead_is_logged_with_the_event_that_made_it(
    store: Store, ingest: Ingest
) -> None:
    ingest.upsert_lead(said(email="ani@example.com", consent={"email": True, "sms": False}))
    assert log(store) == [("email", None, "granted", "api"), ("sms", None, "denied", "api")]
    [(event,), _] = log(store, "event_id")
    assert event is not None


def test_only_what_changes_is_logged_and_what_is_taken_back_is_withdrawn(
    store: Store, ingest: Ingest
) -> None:
    for consent in ({"email": True}, {"email": True}, {"email": None}, {"email": None}):
        ingest.upsert_lead(said(email="ani@example.com", consent=consent))
    assert log(store) == [("email", None, "granted", "api"), ("email", None, "withdrawn", "api")]


def test_the_proof_that_the_caller_gives_is_kept_without_what_may_name_people(
    store: Store, ingest: Ingest
) -> None:
    proof = {"wording": "Yes, write to me.", "url": "https://example.com/join?email=ani@example.com#form"}
    ingest.upsert_lead(said(email="ani@example.com", consent={"email": True}, consent_proof=proof))
    assert log(store, "proof") == [({"wording": "Yes, write to me.", "url": "https://example.com/join"},)]


def test_a_yes_with_a_new_proof_is_logged_though_it_changes_nothing(store: Store, ingest: Ingest) -> None:
    for how in ("call", "call", "paper form"):
        consent = {"email": True}
        ingest.upsert_lead(said(email="ani@example.com", consent=consent, consent_proof={"how": how}))
    assert log(store, "state", "proof") == [("granted", {"how": "call"}), ("granted", {"how": "paper form"})]


def test_a_topic_may_be_left_on_one_channel_alone(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(email="ani@example.com", topics={"newsletter": True}))
    ingest.upsert_lead(said(email="ani@example.com", topics={"newsletter": {"sms": False}}))
    with store.read() as connection:
        lead = connection.execute(select(leads)).one()
        assert lead.topics == {"newsletter": {"email": True, "sms": False}}
        assert replayed(consent_history(connection, lead.id)).topics == lead.topics
    assert log(store) == [(None, "newsletter", "granted", "api"), ("sms", "newsletter", "denied", "api")]


def test_who_says_a_thing_is_kept_with_it(store: Store, ingest: Ingest) -> None:
    change = read_change(
        LeadIn.model_validate({"email": "ani@example.com", "consent": {"email": True}}),
        WORKSPACE,
        Source("form", {"form": "join"}, by="nare"),
    )
    with store.write() as connection:
        upsert(connection, change, NOW, NOW)
    assert log(store, "source", "proof") == [("form", {"form": "join", "by": "nare"})]


def test_an_import_names_the_file_and_the_line(store: Store, ingest: Ingest) -> None:
    change = read_change(LeadIn.model_validate({"email": "ani@example.com"}), WORKSPACE)
    for _ in range(2):
        ingest.import_leads([(2, change)], Order(grant=("email",), digest="abc"))
    assert log(store, "state", "source", "proof") == [("granted", "import", {"file": "abc", "line": 2})]


def test_a_row_that_makes_two_leads_one_undoes_no_no_of_either(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(email="ani@example.com", consent={"email": False}))
    ingest.upsert_lead(said(external_id="crm-1"))
    row = read_change(LeadIn.model_validate({"external_id": "crm-1", "email": "ani@example.com"}), WORKSPACE)
    ingest.import_leads([(2, row)], Order(grant=("email",), digest="abc"))
    with store.read() as connection:
        lead = connection.execute(select(leads).where(leads.c.merged_into.is_(None))).one()
    assert (lead.external_id, lead.consent) == ("crm-1", {"email": False})


@pytest.mark.parametrize("wish", ["maybe", {"fax": True}, {"email": "maybe"}, ["email"]])
def test_a_wish_that_cannot_be_read_is_one_problem_at_the_topic(wish: Any) -> None:
    with pytest.raises(ValidationError) as error:
        said(email="ani@example.com", topics={"newsletter": wish})
    [problem] = field_errors(error.value.errors())
    assert problem.field == "topics.newsletter"
    assert problem.detail.startswith("must be true, false or null")
