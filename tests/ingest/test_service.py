from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update

from dripline.ingest.incoming import EnrolIn, EventIn, LeadIn
from dripline.ingest.once import Request
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.schema import events, identities, inbox, journeys, leads, runs
from tests.ingest.journeys import EventFilter, a_plan, end, published, run_rows, stand_at

WORKSPACE = Workspace.model_validate(
    {
        "timezone": "Asia/Yerevan",
        "locales": ["hy"],
        "default_region": "AM",
        "topics": {"newsletter": "News"},
        "events": {
            "demo.booked": {"seats": "integer", "starts_at": "datetime"},
            "order.paid": {"total": "number"},
        },
        "attributes": {"birthday": "date", "seats": "integer"},
    }
)
ANI = {"external_id": "crm-1", "email": "Ani.Grigoryan@Example.com", "phone": "091 123456"}


class Nudges:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def nudges() -> Nudges:
    return Nudges()


@pytest.fixture
def ingest(store: Store, nudges: Nudges) -> Ingest:
    return Ingest(store, WORKSPACE, nudges)


def said(**fields: Any) -> LeadIn:
    return LeadIn.model_validate(fields)


def an_event(**fields: Any) -> EventIn:
    return EventIn.model_validate({"name": "demo.booked", "lead": "crm-1", **fields})


def rows(store: Store, table: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(table)).all())


def test_a_new_lead_is_kept_in_normal_form_and_enters_its_journey(store: Store, ingest: Ingest) -> None:
    with store.write() as connection:
        published(connection, a_plan())
    answer = ingest.upsert_lead(
        said(**ANI, locale="hy_AM", timezone="Asia/Yerevan", country="am", attributes={"seats": "8"})
    )
    [lead] = rows(store, leads)
    assert (answer.status, answer.body) == (
        201,
        {"id": lead.id, "created": True, "changed": [], "lacks": [], "doubts": {}},
    )
    assert (lead.email, lead.phone) == ("Ani.Grigoryan@example.com", "+37491123456")
    assert (lead.locale, lead.country, lead.attributes) == ("hy-AM", "AM", {"seats": 8})
    assert {(row.kind, row.value) for row in rows(store, identities)} == {
        ("external_id", "crm-1"),
        ("email", "ani.grigoryan@example.com"),
        ("phone", "+37491123456"),
    }
    [event] = rows(store, events)
    [run] = rows(store, runs)
    assert (event.name, event.lead_id, run.trigger_event) == ("lead.created", lead.id, event.id)


@pytest.mark.parametrize("by", [{"email": "ANI.grigoryan@example.com"}, {"phone": "+374 91 12-34-56"}])
def test_a_lead_is_found_by_any_identity_and_a_change_says_what_changed(
    store: Store, ingest: Ingest, by: dict[str, str]
) -> None:
    lead_id = ingest.upsert_lead(said(**ANI, consent={"email": True})).body["id"]
    answer = ingest.upsert_lead(said(**by, stage="hot", consent={"sms": True}, attributes={"seats": 3}))
    assert answer.status == 200
    assert answer.body["id"] == lead_id
    assert {"attributes", "stage"} & set(answer.body["changed"]) == {"stage"}
    assert {"seats", "consent"} <= set(answer.body["changed"])
    [lead] = rows(store, leads)
    assert (lead.stage, lead.consent, lead.external_id) == ("hot", {"email": True, "sms": True}, "crm-1")
    [told] = [row for row in rows(store, events) if row.name == "lead.updated"]
    assert told.properties == {"changed": answer.body["changed"]}


def test_a_change_that_changes_nothing_emits_nothing(store: Store, ingest: Ingest) -> None:
    for _ in range(2):
        answer = ingest.upsert_lead(said(**ANI, attributes={"seats": 3}))
    assert (answer.status, answer.body["changed"]) == (200, [])
    assert [row.name for row in rows(store, events)] == ["lead.created"]


def test_null_empties_and_what_is_left_out_stays(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(**ANI, stage="new", consent={"email": True}, attributes={"seats": 3}))
    ingest.upsert_lead(
        said(external_id="crm-1", stage=None, phone=None, consent={"email": None}, attributes={"seats": None})
    )
    [lead] = rows(store, leads)
    assert (lead.stage, lead.phone, lead.consent, lead.attributes) == (None, None, {}, {})
    assert lead.email == "Ani.Grigoryan@example.com"
    assert {row.kind for row in rows(store, identities)} == {"external_id", "email"}


def test_a_given_up_address_may_be_somebody_elses(store: Store, ingest: Ingest) -> None:
    ani = ingest.upsert_lead(said(**ANI)).body["id"]
    ingest.upsert_lead(said(external_id="crm-1", email="ani@example.org"))
    other = ingest.upsert_lead(said(email="ani.grigoryan@example.com")).body["id"]
    assert other != ani
    assert ingest.record_event(an_event(lead={"email": "ani@example.org"})).body["lead"] == ani


