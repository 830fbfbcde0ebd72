"""Made-up lives of a few people, in any order: nobody is written to without a yes, and nothing of the erased is left.

The store, the engine, the gate and everything that changes a lead are the real ones; time and providers are made up.
What may be sent is kept beside them in the plainest way: who said yes, who said no, whose address is on the list.

DRIPLINE_LIVES=1000 plays so many lives; by default it is a few.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import select

from dripline.engine.policy import ADDRESS
from dripline.ingest.agreeing import Agreement, Source, replayed
from dripline.ingest.change import read_change
from dripline.ingest.choosing import Choice, Times, choose
from dripline.ingest.incoming import EventIn, LeadIn
from dripline.ingest.merging.identify import identify
from dripline.ingest.refusal import Refused
from dripline.ingest.reports import take_report
from dripline.ingest.service import Ingest
from dripline.ingest.suppressing import Address, Suppressions
from dripline.language.links import UnsubscribeLink
from dripline.language.plan import DelayStep, Duration, MessageStep, Trigger
from dripline.language.workspace import Workspace
from dripline.links import Claim
from dripline.privacy.erasing import Eraser
from dripline.providers import DeliveryReport, Outgoing
from dripline.store import schema
from dripline.store.consents import consent_history
from dripline.store.database import Store, lock_lead
from dripline.store.house import open_house
from dripline.store.leads import survivor_id
from dripline.store.migrate import migrate
from tests.durable.house import House
from tests.engine.plans import email, on, plan
from tests.privacy.made_up import everything

WORKSPACE = Workspace.model_validate(
    {
        "timezone": "UTC",
        "locales": ["en"],
        "topics": {"newsletter": "News"},
        "events": {"demo.booked": {"note": "text"}},
        "attributes": {"first_name": "text"},
    }
)
NEWS = plan(
    email("news", next="rest"),
    DelayStep(id="rest", duration=Duration(days=1), next="sms:more"),
    MessageStep(id="sms:more", channel="sms", template="more", topic="newsletter", next="email:last"),
    email("last"),
    trigger=Trigger(on=on("demo.booked"), reentry="always"),
    exits=(),
)

PEOPLE = st.integers(0, 2)
WHO = st.none() | PEOPLE
CHANNEL = st.sampled_from(["email", "sms"])
NUMBER = st.integers(0, 50)
THEN = st.sampled_from(["waits", "is written to", "is sent it", "is sent it"])
"""How far what it did is followed at once."""


def address(channel: str, person: int) -> str:
    return f"marked{person}@example.com" if channel == "email" else f"+3749112340{person}"


@cache
def migrated() -> Path:
    path = Path(tempfile.mkdtemp()) / "migrated.db"
    store = Store(f"sqlite:///{path}")
    migrate(store)
    store.close()
    return path


class Lives(RuleBasedStateMachine):
    """What may happen to three people who may turn out to be fewer, or more."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        shutil.copy(migrated(), Path(self._folder.name) / "dripline.db")
        self.store = Store(f"sqlite:///{self._folder.name}/dripline.db")
        self.house = House(self.store, NEWS)
        for provider in (self.house.email, self.house.sms):
            provider.meanwhile = self.leaves
        self.ingest = Ingest(self.store, WORKSPACE, machine=self.house.clock)
        self.eraser = Eraser(self.store, machine=self.house.clock)
        self.said: dict[tuple[str, str], bool] = {}
        self.left: set[str] = set()
        self.paused: dict[str, datetime] = {}
        self.listed: dict[tuple[str, str], str] = {}
        self.sent: set[str] = set()
        self.gone: set[str] = set()
        self.notes = 0
        self.noted: dict[str, set[str]] = {}
        """By lead, what it was known by alone, with nobody merged into it, when it wrote something."""

    def teardown(self) -> None:
        try:
            for _ in range(3):  # whatever is still to come shall come
                self.time_passes(40, busy=True)
                self.nothing_of_the_erased_is_left()
        finally:
            self.store.close()
            self._folder.cleanup()

    # -- what is looked at -----------------------------------------------------------------------------------

    def leads(self) -> list[Any]:
        """Everybody who is there, less those who were merged and those who were erased."""
        table = schema.leads
        with self.store.read() as connection:
            query = select(table).where(table.c.merged_into.is_(None), table.c.erased_at.is_(None))
            return list(connection.execute(query.where(table.c.id != "lead-1").order_by(table.c.id)).all())

    def one(self, number: int) -> Any:
        leads = self.leads()
        return leads[number % len(leads)] if leads else None

    def addresses_of(self, lead: Any) -> set[str]:
        """All that the person is found by, and what those who were merged into it were."""
        with self.store.read() as connection:
            names = select(schema.identities.c.value).where(schema.identities.c.lead_id == lead.id)
            found = set(connection.execute(names).scalars())
        return found | {one for one in (lead.email, lead.phone) if one}

    def leaves(self, message: Outgoing) -> None:
        """A message is given to its provider: may it be?"""
        key = (message.channel, message.to)
        assert message.key not in self.sent, "a message was doubled"
        self.sent.add(message.key)
        event("a message left")
        assert self.said.get(key) is True, f"{key} never said yes, or has said no since"
        assert message.to not in self.left, f"{key} has left the topic"
        assert key not in self.listed, f"{key} is on the list: {self.listed[key]}"
        assert message.to not in self.paused or self.paused[message.to] <= self.house.clock(), (
            f"{key} wants peace"
        )

    def tried(self, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except Refused:
            return None

    # -- what may happen -------------------------------------------------------------------------------------

    @initialize(
        agreed=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=3, max_size=3),
        known=st.lists(st.sampled_from(["both", "email", "sms"]), min_size=3, max_size=3),
        then=THEN,
    )
    def three_people_sign_up(self, agreed: list[tuple[bool, bool]], known: list[str], then: str) -> None:
        for person, (mail, sms) in enumerate(agreed):
            by = [person if known[person] in ("both", channel) else None for channel in ("email", "sms")]
            self.says_who_it_is(by[0], by[1], person)
            lead = next(one for one in self.leads() if one.external_id == f"marked-crm-{person}")
            self.a_program_passes(lead, "email", mail or person == 0)
            self.a_program_passes(lead, "sms", sms)
            self.does_something(person, then)

    @rule(mail=WHO, phone=WHO, crm=WHO)
    def says_who_it_is(self, mail: int | None, phone: int | None, crm: int | None) -> None:
        said: dict[str, Any] = {}
        if mail is not None:
            said["email"] = address("email", mail)
        if phone is not None:
            said["phone"] = address("sms", phone)
        if crm is not None:
            said["external_id"] = f"marked-crm-{crm}"
        if not said:
            return
        before = {lead.id: lead for lead in self.leads()}
        change = read_change(LeadIn(**said), WORKSPACE, Source("segment"))

        def do() -> None:
            with self.store.write() as connection:
                now = self.house.clock()
                identify(connection, change, now, now)

        self.tried(do)
        self.gone -= set(said.values())
        self._moved(before, agreed=False)

    @rule(number=NUMBER, channel=CHANNEL, person=WHO)
    def our_own_system_knows_another_address(self, number: int, channel: str, person: int | None) -> None:
        lead = self.one(number)
        if lead is None:
            return
        new = address(channel, person) if person is not None else None
        said = LeadIn.model_validate({"id": lead.id, ADDRESS[channel]: new})
        before = {one.id: one for one in self.leads()}
        if self.tried(lambda: self.ingest.upsert_lead(said)) is not None:
            event("an address became another")
            self.gone.discard(str(new))
            self._moved(before, agreed=True)

    def _moved(self, before: dict[str, Any], agreed: bool) -> None:
        """People have other addresses now: what was agreed is `agreed` for them only if our own system said so."""
        held = {getattr(lead, kind) for lead in before.values() for kind in ("email", "phone")}
        for lead in self.leads():
            was = before.get(lead.id)
            for channel, kind in ADDRESS.items():
                new = getattr(lead, kind)
                if was is not None and new and new != getattr(was, kind) and new not in held:
                    self.said[channel, new] = agreed and was.consent.get(channel) is True
                    if was.topics.get("newsletter") is False:
                        self.left.add(new)

    @rule(number=NUMBER, wish=st.none() | st.booleans())
    def says_whether_it_may_be_tracked(self, number: int, wish: bool | None) -> None:
        lead = self.one(number)
        if lead is not None:
            self.tried(lambda: self.ingest.upsert_lead(LeadIn(id=lead.id, tracking=wish)))

    @rule(number=NUMBER, channel=CHANNEL, yes=st.booleans())
    def a_program_passes_on_what_was_agreed(self, number: int, channel: str, yes: bool) -> None:
        lead = self.one(number)
        if lead is not None:
            self.a_program_passes(lead, channel, yes)

    def a_program_passes(self, lead: Any, channel: str, yes: bool) -> None:
        answer = self.tried(lambda: self.ingest.upsert_lead(LeadIn(id=lead.id, consent={channel: yes})))
        if answer is not None:
            self._says(lead, channel, yes)

    def _says(self, lead: Any, channel: str, yes: bool) -> None:
        if yes:
            own = getattr(lead, ADDRESS[channel])
            self.said[channel, own] = True
        else:
            for one in self.addresses_of(lead):
                self.said[channel, one] = False

    @rule(number=NUMBER, channel=CHANNEL)
    def says_yes_itself(self, number: int, channel: str) -> None:
        lead = self.one(number)
        if lead is None or not getattr(lead, ADDRESS[channel]):
            return
        self._chooses(lead, Choice(consent={channel: True}))
        self._says(lead, channel, True)
        key = (channel, getattr(lead, ADDRESS[channel]))
        if self.listed.get(key) == "erased":
            del self.listed[key]

    @rule(number=NUMBER, back=st.booleans())
    def leaves_a_topic_or_comes_back(self, number: int, back: bool) -> None:
        lead = self.one(number)
        if lead is None:
            return
        self._chooses(lead, Choice(topics={"newsletter": back}))
        if back:
            self.left -= {lead.email, lead.phone}
        else:
            self.left |= self.addresses_of(lead)

    @rule(number=NUMBER, days=st.integers(1, 30))
    def wants_peace(self, number: int, days: int) -> None:
        lead = self.one(number)
        if lead is None:
            return
        until = self.house.clock() + timedelta(days=days)
        if lead.paused_until is not None and lead.paused_until > until:
            return
        self._chooses(lead, Choice(pause=True, paused_until=until))
        for one in (lead.email, lead.phone):
            if one:
                self.paused[one] = until

    def _chooses(self, lead: Any, choice: Choice) -> None:
        self.notes += 1
        with self.store.write() as connection:
            now = self.house.clock()
            row = lock_lead(connection, lead.id)
            assert row is not None
            cause = f"choice-{self.notes}"
            choose(connection, open_house(connection), row, choice, Source("page"), Times(now, now), cause)

    @rule(number=NUMBER, everything_=st.booleans())
    def follows_the_link_to_leave(self, number: int, everything_: bool) -> None:
        messages = [row for row in self.house.messages() if row.recipient]
        if not messages:
            return
        row = messages[number % len(messages)]
        lead = next((lead for lead in self.leads() if lead.id == self._now_is(row.lead_id)), None)
        if not self.ingest.follow(Claim(row.id, UnsubscribeLink(), None), everything_) or lead is None:
            return
        if everything_:
            self._says(lead, row.channel, False)
        else:
            self.left |= self.addresses_of(lead)

    def _now_is(self, lead_id: str) -> str:
        with self.store.read() as connection:
            return survivor_id(connection, lead_id)

    @rule(number=NUMBER)
    def something_comes_back(self, number: int) -> None:
        messages = [row for row in self.house.messages() if row.recipient and row.accepted_at]
        if messages:
            row = messages[number % len(messages)]
            said = f"550 5.1.1 <{row.recipient}> unknown"
            take_report(self.store, DeliveryReport(row.id, "bounced", self.house.clock(), None, said))
            self.listed[row.channel, row.recipient] = "bounced"

    @rule(person=PEOPLE, channel=CHANNEL)
    def somebody_puts_an_address_on_the_list(self, person: int, channel: str) -> None:
        one = address(channel, person)
        Suppressions(self.store, machine=self.house.clock).put(Address(channel, one), by="ops")
        self.listed[channel, one] = "by hand"

    @rule(number=NUMBER, then=THEN)
    def does_something(self, number: int, then: str) -> None:
        lead = self.one(number)
        if lead is not None:
            self.notes += 1
            if not self._was_merged(lead):
                self.noted.setdefault(lead.id, set()).update(one for one in (lead.email, lead.phone) if one)
            note = {"note": f"note {self.notes} of {sorted(self.addresses_of(lead))}"}
            self.tried(
                lambda: self.ingest.record_event(
                    EventIn(name="demo.booked", lead={"id": lead.id}, properties=note)
                )
            )

    def _was_merged(self, lead: Any) -> bool:
        with self.store.read() as connection:
            query = select(schema.leads.c.id).where(schema.leads.c.merged_into == lead.id)
            return connection.execute(query.limit(1)).one_or_none() is not None

    @rule()
    def turns_are_taken(self) -> None:
        table = schema.runs
        with self.store.read() as connection:
            open_ones = list(
                connection.execute(select(table.c.id).where(table.c.ended_at.is_(None))).scalars()
            )
        for run_id in open_ones:
            self.house.advance(run_id, self.house.clock())

    @rule()
    def messages_leave(self) -> None:
        for row in self.house.messages():
            if row.state == "queued":
                self.house.deliveries.attempt(row.id)

    @rule(hours=st.integers(1, 60), busy=st.booleans())
    def time_passes(self, hours: int, busy: bool) -> None:
        self.house.clock.offset += timedelta(hours=hours)
        if busy:
            self.turns_are_taken()
            self.messages_leave()

    @rule(one=NUMBER, other=NUMBER)
    def two_are_one(self, one: int, other: int) -> None:
        first, second = self.one(one), self.one(other)
        if first is None or first.id == second.id:
            return
        done = self.tried(lambda: self.ingest.merge_leads(first.id, second.id, "command"))
        if done is None:
            return
        event("two leads became one")
        now = next(lead for lead in self.leads() if lead.id == done.winner_id)
        for channel in ("email", "sms"):
            refused = any(side.consent.get(channel) is False for side in (first, second))
            agreed = any(side.consent.get(channel) is True for side in (first, second))
            assert not (refused and now.consent.get(channel)), "a merge widened consent"
            assert agreed or not now.consent.get(channel), "a merge made consent of nothing"
        assert not (False in (first.tracking, second.tracking) and now.tracking is not False)

    @rule(one=NUMBER, other=NUMBER, lives=st.lists(NUMBER, max_size=3), erased=st.none() | NUMBER)
    def two_are_one_for_a_while(self, one: int, other: int, lives: list[int], erased: int | None) -> None:
        self.two_are_one(one, other)
        for number in lives:
            self.does_something(number, "is sent it")
        self.they_were_two_after_all(one)
        if erased is not None and self.leads():
            self.is_erased(erased)

    @rule(number=NUMBER)
    def they_were_two_after_all(self, number: int) -> None:
        with self.store.read() as connection:
            merges = connection.execute(
                select(schema.merges).where(schema.merges.c.undone_at.is_(None))
            ).all()
        if not merges:
            return
        merge = merges[number % len(merges)]
        if self.tried(lambda: self.ingest.undo_merge(merge.id)) is not None:
            event("a merge was taken back")

    @rule(number=NUMBER)
    @precondition(lambda self: self.leads())
    def is_erased(self, number: int) -> None:
        lead = self.one(number)
        told = self.addresses_of(lead)
        with self.store.read() as connection:
            table = schema.messages
            query = select(table.c.recipient).where(
                table.c.lead_id == lead.id, table.c.recipient.is_not(None)
            )
            written = set(connection.execute(query).scalars())
        done = self.eraser.erase(lead.id, "ops")
        event(
            f"erased {min(2, len(done.leads))} lead(s), {'some' if done.rows.get('messages') else 'no'} messages"
        )
        others = {one for other in self.leads() for one in self.addresses_of(other)}
        others.update(
            *(self.noted.get(other.id, ()) for other in self.leads())
        )  # their own words stay theirs
        self.gone |= (told | written) - others
        for one in told | written:
            self.listed.setdefault(("email" if "@" in one else "sms", one), "erased")

    # -- what always holds -----------------------------------------------------------------------------------

    @invariant()
    def nothing_of_the_erased_is_left(self) -> None:
        if not self.gone:
            return
        with self.store.read() as connection:
            for name, held in everything(connection).items():
                for one in self.gone:
                    assert one not in held, f"{name} still holds {one}"

    @invariant()
    def the_log_says_how_things_stand(self) -> None:
        for lead in self.leads():
            with self.store.read() as connection:
                found = replayed(consent_history(connection, lead.id))
            assert found == Agreement(lead.consent, lead.topics, lead.paused_until, lead.tracking)

    @invariant()
    def runs_of_the_erased_have_ended(self) -> None:
        with self.store.read() as connection:
            runs, leads = schema.runs, schema.leads
            query = select(runs.c.id).join(leads, leads.c.id == runs.c.lead_id)
            alive = query.where(leads.c.erased_at.is_not(None), runs.c.ended_at.is_(None))
            assert connection.execute(alive).all() == []


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=int(os.environ.get("DRIPLINE_LIVES", "12")),
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
