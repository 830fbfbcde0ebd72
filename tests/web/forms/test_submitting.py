"""What a submission does to leads: it may come from anybody, and say anything of anybody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import update

from dripline.ingest.awaiting import awaited
from dripline.ingest.forms.submitting import MOST_A_DAY
from dripline.store import schema
from dripline.store.consents import record_consent
from dripline.store.house import open_house
from dripline.store.suppressions import suppress
from tests.durable.house import NOW
from tests.web.forms.conftest import AWAY, WORDING, Desk

ANI = {"email": "ani@example.com", "name": "Ani", "consent": "yes"}


def test_a_stranger_becomes_a_lead_with_what_the_form_says(desk: Desk) -> None:
    said = {
        **ANI,
        "phone": "091 123456",
        "seats": "8",
        "plan": "team",
        "message": "Hello\nthere",
        "_locale": "hy",
    }
    assert desk.send("news", {**said, "_page": f"{AWAY}/footer?q=secret"}, Origin=AWAY).status_code == 200
    lead = desk.lead()
    assert (lead.email, lead.phone, lead.locale) == ("ani@example.com", "+37491123456", "hy")
    assert lead.attributes == {"first_name": "Ani", "seats": 8, "plan": "team"}
    [event] = desk.submitted()
    assert event["known"] is False
    assert (event["form"], event["message"], event["campaign"]) == ("news", "Hello\nthere", "spring")
    assert event["page"] == f"{AWAY}/footer"


def test_where_the_visitor_came_from_is_kept_of_the_first_time_and_the_last(desk: Desk) -> None:
    page = f"{AWAY}/offer?utm_source=google&utm_medium=cpc&utm_campaign=spring&email=ani@example.com"
    desk.send("news", {**ANI, "_page": page, "_referrer": "https://www.google.com/search?q=x"}, Origin=AWAY)
    desk.later(minutes=2)
    desk.send("news", {**ANI, "utm_source": "leaflet", "utm_medium": "print"})
    desk.later(minutes=2)
    desk.send("news", ANI)
    lead = desk.lead()
    assert (lead.first_touch["source"], lead.first_touch["campaign"]) == ("google", "spring")
    assert lead.last_touch["source"] == "leaflet", "who comes straight comes by what brought them before"
    assert "ani@" not in str(lead.first_touch)
    assert desk.submitted()[0]["page"] == f"{AWAY}/offer"


def test_nothing_is_consent_until_it_is_confirmed_but_the_proof_is_kept(desk: Desk) -> None:
    desk.send("news", {**ANI, "_page": f"{AWAY}/footer"}, Origin=AWAY)
    assert desk.lead().consent == {}
    assert desk.submitted()[0]["asks"] == ["email"]
    assert desk.consents() == [("email", None, "pending", "form"), ("email", "newsletter", "pending", "form")]
    proof = desk.rows(schema.consents)[0].proof
    assert (proof["form"], proof["wording"], proof["locale"], proof["page"]) == (
        "news",
        WORDING,
        "en",
        f"{AWAY}/footer",
    )
    assert len(proof["email_hash"]) == len(proof["visitor_hash"]) == 64
    assert "ani@" not in str(proof)
    assert "203.0.113" not in str(proof)


def test_what_two_cards_come_to_takes_back_nothing_that_is_to_be_confirmed(desk: Desk) -> None:
    desk.send("news", {**ANI, "_page": f"{AWAY}/footer"}, Origin=AWAY)
    lead = desk.lead()
    with desk.store.write() as connection:
        record_consent(connection, lead.id, "withdrawn", lead.updated_at, "merge", {}, channel="email")
        still = awaited(connection, lead.id, "email")
        assert (still.topics, still.proof["wording"]) == (("newsletter",), WORDING)
        record_consent(connection, lead.id, "withdrawn", lead.updated_at, "page", {}, channel="email")
        assert awaited(connection, lead.id, "email").topics == ()


def test_a_box_that_is_not_ticked_asks_for_nothing(desk: Desk) -> None:
    desk.send("news", {"email": "ani@example.com"})
    assert (desk.submitted()[0]["agreed"], desk.submitted()[0]["asks"]) == (False, [])
    assert desk.consents() == []


def test_without_double_opt_in_the_tick_counts_at_once_with_its_proof(desk: Desk) -> None:
    desk.send("quick", ANI)
    assert desk.lead().consent == {"email": True}
    assert ("email", None, "granted", "form") in desk.consents()
    assert desk.rows(schema.consents)[0].proof["wording"] == WORDING


def test_what_is_known_of_a_lead_is_not_overwritten_but_told(desk: Desk) -> None:
    known = desk.knows(
        email="ani@example.com", stage="customer", locale="hy", attributes={"first_name": "Anahit"}
    )
    desk.send("news", {**ANI, "name": "Mallory", "plan": "solo", "phone": "+37499000000"})
    lead = desk.lead()
    assert lead.id == known
    assert (lead.phone, lead.stage, lead.locale) == (None, "customer", "hy")
    assert lead.attributes == {"first_name": "Anahit", "plan": "solo"}, "what was empty is filled"
    [event] = desk.submitted()
    assert event["known"] is True
    assert event["left_out"] == ["phone", "first_name", "consent.sms"]
    assert event["answers"] == {"phone": "+37499000000", "first_name": "Mallory", "plan": "solo"}


def test_whoever_enters_the_number_of_another_is_not_that_one(desk: Desk) -> None:
    victim = desk.knows(phone="+37491123456", consent={"sms": True})
    desk.send("news", {**ANI, "email": "mallory@example.com", "phone": "+37491123456"})
    by_id = {row.id: row for row in desk.leads()}
    assert by_id.pop(victim).email is None
    [new] = by_id.values()
    assert (new.email, new.phone) == ("mallory@example.com", None)
    assert desk.submitted()[0]["left_out"] == ["phone", "consent.sms"]


@pytest.mark.parametrize("form", ["news", "quick"])
def test_a_no_of_the_lead_is_undone_by_nobody_but_itself(desk: Desk, form: str) -> None:
    desk.knows(email="ani@example.com", consent={"email": False})
    desk.send(form, ANI)
    assert desk.lead().consent == {"email": False}
    assert desk.submitted()[0]["asks"] == ["email"], "the link of a message may"


@pytest.mark.parametrize("form", ["news", "quick"])
def test_a_topic_that_the_lead_left_stays_left_until_it_is_confirmed(desk: Desk, form: str) -> None:
    desk.knows(email="ani@example.com", consent={"email": True}, topics={"newsletter": False})
    desk.send(form, ANI)
    assert desk.lead().topics == {"newsletter": False}
    assert desk.submitted()[0]["asks"] == ["email"]


def test_a_subscriber_is_asked_nothing_again(desk: Desk) -> None:
    desk.knows(email="ani@example.com", consent={"email": True})
    desk.send("news", ANI)
    assert desk.submitted()[0]["asks"] == []


@pytest.mark.parametrize("reason", ["complained", "bounced"])
def test_who_complained_is_not_even_asked(desk: Desk, reason: str) -> None:
    with desk.store.write() as connection:
        house = open_house(connection)
        suppress(connection, "email", house.address_hash("email", "ani@example.com"), reason, NOW)
    desk.send("quick", ANI)
    assert desk.lead().consent == {}
    assert (desk.submitted()[0]["asks"], desk.submitted()[0]["left_out"]) == ([], ["consent.email"])


def test_a_button_that_is_pressed_twice_sends_one_form(desk: Desk) -> None:
    for _ in range(2):
        desk.send("news", ANI)
    desk.send("news", {**ANI, "message": "And more"})
    assert len(desk.submitted()) == 2
    assert len(desk.leads()) == 1


def test_an_address_that_is_entered_over_and_over_sets_nothing_going_any_more(desk: Desk) -> None:
    for number in range(MOST_A_DAY + 3):
        desk.later(minutes=2)
        assert desk.send("news", {**ANI, "message": f"No {number}"}).status_code == 200
    told = desk.rows(schema.events, schema.events.c.name == "form.submitted")
    assert [row.historical for row in told] == [False] * MOST_A_DAY + [True] * 3, "kept, every one of them"
    assert desk.counted() == {"form.news.too-often": 3}
    desk.send("news", {**ANI, "email": "another@example.com"})
    desk.later(days=1, minutes=1)
    desk.send("news", {**ANI, "message": "the next day"})
    told = desk.rows(schema.events, schema.events.c.name == "form.submitted")
    assert [row.historical for row in told[-2:]] == [False, False]


def test_ten_visitors_at_once_with_one_address_are_one_lead(desk: Desk) -> None:
    def send(number: int) -> int:
        visitor = desk.visitor(f"203.0.113.{number}")
        more = {"Accept": "application/json"}
        said = {**ANI, "message": f"No. {number}"}
        return int(visitor.post("/f/news", data=said, headers=more).status_code)

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(send, range(10))) == [200] * 10
    assert len(desk.leads()) == 1
    assert sorted(event["message"] for event in desk.submitted()) == [f"No. {number}" for number in range(10)]
    assert sorted(event["known"] for event in desk.submitted()) == [False] + [True] * 9


def test_whether_an_address_is_known_is_told_by_no_answer(desk: Desk) -> None:
    desk.knows(email="known@example.com", consent={"email": True})
    erased = desk.knows(email="gone@example.com")
    with desk.store.write() as connection:
        connection.execute(update(schema.leads).where(schema.leads.c.id == erased).values(erased_at=NOW))

    def answers(address: str) -> list[Any]:
        script = desk.send("news", {**ANI, "email": address})
        reader = desk.visitor().post(
            "/f/news", data={**ANI, "email": address}, headers={"Accept": "text/html"}
        )
        return [script.status_code, script.json(), reader.status_code, reader.headers["location"]]

    assert answers("known@example.com") == answers("new@example.com") == answers("gone@example.com")