def test_an_id_that_nobody_has_is_refused_though_the_address_is_known(ingest: Ingest) -> None:
    ingest.upsert_lead(said(email="ani@example.com"))
    with pytest.raises(Refused) as refusal:
        ingest.upsert_lead(said(id="nobody", email="ani@example.com", stage="customer"))
    assert refusal.value.status == 404


def test_tags_and_score_are_said_like_any_field(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(**ANI, tags=["new", "vip", "new"], score=3))
    assert (rows(store, leads)[0].tags, rows(store, leads)[0].score) == (["new", "vip"], 3.0)
    assert ingest.upsert_lead(said(external_id="crm-1", tags=["new", "vip"])).body["changed"] == []
    answer = ingest.upsert_lead(said(external_id="crm-1", tags=None, score=None))
    assert answer.body["changed"] == ["score", "tags"]
    assert (rows(store, leads)[0].tags, rows(store, leads)[0].score) == ([], 0.0)


def test_identities_of_two_leads_are_a_conflict_and_change_nothing(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(**ANI))
    ingest.upsert_lead(said(email="davit@example.com"))
    before = rows(store, leads)
    with pytest.raises(Refused, match="identities-of-several-leads") as refused:
        ingest.upsert_lead(said(external_id="crm-1", email="davit@example.com", stage="hot"))
    assert refused.value.status == 409
    with pytest.raises(Refused, match="another-external-id"):
        ingest.upsert_lead(said(external_id="crm-2", email=ANI["email"]))
    assert rows(store, leads) == before


def test_everything_wrong_with_a_lead_is_said_at_once_and_without_its_values(ingest: Ingest) -> None:
    with pytest.raises(Refused) as refused:
        ingest.upsert_lead(
            said(
                email="ani(at)example.com",
                phone="12",
                timezone="Asia/Yerewan",
                locale="Armenian!",
                country="XX",
                topics={"newsleter": False},
                attributes={"birthdy": "1990-01-01", "seats": "many"},
            )
        )
    errors = {error.field: error.detail for error in refused.value.errors}
    assert set(errors) == {
        "email", "phone", "timezone", "locale", "country", "topics.newsleter", "attributes.birthdy", "attributes.seats",
    }  # fmt: skip
    assert "newsletter" in errors["topics.newsleter"]
    assert "birthday" in errors["attributes.birthdy"]
    assert "ani(at)" not in str(errors)


def test_a_lead_without_an_identity_cannot_be(ingest: Ingest) -> None:
    with pytest.raises(Refused, match="invalid"):
        ingest.upsert_lead(said(stage="new"))


def test_ten_first_words_about_one_person_make_one_lead(store: Store, ingest: Ingest) -> None:
    with store.write() as connection:
        published(connection, a_plan())
    everybody = threading.Barrier(10)
    answers: list[Any] = []

    def first_word(number: int) -> None:
        everybody.wait()
        answers.append(ingest.upsert_lead(said(**ANI, attributes={"seats": number})))

    threads = [threading.Thread(target=first_word, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer.body["id"] for answer in answers}) == 1
    assert sorted(answer.status for answer in answers) == [200] * 9 + [201]
    assert len(rows(store, leads)) == 1
    assert len(rows(store, runs)) == 1
    assert sorted(row.name for row in rows(store, events)) == ["lead.created"] + ["lead.updated"] * 9


def test_ten_times_the_same_event_at_once_is_one_event(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(**ANI))
    with store.write() as connection:
        published(connection, a_plan(on="demo.booked", reentry="always"))
    everybody = threading.Barrier(10)
    answers: list[Any] = []

    def book() -> None:
        everybody.wait()
        answers.append(ingest.record_event(an_event(id="booking-1")))

    threads = [threading.Thread(target=book) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.body for answer in answers] == [answers[0].body] * 10
    assert len(rows(store, runs)) == 1


def test_an_event_is_coerced_kept_and_wakes_the_run_that_waits(
    store: Store, ingest: Ingest, nudges: Nudges
) -> None:
    with store.write() as connection:
        published(connection, a_plan(waits_for=EventFilter(events=("demo.booked",), when="event.seats >= 5")))
    ingest.upsert_lead(said(**ANI))
    with store.write() as connection:
        stand_at(connection, run_rows(connection)[0].id, "for-the-demo")
    before = nudges.count
    answer = ingest.record_event(
        an_event(properties={"seats": "8", "starts_at": "2026-03-02T10:00:00+04:00"}, id="booking-1")
    )
    assert answer.status == 202
    event = rows(store, events)[-1]
    assert event.properties == {"seats": 8, "starts_at": "2026-03-02T06:00:00+00:00"}
    assert [row.event_id for row in rows(store, inbox)] == ["booking-1"]
    assert nudges.count == before + 1


def test_a_misspelt_event_or_property_is_named(ingest: Ingest) -> None:
    ingest.upsert_lead(said(**ANI))
    for wrong, field, hint in (
        ({"name": "demo.boked"}, "name", "demo.booked"),
        ({"properties": {"seets": 8}}, "properties.seets", "seats"),
    ):
        with pytest.raises(Refused) as refused:
            ingest.record_event(an_event(**wrong))
        [error] = refused.value.errors
        assert error.field == field
        assert hint in error.detail


