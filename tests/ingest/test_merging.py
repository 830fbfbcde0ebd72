"""Two leads become one, and two again: nothing lost, no consent widened, holdout wins."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from dripline.ingest.agreeing import Source, log_changes, replayed
from dripline.ingest.change import LeadChange
from dripline.ingest.choosing import Choice, choose
from dripline.ingest.leads import upsert
from dripline.ingest.merging.merge import Merged, Times, merge
from dripline.ingest.merging.rules import RULES
from dripline.ingest.merging.unmerge import Unmerged, unmerge
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused
from dripline.store import schema
from dripline.store.consents import consent_history
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import open_house
from dripline.store.leads import change_lead, survivor_id
from dripline.store.merges import FOLLOWING
from tests.ingest.journeys import MONDAY, a_lead, a_plan, end, published, stand_at

TUESDAY = MONDAY + timedelta(days=1)


def at(moment: datetime) -> Times:
    return Times(moment, moment)


def two_leads(store: Store, one: dict[str, Any], other: dict[str, Any]) -> None:
    """`ani`, and a day younger `ann`."""
    with store.write() as connection:
        a_lead(connection, "ani", **one)
        a_lead(connection, "ann", **other)
        connection.execute(update(schema.leads).where(schema.leads.c.id == "ann").values(created_at=TUESDAY))


def merged(store: Store, one: str = "ani", other: str = "ann", **more: Any) -> Merged:
    with store.write() as connection:
        return merge(connection, one, other, "command", at(TUESDAY), by="eva", **more)


def unmerged(store: Store, merge_id: str) -> Unmerged:
    with store.write() as connection:
        return unmerge(connection, merge_id, at(TUESDAY + timedelta(hours=1)), by="eva")


def happens(store: Store, lead_id: str, name: str, moment: datetime = MONDAY, **properties: Any) -> Any:
    event = Event(f"{name}-{lead_id}-{moment.isoformat()}", lead_id, name, properties, moment)
    with store.write() as connection:
        return record(connection, event, MONDAY)


def lead(store: Store, lead_id: str) -> Any:
    with store.read() as connection:
        return connection.execute(select(schema.leads).where(schema.leads.c.id == lead_id)).one()


def rows(store: Store, table: Any, **wanted: Any) -> list[Any]:
    query = select(table)
    for name, value in wanted.items():
        query = query.where(table.c[name] == value)
    with store.read() as connection:
        return list(connection.execute(query).all())


def a_message(store: Store, run_id: str, lead_id: str, number: int = 1, **more: Any) -> str:
    """A message of a run in the ledger."""
    message_id = f"{run_id[-8:]}-{number}"
    with store.write() as connection:
        run = connection.execute(select(schema.runs).where(schema.runs.c.id == run_id)).one()
        connection.execute(
            insert(schema.messages).values(
                **{
                    "id": message_id,
                    "run_id": run_id,
                    "lead_id": lead_id,
                    "journey": run.journey,
                    "plan_hash": run.plan_hash,
                    "step": f"email-{number}",
                    "visit": 1,
                    "channel": "email",
                    "template": "hello",
                    "transactional": False,
                    "priority": 50,
                    "context": {},
                    "queued_at": MONDAY,
                    "written_at": MONDAY,
                    "progress_at": MONDAY,
                    **more,
                }
            )
        )
    return message_id


def test_every_column_of_a_lead_has_a_rule() -> None:
    # The last three follow from others.
    told_otherwise = {"id", "updated_at", "merged_into", "erased_at", "lacks", "rfm", "segments"}
    assert set(RULES) == {column.name for column in schema.leads.columns} - told_otherwise


def test_every_table_that_tells_of_leads_follows_a_merge() -> None:
    telling = {
        table.name
        for table in schema.metadata.tables.values()
        for column in table.columns
        if column.references(schema.leads.c.id)
    }
    in_their_own_way = {"memberships", "interests", "segment_members"}
    assert telling == {*FOLLOWING, *in_their_own_way, "leads", "merges"}


def test_all_that_both_had_is_the_one_leads(store: Store) -> None:
    two_leads(store, {"email": "ani@example.com"}, {"external_id": "crm-1", "phone": "+37491123456"})
    with store.write() as connection:
        published(connection, a_plan(on="visit", reentry="always"))
    [run] = happens(store, "ann", "visit").started
    message = a_message(store, run, "ann", accepted_at=MONDAY)
    done = merged(store)
    assert (done.winner_id, done.loser_id) == ("ani", "ann")
    assert {row.lead_id for row in rows(store, schema.events)} == {"ani"}
    assert [row.lead_id for row in rows(store, schema.runs, id=run)] == ["ani"]
    assert [row.lead_id for row in rows(store, schema.messages, id=message)] == ["ani"]
    assert {row.lead_id for row in rows(store, schema.identities)} == {"ani"}
    one = lead(store, "ani")
    assert (one.external_id, one.email, one.phone) == ("crm-1", "ani@example.com", "+37491123456")
    with store.read() as connection:
        assert survivor_id(connection, "ann") == "ani"
    assert done.changed == ("external_id", "phone")
    assert [row.name for row in rows(store, schema.events)] == ["visit", "lead.merged", "lead.updated"]
    act = rows(store, schema.audit)[-1]
    assert (act.what, act.by, act.detail["lead"], act.detail["other"]) == ("merge-leads", "eva", "ani", "ann")


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        # Who has no address on the channel and said nothing has no say.
        ({"email": "a@x.test", "consent": {"email": True}}, {}, {"email": True}),
        ({}, {"email": "b@x.test", "consent": {"email": True}}, {"email": True}),
        # A yes needs a yes of each that has an address there.
        (
            {"email": "a@x.test", "consent": {"email": True}},
            {"email": "b@x.test", "consent": {"email": True}},
            {"email": True},
        ),
        ({"email": "a@x.test", "consent": {"email": True}}, {"email": "b@x.test"}, {}),
        ({"email": "a@x.test"}, {"email": "b@x.test", "consent": {"email": True}}, {}),
        ({"email": "a@x.test"}, {"consent": {"email": True}}, {}),
        ({"consent": {"email": True}}, {"email": "b@x.test"}, {}),
        # A no of either is a no.
        ({"email": "a@x.test", "consent": {"email": True}}, {"consent": {"email": False}}, {"email": False}),
        ({"consent": {"email": False}}, {"email": "b@x.test", "consent": {"email": True}}, {"email": False}),
        ({"consent": {"sms": True}}, {}, {"sms": True}),
    ],
)
def test_consent_is_the_narrower_of_the_two(
    store: Store, one: dict[str, Any], other: dict[str, Any], together: dict[str, bool]
) -> None:
    two_leads(store, one, other)
    merged(store, into="ani")
    assert lead(store, "ani").consent == together


def test_a_topic_that_either_left_is_left(store: Store) -> None:
    two_leads(
        store,
        {"email": "a@x.test", "topics": {"news": {"sms": False}, "offers": True}},
        {"email": "b@x.test", "topics": {"news": {"email": False}, "events": False}},
    )
    merged(store)
    told = {
        "news": False,
        "offers": {"sms": True},
        "events": False,
    }  # of SMS, neither has a number to refuse by
    assert lead(store, "ani").topics == told


def test_pauses_scores_tags_and_stages_come_together(store: Store) -> None:
    two_leads(
        store,
        {"email": "a@x.test", "score": 3, "tags": ["new", "vip"], "stage": "hot", "attributes": {"seats": 8}},
        {"score": 4, "tags": ["vip", "shop"], "stage": "customer", "attributes": {"seats": 2, "size": "m"}},
    )
    with store.write() as connection:
        change_lead(connection, "ann", {"paused_until": TUESDAY, "tracking": False}, MONDAY)
    merged(store)
    one = lead(store, "ani")
    assert (one.score, one.tags, one.attributes) == (7, ["new", "vip", "shop"], {"seats": 8, "size": "m"})
    assert one.stage == "customer", "Ann is the younger, so that her stage was said later"
    assert (one.paused_until, one.tracking, one.created_at) == (TUESDAY, False, MONDAY)


def test_of_two_runs_of_one_journey_the_one_with_more_messages_goes_on(store: Store) -> None:
    two_leads(store, {"email": "a@x.test"}, {"external_id": "crm-1"})
    with store.write() as connection:
        published(connection, a_plan(on="visit"))
    [mine] = happens(store, "ani", "visit").started
    [theirs] = happens(store, "ann", "visit").started
    for run in (mine, theirs):
        with store.write() as connection:
            stand_at(connection, run, "for-the-demo")
    a_message(store, theirs, "ann", accepted_at=MONDAY)
    waiting = a_message(store, mine, "ani")
    done = merged(store)
    assert done.ended == (mine,)
    [ended], [open_one] = rows(store, schema.runs, id=mine), rows(store, schema.runs, id=theirs)
    assert (ended.outcome, ended.outcome_reason) == ("merged", "the other run of the same person goes on")
    assert ended.wake_wanted > ended.wake_done, "its workflow is woken to end"
    assert (open_one.ended_at, open_one.lead_id) == (None, "ani")
    [queued] = rows(store, schema.messages, id=waiting)
    assert (queued.state, queued.lead_id) == ("queued", "ani"), "its attempt is told that the run was left"


def test_runs_of_other_keys_and_journeys_go_on_side_by_side(store: Store) -> None:
    two_leads(store, {"email": "a@x.test"}, {"external_id": "crm-1"})
    with store.write() as connection:
        published(connection, a_plan("one", on="visit"), a_plan("two", on="order"))
    happens(store, "ani", "visit")
    happens(store, "ann", "order")
    assert merged(store).ended == ()
    assert {run.ended_at for run in rows(store, schema.runs)} == {None}


def test_holdout_wins_for_the_run_that_goes_on_and_for_every_later_one(store: Store) -> None:
    two_leads(store, {"email": "a@x.test"}, {"external_id": "crm-1"})
    plan = a_plan(on="visit", reentry="always", holdout=1e-9)
    with store.write() as connection:
        published(connection, plan)
    [mine] = happens(store, "ani", "visit").started
    [theirs] = happens(store, "ann", "visit").started
    with store.write() as connection:
        connection.execute(update(schema.runs).where(schema.runs.c.id == theirs).values(holdout=True))
        end(connection, theirs)
    waiting = a_message(store, mine, "ani")
    assert merged(store).held_out == (mine,)
    assert [run.holdout for run in rows(store, schema.runs, id=mine)] == [True]
    assert [(row.state, row.reason) for row in rows(store, schema.messages, id=waiting)] == [
        ("skipped", "holdout")
    ]
    with store.write() as connection:
        end(connection, mine)
    [again] = happens(store, "ani", "visit", TUESDAY).started
    assert [run.holdout for run in rows(store, schema.runs, id=again)] == [True]


def test_caps_re_entry_and_discounts_count_both(store: Store) -> None:
    two_leads(store, {"email": "a@x.test"}, {"external_id": "crm-1"})
    with store.write() as connection:
        published(connection, a_plan(on="visit"))
    [run] = happens(store, "ann", "visit").started
    with store.write() as connection:
        end(connection, run)
    merged(store)
    assert happens(store, "ani", "visit", TUESDAY).started == (), "Ann was in it before, which it allows once"


def test_what_became_one_is_two_again(store: Store) -> None:
    two_leads(
        store,
        {"email": "a@x.test", "consent": {"email": True}, "tags": ["vip"], "score": 3, "stage": "hot"},
        {
            "email": "b@x.test",
            "external_id": "crm-1",
            "consent": {"email": False, "sms": True},
            "topics": {"news": False},
            "attributes": {"size": "m"},
            "score": 2,
        },
    )
    with store.write() as connection:
        published(connection, a_plan(on="visit"), a_plan("other", on="order"))
    [mine] = happens(store, "ani", "visit").started
    [theirs] = happens(store, "ann", "visit").started
    [alone] = happens(store, "ann", "order").started
    message = a_message(store, theirs, "ann", accepted_at=MONDAY)
    before = {name: lead(store, name) for name in ("ani", "ann")}
    names = {row.value: row.lead_id for row in rows(store, schema.identities)}
    done = merged(store)
    back = unmerged(store, done.id)
    assert (back.lead_id, back.other_id, back.kept) == ("ani", "ann", ())
    for name, row in before.items():
        after = lead(store, name)
        assert {**after._mapping, "updated_at": None} == {**row._mapping, "updated_at": None}
    assert {row.value: row.lead_id for row in rows(store, schema.identities)} == names
    assert {run.id: (run.lead_id, run.outcome) for run in rows(store, schema.runs)} == {
        mine: ("ani", "merged"),  # never opened again
        theirs: ("ann", None),
        alone: ("ann", None),
    }
    assert [row.lead_id for row in rows(store, schema.messages, id=message)] == ["ann"]
    told = {(row.name, row.lead_id) for row in rows(store, schema.events)}
    assert {("visit", "ani"), ("visit", "ann"), ("order", "ann"), ("lead.merged", "ani")} <= told
    assert [act.what for act in rows(store, schema.audit)][-2:] == ["merge-leads", "unmerge-leads"]
    with pytest.raises(Refused, match="undone-already"):
        unmerged(store, done.id)


def test_what_was_said_since_stays_and_a_no_holds_for_both(store: Store) -> None:
    two_leads(
        store,
        {"email": "a@x.test", "consent": {"email": True}, "stage": "hot"},
        {"email": "b@x.test", "consent": {"email": True}, "tags": ["shop"], "score": 2},
    )
    done = merged(store)
    with store.write() as connection:
        since = {"consent": {"email": False}, "stage": "won", "score": 12, "tags": ["shop", "late"]}
        change_lead(connection, "ani", since, TUESDAY)
    happens(store, "ani", "visit", TUESDAY + timedelta(minutes=1))
    back = unmerged(store, done.id)
    assert set(back.kept) == {"stage", "score", "tags"}
    mine, theirs = lead(store, "ani"), lead(store, "ann")
    assert (mine.stage, mine.score, mine.tags, mine.consent) == ("won", 10, ["late"], {"email": False})
    assert (theirs.score, theirs.tags, theirs.consent) == (2, ["shop"], {"email": False})
    assert [row.lead_id for row in rows(store, schema.events, name="visit")] == ["ani"]


def presses_a_link(store: Store) -> None:
    with store.write() as connection:
        one = connection.execute(select(schema.leads).where(schema.leads.c.id == "ani")).one()
        choice = Choice(consent={"email": False}, topics={"news": False})
        moment = at(TUESDAY + timedelta(minutes=5))
        assert (
            choose(connection, open_house(connection), one, choice, Source("link"), moment, "pressed") == ()
        )


def is_told_by_the_api(store: Store) -> None:
    change = LeadChange({"email": "a@x.test"}, {"email": False}, {"news": False})
    with store.write() as connection:
        moment = TUESDAY + timedelta(minutes=5)
        assert upsert(connection, change, moment, moment).changed == ()


def is_reported(store: Store) -> None:
    moment = TUESDAY + timedelta(minutes=5)
    happens(store, "ani", "lead.unsubscribed", moment, channel="email")
    happens(store, "ani", "lead.unsubscribed", moment + timedelta(seconds=1), channel="email", topic="news")


@pytest.mark.parametrize("says_so", [presses_a_link, is_told_by_the_api, is_reported])
def test_a_no_that_changed_nothing_holds_after_the_undoing(
    store: Store, says_so: Callable[[Store], None]
) -> None:
    """Ann's no made Ani's yes a no; then Ani, too, says no, to messages of before."""
    two_leads(
        store,
        {"email": "a@x.test", "consent": {"email": True, "sms": True}},
        {"email": "b@x.test", "consent": {"email": False}, "topics": {"news": False}},
    )
    done = merged(store)
    says_so(store)
    unmerged(store, done.id)
    mine = lead(store, "ani")
    assert (mine.consent, mine.topics["news"]) in (
        ({"email": False, "sms": True}, False),
        ({"email": False, "sms": True}, {"email": False}),
    )


def test_a_run_that_goes_back_takes_along_what_it_did_since(store: Store) -> None:
    two_leads(store, {"email": "a@x.test"}, {"external_id": "crm-1"})
    with store.write() as connection:
        published(connection, a_plan(on="visit"))
    [theirs] = happens(store, "ann", "visit").started
    done = merged(store)
    message = a_message(store, theirs, "ani", accepted_at=TUESDAY)
    unmerged(store, done.id)
    assert [row.lead_id for row in rows(store, schema.messages, id=message)] == ["ann"]


def test_an_address_that_is_somebody_elses_by_now_does_not_come_back(store: Store) -> None:
    two_leads(store, {"phone": "+37491000001"}, {"email": "b@x.test"})
    done = merged(store)
    with store.write() as connection:
        connection.execute(schema.identities.delete().where(schema.identities.c.value == "b@x.test"))
        change_lead(connection, "ani", {"email": None}, TUESDAY)
        a_lead(connection, "eva", email="b@x.test")
    assert "email" in unmerged(store, done.id).kept
    assert (lead(store, "ann").email, lead(store, "ann").merged_into) == (None, None)


def test_a_chain_of_merges_is_taken_back_from_its_end(store: Store) -> None:
    two_leads(store, {"email": "a@x.test"}, {"external_id": "crm-1"})
    with store.write() as connection:
        a_lead(connection, "anna", phone="+37491000001")
    first = merged(store)
    second = merged(store, "anna", "ani")
    assert second.winner_id == "ani"
    with pytest.raises(Refused, match="undo-later-first") as refused:
        unmerged(store, first.id)
    assert second.id in refused.value.detail
    unmerged(store, second.id)
    unmerged(store, first.id)
    assert {row.merged_into for row in rows(store, schema.leads)} == {None}
    assert lead(store, "ann").external_id == "crm-1"


def test_who_wants_peace_as_one_is_left_in_peace_as_two(store: Store) -> None:
    two_leads(store, {"email": "a@x.test"}, {"email": "b@x.test"})
    done = merged(store)
    until = TUESDAY + timedelta(days=30)
    with store.write() as connection:
        change_lead(connection, "ani", {"paused_until": until}, TUESDAY)
    unmerged(store, done.id)
    assert (lead(store, "ani").paused_until, lead(store, "ann").paused_until) == (until, until)


def test_the_log_of_consent_tells_what_holds_after_a_merge_and_its_undoing(store: Store) -> None:
    one = {
        "email": "a@x.test",
        "consent": {"email": True, "sms": True},
        "topics": {"news": True},
        "tracking": True,
    }
    other = {
        "email": "b@x.test",
        "consent": {"email": False},
        "topics": {"news": {"sms": False}},
        "tracking": False,
    }
    two_leads(store, one, other)
    with store.write() as connection:
        for name in ("ani", "ann"):
            row = connection.execute(select(schema.leads).where(schema.leads.c.id == name)).one()
            said = {"consent": row.consent, "topics": row.topics, "tracking": row.tracking}
            log_changes(connection, name, {}, said, Source(), MONDAY)

    def held(name: str) -> tuple[Any, Any, Any]:
        row = lead(store, name)
        return row.consent, row.topics, row.tracking

    def told(name: str) -> tuple[Any, Any, Any]:
        with store.read() as connection:
            agreement = replayed(consent_history(connection, name))
        return agreement.consent, agreement.topics, agreement.tracking

    done = merged(store)
    assert told("ani") == held("ani")
    assert held("ani")[2] is False
    unmerged(store, done.id)
    for name in ("ani", "ann"):
        assert told(name) == held(name)
    assert (held("ani")[2], held("ann")[2]) == (True, False)


def test_what_cannot_be_one_is_refused_and_nothing_changes(store: Store) -> None:
    two_leads(store, {"email": "a@x.test"}, {"external_id": "crm-1"})
    with pytest.raises(Refused, match="unknown-lead"):
        merged(store, "ani", "nobody")
    with pytest.raises(Refused, match="same-lead"):
        merged(store, "ani", "ani")
    with pytest.raises(Refused, match="not-one-of-them"):
        merged(store, into="eva")
    with pytest.raises(Refused, match="unknown-merge"):
        unmerged(store, "nothing")
    merged(store)
    with pytest.raises(Refused, match="same-lead"):
        merged(store)


def test_a_person_may_say_who_goes_on(store: Store) -> None:
    two_leads(store, {"email": "a@x.test", "stage": "hot"}, {"email": "b@x.test"})
    assert merged(store, into="ann").winner_id == "ann"
    one = lead(store, "ann")
    assert (one.email, one.stage, one.created_at) == ("b@x.test", "hot", MONDAY)
