"""Who is meant by a request: found, made, or made one of two."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dripline.ingest.change import LeadChange, read_change
from dripline.ingest.incoming import EventIn, LeadIn
from dripline.ingest.leads import Upserted, upsert
from dripline.ingest.merging.identify import identify
from dripline.ingest.merging.meeting import MOST
from dripline.ingest.merging.merge import Times, merge
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.schema import events, identities, leads, merges, runs
from tests.ingest.journeys import MONDAY, a_plan, published

WORKSPACE = Workspace.model_validate(
    {"timezone": "Asia/Yerevan", "locales": ["hy"], "default_region": "AM", "topics": {"newsletter": "News"}}
)


def change(**said: Any) -> LeadChange:
    return read_change(LeadIn.model_validate(said), WORKSPACE)


def identified(store: Store, after: float = 0, **said: Any) -> Upserted:
    with store.write() as connection:
        at = MONDAY + timedelta(hours=after)
        return identify(connection, change(**said), at, at)


def rows(store: Store, table: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(table)).all())


def lead(store: Store, lead_id: str) -> Any:
    [row] = [row for row in rows(store, leads) if row.id == lead_id]
    return row


def owner(store: Store, kind: str, value: str) -> str:
    [row] = [row for row in rows(store, identities) if (row.kind, row.value) == (kind, value)]
    return str(row.lead_id)


def test_a_visitor_is_nobody_until_it_says_who_it_is(store: Store) -> None:
    with store.write() as connection:
        published(connection, a_plan())
    visitor = identified(store, anonymous_id="browser-1")
    assert (visitor.created, visitor.new_person) == (True, False)
    assert rows(store, events) == []
    known = identified(store, 1, anonymous_id="browser-1", email="ani@example.com")
    assert (known.lead_id, known.created, known.new_person) == (visitor.lead_id, False, True)
    assert [row.name for row in rows(store, events)] == ["lead.created"]
    assert len(rows(store, runs)) == 1, "who was an anonymous visitor before is welcomed, too"


def test_a_visitor_who_turns_out_to_be_known_becomes_that_lead_with_all_that_it_did(store: Store) -> None:
    ani = identified(store, 2, external_id="crm-1", email="ani@example.com").lead_id
    visitor = identified(store, 0, anonymous_id="browser-1", locale="hy").lead_id
    with store.write() as connection:
        record(connection, Event("seen", visitor, "page.seen", {}, MONDAY), MONDAY)
    done = identified(store, 3, anonymous_id="browser-1", external_id="crm-1")
    assert (done.lead_id, done.merged, done.apart) == (ani, (visitor,), ())
    assert lead(store, visitor).merged_into == ani
    assert (lead(store, ani).locale, lead(store, ani).created_at) == ("hy", MONDAY)
    told = {row.name: row for row in rows(store, events)}
    assert told["page.seen"].lead_id == ani
    assert told["lead.merged"].properties == {"lead": visitor, "cause": "identify"}
    assert told["lead.updated"].properties == {"changed": ["created_at", "locale"]}
    assert owner(store, "anonymous_id", "browser-1") == ani


def test_a_browser_that_people_share_never_makes_one_of_them(store: Store) -> None:
    ani = identified(store, external_id="ani", email="ani@example.com", anonymous_id="kiosk").lead_id
    davit = identified(store, 1, external_id="davit", anonymous_id="kiosk").lead_id
    eva = identified(store, 2, email="eva@example.com", anonymous_id="kiosk").lead_id
    assert len({ani, davit, eva}) == 3
    assert owner(store, "anonymous_id", "kiosk") == eva, "it moves on to who uses it now"
    again = identified(store, 3, external_id="ani", anonymous_id="kiosk")
    assert (again.lead_id, again.merged) == (ani, ())
    assert owner(store, "anonymous_id", "kiosk") == ani
    assert rows(store, merges) == []


def test_an_address_and_an_account_that_lack_each_others_names_are_one_person(store: Store) -> None:
    subscriber = identified(store, email="ani@example.com").lead_id
    account = identified(store, 1, external_id="crm-1", phone="+37491123456").lead_id
    done = identified(store, 2, external_id="crm-1", email="ani@example.com")
    assert (done.lead_id, done.merged) == (subscriber, (account,))
    one = lead(store, subscriber)
    assert (one.external_id, one.email, one.phone) == ("crm-1", "ani@example.com", "+37491123456")


@pytest.mark.parametrize("strict", [True, False])
def test_two_accounts_are_two_people_whatever_else_is_said(store: Store, strict: bool) -> None:
    ani = identified(store, external_id="ani", email="ani@example.com").lead_id
    davit = identified(store, 1, external_id="davit").lead_id
    said = change(external_id="davit", email="ani@example.com", stage="hot", consent={"email": True})
    with store.write() as connection:
        if strict:
            with pytest.raises(Refused, match="identities-of-several-leads"):
                upsert(connection, said, MONDAY, MONDAY)
            return
        done = identify(connection, said, MONDAY, MONDAY)
    assert (done.lead_id, done.apart) == (davit, ("email",))
    assert (lead(store, davit).email, lead(store, davit).stage) == (None, "hot")
    assert lead(store, davit).consent == {}, "who agreed to messages to one address agreed to no other"
    assert lead(store, ani).email == "ani@example.com"


def test_a_phone_that_two_named_people_share_stays_with_the_first(store: Store) -> None:
    ani = identified(store, email="ani@example.com", phone="+37491123456").lead_id
    davit = identified(
        store, 1, email="davit@example.com", phone="+37491123456", consent={"email": True, "sms": True}
    )
    assert davit.lead_id != ani
    assert davit.apart == ("phone",)
    assert (lead(store, davit.lead_id).phone, lead(store, davit.lead_id).consent) == (None, {"email": True})
    again = identified(store, 2, email="davit@example.com", phone="+37491123456")
    assert (again.lead_id, again.merged, again.apart) == (davit.lead_id, (), ("phone",))
    with pytest.raises(Refused, match="another-email"), store.write() as connection:
        upsert(connection, change(phone="+37491123456", email="eva@example.com"), MONDAY, MONDAY)


def test_a_number_of_which_nothing_else_is_known_is_its_owners(store: Store) -> None:
    number = identified(store, phone="+37491123456").lead_id
    ani = identified(store, 1, email="ani@example.com").lead_id
    done = identified(store, 2, email="ani@example.com", phone="+37491123456")
    assert {done.lead_id, *done.merged} == {number, ani}
    assert lead(store, done.lead_id).phone == "+37491123456"


def test_an_address_that_a_lead_has_besides_only_names_it(store: Store) -> None:
    ani = identified(store, email="ani@example.com", phone="+37491123456").lead_id
    number = identified(store, 1, phone="+37499999999").lead_id
    with store.write() as connection:
        merge(connection, number, ani, "command", Times(MONDAY, MONDAY), by="eva")
    named = identified(store, 3, phone="+37499999999", consent={"sms": True}, stage="hot")
    assert (named.lead_id, lead(store, ani).stage) == (ani, "hot")
    assert (lead(store, ani).phone, lead(store, ani).consent) == ("+37491123456", {})
    with store.write() as connection:
        upsert(connection, change(id=ani, phone="+37499999999"), MONDAY, MONDAY)
    assert lead(store, ani).phone == "+37499999999", "by its own id it is meant"


def test_more_leads_in_a_day_than_one_person_can_be_are_left_apart(store: Store) -> None:
    ani = identified(store, external_id="ani").lead_id
    for number in range(MOST + 2):
        identified(store, anonymous_id=f"browser-{number}")
        done = identified(store, number / 100, anonymous_id=f"browser-{number}", external_id="ani")
        assert done.lead_id == ani
        assert len(done.merged) == (number < MOST)
    assert len(rows(store, merges)) == MOST
    assert identified(store, 48, anonymous_id=f"browser-{MOST}").lead_id == ani, (
        "it is Ani's browser all the same"
    )


def test_an_event_finds_a_visitor_but_never_takes_it_for_somebody_who_is_named(
    store: Store,
) -> None:
    ingest = Ingest(store, WORKSPACE)
    visitor = ingest.upsert_lead(LeadIn(anonymous_id="browser-1")).body["id"]
    ani = ingest.upsert_lead(LeadIn(email="ani@example.com")).body["id"]

    def happened(**who: str) -> Any:
        said = {"name": "page.viewed", "lead": who}
        return ingest.record_event(EventIn.model_validate(said)).body["lead"]

    assert happened(anonymous_id="browser-1") == visitor
    assert happened(anonymous_id="browser-1", email="ani@example.com") == ani
    with pytest.raises(Refused, match="unknown-lead"):
        happened(anonymous_id="browser-1", email="nobody@example.com")


@pytest.mark.parametrize(
    "who", [{"anonymous_id": "browser-1"}, {"external_id": "crm-1", "anonymous_id": "b"}]
)
def test_ten_first_calls_of_somebody_unknown_make_one_lead(store: Store, who: dict[str, str]) -> None:
    everybody = threading.Barrier(10)
    done: list[Upserted] = []

    def first_call(number: int) -> None:
        everybody.wait()
        with store.write() as connection:
            one = identify(connection, change(**who), MONDAY, MONDAY)
            record(connection, Event(f"call-{number}", one.lead_id, "page.seen", {}, MONDAY), MONDAY)
            done.append(one)

    threads = [threading.Thread(target=first_call, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.lead_id for one in done}) == 1
    assert sorted(one.created for one in done) == [False] * 9 + [True]
    assert len(rows(store, leads)) == 1
    assert sum(row.name == "page.seen" for row in rows(store, events)) == 10


def test_ten_calls_that_tell_who_a_visitor_is_merge_it_once(store: Store) -> None:
    ani = identified(store, external_id="crm-1").lead_id
    visitor = identified(store, anonymous_id="browser-1").lead_id
    everybody = threading.Barrier(10)
    ingest = Ingest(store, WORKSPACE)
    found: list[str] = []

    def call() -> None:
        everybody.wait()
        said = LeadIn(external_id="crm-1", anonymous_id="browser-1")
        found.append(ingest.upsert_lead(said).body["id"])

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [ani] * 10
    [merge] = rows(store, merges)
    assert (merge.winner_id, merge.loser_id) == (ani, visitor)
