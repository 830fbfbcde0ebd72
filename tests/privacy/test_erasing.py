"""Erasing a lead: nothing of it is left, what is counted stays, and nothing is sent any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, text, update

from activities.deliver import Settled
from activities.providers.mailbox import Mailbox
from dripline.clock import machine_clock
from dripline.ingest.refusal import Refused
from dripline.ingest.reports import take_report
from dripline.language.plan import DelayStep, Duration
from dripline.privacy.erasing import Eraser
from dripline.privacy.journal import Journal
from dripline.privacy.personal import RULES
from dripline.providers import DeliveryReport, NotAccepted, Outgoing
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.figures import read_figures
from dripline.store.house import open_house
from dripline.store.leads import claim, identity_of
from dripline.store.suppressions import suppressed_by
from tests.durable.house import NOW, House
from tests.engine.plans import email, plan
from tests.privacy.made_up import (
    EMAIL,
    LEAD,
    LOSER,
    MARK,
    OLD_EMAIL,
    OTHER,
    PHONE,
    everything,
    mark_everything,
)

WELCOME = plan(
    email("hello", next="rest"),
    DelayStep(id="rest", duration=Duration(days=2), next="email:nudge"),
    email("nudge"),
)


def marked(store: Store) -> House:
    """A lead in the middle of a journey, its first message sent, everything personal marked."""
    house = House(store, WELCOME)
    [run] = house.happens("lead.created")
    assert house.deliveries.attempt(house.advance(run, NOW).deliver[0].message) is Settled.YES
    with store.write() as connection:
        mark_everything(connection, run)
    return house


def test_the_made_up_lead_has_a_mark_in_every_personal_column(store: Store) -> None:
    marked(store)
    with store.read() as connection:
        for name, rule in RULES.items():
            for column in rule.personal:
                values = connection.execute(select(schema.metadata.tables[name].c[column])).scalars().all()
                assert any(values) or column in (
                    "score",
                    "points",
                    "rescore_at",
                    "paused_until",
                    "tracking",
                    "occurred_at",
                ), (
                    name,
                    column,
                )


def test_nothing_of_an_erased_lead_is_left_in_any_table(store: Store) -> None:
    marked(store)
    Eraser(store).erase(LEAD, "ops", "asked by mail")
    with store.read() as connection:
        for name, held in everything(connection).items():
            for told in (MARK, PHONE, "ani@"):
                assert told not in held, f"{name} still holds {told}"


def test_nothing_of_an_erased_lead_is_left_in_the_files(store_url: str) -> None:
    if not store_url.startswith("sqlite"):
        pytest.skip("PostgreSQL keeps its files to itself: see docs/running.md")
    store = Store(store_url)
    house = marked(store)
    with store.write() as connection:  # texts that fill pages of their own
        for number in range(300):
            event = {"properties": {"said": f"{MARK}{number} " * 300}, "received_at": NOW}
            connection.execute(
                insert(schema.events).values(id=f"{MARK}{number}", lead_id=LEAD, name="order.paid", **event)
            )
        connection.execute(update(schema.messages).values(html=f"<p>{MARK}</p>" * 5_000))
    files = [Path(f"{store.engine.url.database}{end}") for end in ("", "-wal")]
    assert any(MARK.encode() in file.read_bytes() for file in files)
    Eraser(store).erase(LEAD, "ops")
    for file in files:
        for told in (MARK, EMAIL, PHONE, "ani@example.com"):
            assert told.encode() not in file.read_bytes(), f"{told} is still in {file.name}"
    assert house.message().html is None
    store.close()


def test_its_runs_end_as_erased_and_are_woken_to_end_their_workflows(store: Store) -> None:
    house = marked(store)
    done = Eraser(store).erase(LEAD, "ops")
    [run] = runs_of(store)
    assert (run.outcome, run.outcome_reason, done.runs_ended) == ("erased", None, 1)
    assert run.wake_wanted > run.wake_done
    assert house.advance(run.id, NOW).ended


def test_what_is_waiting_is_not_sent(store: Store) -> None:
    house = House(store, WELCOME)
    key = house.queued_message()
    done = Eraser(store).erase(LEAD, "ops")
    assert house.deliveries.attempt(key) is Settled.YES
    assert (house.message().state, house.message().reason, house.email.sent) == ("skipped", "lead erased", [])
    assert done.messages_skipped == 1


def test_what_is_waiting_is_settled_in_the_same_transaction(store: Store) -> None:
    house = House(store, WELCOME)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    assert Eraser(store).erase("lead-1", "ops").messages_skipped == 1
    with store.read() as connection:
        row = connection.execute(select(schema.messages)).one()
    assert (row.state, row.reason) == ("skipped", "lead erased")


def test_an_address_that_only_named_the_lead_is_suppressed_too(store: Store) -> None:
    House(store, WELCOME)
    with store.write() as connection:
        claim(connection, "lead-1", [identity_of("email", "besides@example.com")], NOW)
    Eraser(store).erase("lead-1", "ops")
    with store.read() as connection:
        hashed = open_house(connection).address_hash("email", "besides@example.com")
        assert suppressed_by(connection, "email", hashed) == "erased"


def test_reports_count_what_they_counted_before(store: Store) -> None:
    marked(store)
    with store.read() as connection:
        before = read_figures(connection)["welcome"]
    Eraser(store).erase(LEAD, "ops")
    with store.read() as connection:
        after = read_figures(connection)["welcome"]
        assert connection.scalar(select(func.sum(schema.touches.c.cost))) == 120
        assert connection.scalar(select(schema.hits.c.kind)) == "click"
        assert connection.scalar(select(schema.discounts.c.plain_code)) == "ABCDEFGHJK"
    assert (after.sent, after.treated, after.outcomes) == (before.sent, before.treated, {"erased": 1})


def test_merged_leads_are_erased_with_the_one_that_they_became(store: Store) -> None:
    marked(store)
    done = Eraser(store).erase(LOSER, "ops")
    assert done.leads == (LEAD, LOSER)
    with store.read() as connection:
        left = connection.execute(select(schema.leads).where(schema.leads.c.erased_at.is_(None))).all()
    assert [row.id for row in left] == [OTHER]


def test_another_lead_keeps_everything(store: Store) -> None:
    marked(store)
    Eraser(store).erase(LEAD, "ops")
    with store.read() as connection:
        assert connection.scalar(select(schema.leads.c.email).where(schema.leads.c.id == OTHER))
        assert connection.scalar(select(func.count()).select_from(schema.events)) == 1


def test_every_address_it_was_ever_written_to_is_suppressed_by_its_keyed_hash(store: Store) -> None:
    marked(store)
    done = Eraser(store).erase(LEAD, "ops")
    with store.read() as connection:
        house = open_house(connection)
        for channel, address in (("email", EMAIL), ("email", OLD_EMAIL), ("sms", PHONE)):
            hashed = house.address_hash(channel, address)
            table = schema.suppressions
            query = select(table.c.reason).where(table.c.channel == channel, table.c.address_hash == hashed)
            assert connection.scalar(query) in ("erased", "unsubscribed")
    assert done.addresses == 4


def test_who_agreed_can_still_be_proven_by_who_names_the_address(store: Store) -> None:
    marked(store)
    Eraser(store).erase(LEAD, "ops")
    with store.read() as connection:
        row = connection.execute(select(schema.consents)).one()
        hashed = open_house(connection).address_hash("email", EMAIL)
    assert (row.channel, row.state, row.source) == ("email", "granted", "form")
    assert hashed in row.proof["addresses"]["email"]


def test_a_preview_changes_nothing_and_says_the_same(store: Store) -> None:
    marked(store)
    with store.read() as connection:
        before = everything(connection)
    told = Eraser(store).preview(LEAD)
    with store.read() as connection:
        assert everything(connection) == before
    assert told == Eraser(store).erase(LEAD, "ops")


def test_it_is_audited_with_ids_and_counts(store: Store) -> None:
    marked(store)
    Eraser(store).erase(LEAD, "ops", "asked on the phone")
    with store.read() as connection:
        act = connection.execute(select(schema.audit).where(schema.audit.c.what == "erase")).one()
    assert (act.by, act.why, act.detail["leads"]) == ("ops", "asked on the phone", [LEAD, LOSER])


def test_it_is_erased_once_and_nobody_unknown_is(store: Store) -> None:
    marked(store)
    Eraser(store).erase(LEAD, "ops")
    with pytest.raises(Refused, match="erased-lead"):
        Eraser(store).erase(LEAD, "ops")
    with pytest.raises(Refused, match="unknown-lead"):
        Eraser(store).erase("nobody", "ops")


def test_what_a_provider_reports_later_brings_no_address_back(store: Store) -> None:
    house = marked(store)
    Eraser(store).erase(LEAD, "ops")
    key = house.message().id
    take_report(
        store, DeliveryReport(key, "bounced", machine_clock(), f"p-{key}", "550 no ani@example.com here")
    )
    row = house.message()
    assert (row.state, row.reason) == ("bounced", None)


def test_a_message_on_its_way_leaves_no_copy_behind(store: Store) -> None:
    house = House(store, WELCOME)
    key = house.queued_message()
    mailbox = Mailbox(store, "email")

    def erased_meanwhile(message: Outgoing) -> None:
        assert Eraser(store).erase(LEAD, "ops").on_their_way == 1
        mailbox.send(message)

    house.email.meanwhile = erased_meanwhile
    assert house.deliveries.attempt(key) is Settled.YES
    row = house.message()
    assert (row.state, row.recipient, row.html, row.body) == ("accepted", None, None, None)
    with store.read() as connection:
        assert connection.execute(select(schema.mailbox)).all() == []


def test_a_message_that_the_provider_did_not_take_meanwhile_is_not_sent_again(store: Store) -> None:
    house = House(store, WELCOME)
    key = house.queued_message()

    def erased_meanwhile(message: Outgoing) -> None:
        Eraser(store).erase(LEAD, "ops")
        raise NotAccepted("fake.busy")

    house.email.meanwhile = erased_meanwhile
    house.deliveries.attempt(key)
    house.email.meanwhile = lambda message: None
    assert house.deliveries.attempt(key) is Settled.YES
    assert (house.message().state, house.message().reason) == ("skipped", "lead erased")


def test_events_that_another_leads_run_holds_go_as_well(store: Store) -> None:
    """A merge that was undone may leave a run of one with events of the other."""
    marked(store)
    with store.write() as connection:
        connection.execute(update(schema.runs).values(lead_id=OTHER))
    Eraser(store).erase(LEAD, "ops")
    [run] = runs_of(store)
    assert (run.trigger_event, run.ended_at) == (None, None)


def test_a_restore_from_before_erases_again(store: Store, tmp_path: Path) -> None:
    marked(store)
    journal = Journal(tmp_path / "new")
    journal.note([LEAD, "gone-long-ago"], machine_clock())
    assert Eraser(store).again(journal.read(), "ops") == 1
    assert Eraser(store).again(journal.read(), "ops") == 0
    assert (tmp_path / "new" / "erased.log").stat().st_mode & 0o777 == 0o600


def test_the_journal_names_nobody(store: Store, tmp_path: Path) -> None:
    marked(store)
    Eraser(store, journal=Journal(tmp_path)).erase(LEAD, "ops")
    line = (tmp_path / "erased.log").read_text().split()
    assert line[1:] == [LEAD, LOSER]


def runs_of(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(schema.runs)).all())


def test_sqlite_overwrites_what_it_deletes(store: Store) -> None:
    if not store.is_sqlite:
        pytest.skip("PostgreSQL has no such setting: see docs/running.md")
    with store.read() as connection:
        assert connection.execute(text("PRAGMA secure_delete")).scalar_one() == 1