def test_a_key_answers_as_before_and_belongs_to_one_request(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(**ANI))
    first = ingest.record_event(an_event(), Request("k1", "hash-a"))
    again = ingest.record_event(an_event(), Request("k1", "hash-a"))
    assert (again.status, again.body, again.repeated) == (first.status, first.body, True)
    assert len(rows(store, events)) == 2
    with pytest.raises(Refused, match="idempotency-key-reused"):
        ingest.record_event(an_event(), Request("k1", "hash-b"))
    with pytest.raises(Refused, match="unknown-lead"):
        ingest.record_event(an_event(lead="nobody"), Request("k2", "hash-c"))
    assert ingest.record_event(an_event(), Request("k2", "hash-d")).status == 202, "a refusal keeps no key"


def test_a_batch_keeps_the_good_rows_and_says_what_is_wrong_with_the_bad(
    store: Store, ingest: Ingest
) -> None:
    with store.write() as connection:
        published(connection, a_plan("orders", on="order.paid"))
    for number in range(30):
        ingest.upsert_lead(said(external_id=f"crm-{number}"))
    batch: list[Any] = [
        {
            "name": "order.paid",
            "lead": f"crm-{number % 30}",
            "properties": {"total": number},
            "id": f"o-{number}",
        }
        for number in range(230)
    ]
    batch[3] = {"name": "order.paid", "lead": "crm-999", "id": "o-3"}
    batch[7]["properties"] = {"total": "much"}
    batch[9] = "rubbish"
    batch[11]["id"] = "o-10"
    batch[13]["surplus"] = 1
    batch[15]["lead"] = {}
    answer = ingest.record_batch(batch)
    assert answer.status == 207
    assert (answer.body["recorded"], answer.body["repeated"], answer.body["refused"]) == (224, 0, 6)
    assert [
        (problem["index"], problem["status"], [error["field"] for error in problem["errors"]])
        for problem in answer.body["problems"]
    ] == [
        (3, 404, []),
        (7, 422, ["properties.total"]),
        (9, 422, [""]),
        (11, 409, []),
        (13, 422, ["surplus"]),
        (15, 422, ["lead"]),
    ]
    assert len(rows(store, runs)) == 30
    with store.read() as connection:
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() == 254
    again = ingest.record_batch(batch)
    assert (again.body["recorded"], again.body["repeated"], again.body["refused"]) == (0, 224, 6)


def test_a_repeated_batch_without_ids_doubles_nothing_by_its_key(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(**ANI))
    batch = [{"name": "order.paid", "lead": "crm-1"}] * 3
    request = Request("batch-1", "hash")
    first = ingest.record_batch(batch, request)
    assert ingest.record_batch(batch, request).body == first.body
    assert first.body["recorded"] == 3
    assert len(rows(store, events)) == 4


def test_batches_that_meet_on_the_same_leads_do_not_block_each_other(store: Store, ingest: Ingest) -> None:
    for number in range(40):
        ingest.upsert_lead(said(external_id=f"crm-{number}"))
    order = [f"crm-{number}" for number in range(40)]
    answers: list[Any] = []

    def send(leads_in_order: list[str]) -> None:
        answers.append(ingest.record_batch([{"name": "order.paid", "lead": lead} for lead in leads_in_order]))

    threads = [threading.Thread(target=send, args=(way,)) for way in (order, order[::-1]) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.body["recorded"] for answer in answers] == [40] * 4


def test_enrolling_starts_the_run_whatever_the_trigger(store: Store, ingest: Ingest, nudges: Nudges) -> None:
    ingest.upsert_lead(said(**ANI))
    with store.write() as connection:
        published(
            connection, a_plan("orders", on=EventFilter(events=("order.paid",), when="event.total > 9"))
        )
    answer = ingest.enrol("orders", EnrolIn(lead="crm-1", properties={"total": "5"}))
    assert answer.status == 202
    [run] = rows(store, runs)
    assert (answer.body["run"], run.journey) == (run.id, "orders")
    [event] = [row for row in rows(store, events) if row.id == run.trigger_event]
    assert (event.name, event.properties) == ("journey.enrolled", {"journey": "orders", "total": 5})
    with pytest.raises(Refused, match="not-enrolled"):
        ingest.enrol("orders", EnrolIn(lead="crm-1"))
    with store.write() as connection:
        end(connection, run.id, datetime.now(UTC))
        connection.execute(update(journeys).values(paused_at=datetime.now(UTC)))
    with pytest.raises(Refused, match="journey-paused"):
        ingest.enrol("orders", EnrolIn(lead="crm-1"))
    with pytest.raises(Refused, match="unknown-journey"):
        ingest.enrol("odrers", EnrolIn(lead="crm-1"))
    assert len(rows(store, events)) == 2


def test_a_text_that_names_two_leads_is_refused(store: Store, ingest: Ingest) -> None:
    ingest.upsert_lead(said(external_id="+37491123456"))
    ingest.upsert_lead(said(phone="+37491123456"))
    with pytest.raises(Refused, match="identities-of-several-leads"):
        ingest.record_event(an_event(lead="+37491123456"))
