"""Whatever is identified, merged, undone, agreed to, refused and sent, in whatever order: nothing is lost, and no
address is written to that did not agree."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, select

from activities.gate import Gate
from dripline.ingest.agreeing import Source
from dripline.ingest.change import LeadChange
from dripline.ingest.choosing import Choice, choose
from dripline.ingest.merging.identify import identify
from dripline.ingest.merging.merge import Times, merge
from dripline.ingest.merging.unmerge import unmerge
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused
from dripline.language.plan import Trigger, WaitForStep
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import open_house
from dripline.store.leads import lock_survivor, survivor_id
from tests.durable.house import NOW, House
from tests.engine.plans import email, on, plan

GREET = plan(
    email("hello", next="wait"),
    WaitForStep(id="wait", on=on("never"), then=None, otherwise=None),
    trigger=Trigger(on=on("visit"), reentry="always"),
)
NUMBERS = st.integers(1, 3)
_worlds = itertools.count()


class People(RuleBasedStateMachine):
    """Some accounts, addresses and browsers, and all that may be said of them."""

    house: House

    def __init__(self) -> None:
        super().__init__()
        self.world = next(_worlds)
        self.now = NOW + timedelta(days=self.world)
        self.agreed: set[str] = set()
        self.leads: list[str] = []  # in the order in which they came: by chance means the same chance again
        self.visits: set[str] = set()

    def name(self, kind: str, number: int) -> str:
        return {
            "external_id": f"crm-{self.world}-{number}",
            "email": f"p{number}@w{self.world}.example.com",
            "anonymous_id": f"browser-{self.world}-{number}",
        }[kind]

    def times(self) -> Times:
        self.now += timedelta(seconds=7)
        return Times(self.now, self.now)

    def emails_of(self, connection: Connection, lead_id: str) -> set[str]:
        table = schema.identities
        query = select(table.c.value).where(table.c.lead_id == lead_id, table.c.kind == "email")
        return set(connection.execute(query).scalars())

    @initialize(words=st.lists(st.sampled_from([None, True, False]), min_size=3, max_size=3))
    def three_people_are_known(self, words: list[bool | None]) -> None:
        for number, word in enumerate(words, 1):
            self.is_identified_by(None, number, None, word)

    # -- what may happen ---------------------------------------------------------------------------------------

    @rule(
        account=st.none() | NUMBERS,
        address=st.none() | NUMBERS,
        browser=st.none() | NUMBERS,
        word=st.sampled_from([None, True, False]),
    )
    def is_identified(
        self, account: int | None, address: int | None, browser: int | None, word: bool | None
    ) -> None:
        if account is not None or address is not None or browser is not None:
            self.is_identified_by(account, address, browser, word)

    def is_identified_by(
        self, account: int | None, address: int | None, browser: int | None, word: bool | None
    ) -> None:
        columns: Mapping[str, Any] = {
            **({"external_id": self.name("external_id", account)} if account else {}),
            **({"email": self.name("email", address)} if address else {}),
        }
        word = word if address else None  # who agrees says by which address
        change = LeadChange(
            columns=columns,
            consent={} if word is None else {"email": word},
            anonymous_id=self.name("anonymous_id", browser) if browser else None,
        )
        before = self.living()
        times = self.times()
        with self.house.store.write() as connection:
            done = identify(connection, change, times.house, times.machine)
            lead = connection.execute(select(schema.leads).where(schema.leads.c.id == done.lead_id)).one()
            if word is False:
                self.agreed -= self.emails_of(connection, lead.id)
            elif word and lead.email == columns["email"]:
                self.agreed.add(lead.email)
        if done.lead_id not in self.leads:
            self.leads.append(done.lead_id)
        was = before.get(done.lead_id)
        if was is not None and not done.merged and was.email != lead.email and was.email in self.agreed:
            self.agreed.add(lead.email)  # who names an account by its id may say that its address is another

    @precondition(lambda self: len(self.leads) > 1)
    @rule(data=st.data())
    def are_merged(self, data: st.DataObject) -> None:
        one, other = data.draw(st.lists(st.sampled_from(self.leads), min_size=2, max_size=2, unique=True))
        with self.house.store.write() as connection:
            final = {survivor_id(connection, one), survivor_id(connection, other)}
            if len(final) == 2:
                merge(connection, one, other, "command", self.times())

    @rule(data=st.data())
    def is_undone(self, data: st.DataObject) -> None:
        with self.house.store.write() as connection:
            table = schema.merges
            query = select(table.c.id).where(table.c.winner_id.in_(self.leads), table.c.undone_at.is_(None))
            found = list(connection.execute(query.order_by(table.c.at)).scalars())
            if not found:
                return
            try:
                unmerge(connection, data.draw(st.sampled_from(found)), self.times())
            except Refused as refusal:
                assert refusal.code == "undo-later-first"  # noqa: PT017  (it is the one that there may be)

    @precondition(lambda self: self.leads)
    @rule(data=st.data())
    def presses_unsubscribe(self, data: st.DataObject) -> None:
        with self.house.store.write() as connection:
            lead = lock_survivor(connection, data.draw(st.sampled_from(self.leads)))
            assert lead is not None
            times, choice = self.times(), Choice(consent={"email": False})
            cause = f"pressed-{self.world}-{times.house.isoformat()}"
            choose(connection, open_house(connection), lead, choice, Source("link"), times, cause)
            self.agreed -= self.emails_of(connection, lead.id)

    @precondition(lambda self: self.leads)
    @rule(data=st.data())
    def visits_and_is_written_to(self, data: st.DataObject) -> None:
        lead_id = data.draw(st.sampled_from(self.leads))
        times = self.times()
        visit = f"visit-{self.world}-{times.house.isoformat()}"
        self.visits.add(visit)
        with self.house.store.write() as connection:
            started = record(
                connection, Event(visit, lead_id, "visit", {}, times.house), times.machine
            ).started
        for run in started:
            for delivery in self.house.advance(run, self.times().machine).deliver:
                self.house.deliveries.attempt(delivery.message)
                with self.house.store.read() as connection:
                    table = schema.messages
                    sent = connection.execute(select(table).where(table.c.id == delivery.message)).one()
                assert sent.state != "accepted" or sent.recipient in self.agreed

    # -- what holds of it --------------------------------------------------------------------------------------

    def living(self) -> dict[str, Any]:
        with self.house.store.read() as connection:
            query = select(schema.leads).where(schema.leads.c.id.in_(self.leads))
            return {row.id: row for row in connection.execute(query) if row.merged_into is None}

    @invariant()
    def no_address_may_be_written_to_that_did_not_agree(self) -> None:
        for lead in self.living().values():
            assert not (lead.email and lead.consent.get("email")) or lead.email in self.agreed

    @invariant()
    def everything_belongs_to_somebody_who_is_there(self) -> None:
        living = self.living()
        with self.house.store.read() as connection:
            events = connection.execute(
                select(schema.events).where(schema.events.c.id.in_(self.visits))
            ).all()
            runs = connection.execute(select(schema.runs).where(schema.runs.c.lead_id.in_(self.leads))).all()
            query = select(schema.messages).where(schema.messages.c.lead_id.in_(self.leads))
            messages = connection.execute(query).all()
            query = select(schema.identities).where(schema.identities.c.lead_id.in_(self.leads))
            names = {(row.kind, row.value): row.lead_id for row in connection.execute(query)}
        assert len(events) == len(self.visits)
        assert {row.lead_id for row in (*events, *runs, *messages)} <= set(living)
        assert set(names.values()) <= set(living)
        of_run = {run.id: run.lead_id for run in runs}
        assert all(of_run[row.run_id] == row.lead_id for row in messages)
        open_ones = [(run.lead_id, run.journey, run.key) for run in runs if run.ended_at is None]
        assert len(open_ones) == len(set(open_ones))
        for lead in living.values():
            for kind in ("external_id", "email"):
                assert not getattr(lead, kind) or names[kind, getattr(lead, kind)] == lead.id


def test_nothing_is_lost_and_nobody_is_written_to_who_did_not_agree(store: Store) -> None:
    People.house = House(store, GREET, gate=Gate(lambda channel, address: True))
    run_state_machine_as_test(
        People,
        settings=settings(
            max_examples=40,
            stateful_step_count=20,
            deadline=None,
            phases=(
                Phase.reuse,
                Phase.generate,
            ),  # to find the shortest way to a fault takes minutes of a database
            suppress_health_check=list(HealthCheck),
        ),
    )
