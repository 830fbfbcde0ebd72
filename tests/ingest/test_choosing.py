"""Whatever a lead chooses, and when: only who agreed is sent marketing, and the log says how things stand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from dripline.engine.policy import refusal
from dripline.engine.topics import CHANNELS, wish
from dripline.ingest.agreeing import Source, replayed
from dripline.ingest.choosing import Choice, Times, choose
from dripline.ingest.service import Ingest
from dripline.language.links import UnsubscribeLink
from dripline.language.plan import Trigger
from dripline.language.workspace import Workspace
from dripline.links import Claim
from dripline.store.consents import consent_history
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.leads import change_lead, facts, lock_survivor, read_lead
from dripline.store.schema import messages
from dripline.store.suppressions import REASONS, lift, suppress, suppressed_by
from tests.durable.house import House
from tests.engine.plans import email, on, plan
from tests.ingest.journeys import a_lead

NOW = datetime(2026, 1, 5, 10, tzinfo=UTC)
CHOICES = st.one_of(
    st.builds(lambda channel, yes: Choice(consent={channel: yes}), st.sampled_from(CHANNELS), st.booleans()),
    st.builds(
        lambda wish: Choice(topics={"news": wish}),
        st.none() | st.booleans() | st.dictionaries(st.sampled_from(CHANNELS), st.booleans(), min_size=1),
    ),
    st.builds(
        lambda days: Choice(pause=True, paused_until=NOW + timedelta(days=days) if days else None),
        st.sampled_from([0, 3, 30]),
    ),
)
ACTS = st.lists(CHOICES | st.sampled_from(REASONS) | st.just("lift"), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_marketing_goes_only_to_who_agreed_and_the_log_is_how_things_stand(
    migrated_file: Path, acts: list[Choice | str]
) -> None:
    store = Store(f"sqlite:///{migrated_file}")
    with store.write() as connection, connection.begin_nested() as trial:
        a_lead(connection, email="ani@example.com", phone="+37491123456", consent={}, topics={})
        house = open_house(connection)
        address = house.address_hash("email", "ani@example.com")
        consent: dict[str, bool] = {}
        for number, act in enumerate(acts):
            at = NOW + timedelta(minutes=number)
            if act == "lift":
                lift(connection, "email", address)
            elif isinstance(act, str):
                suppress(connection, "email", address, act, at)
            else:
                lead = lock_survivor(connection, "lead-1")
                assert lead is not None
                choose(connection, house, lead, act, Source("page"), Times(at, at), f"c{number}")
                consent |= act.consent
            lead = lock_survivor(connection, "lead-1")
            assert lead is not None
            found = replayed(consent_history(connection, "lead-1"))
            assert (found.consent, found.topics, found.paused_until) == (
                lead.consent,
                lead.topics,
                lead.paused_until,
            )
            suppressed = suppressed_by(connection, "email", address)
            for channel in CHANNELS:
                on_list = suppressed if channel == "email" else None
                may = refusal(channel, "news", False, facts(lead), on_list, at) is None
                paused = lead.paused_until is not None and at < lead.paused_until
                left = wish(lead.topics, "news", channel) is False
                assert may == (consent.get(channel, False) and not left and not paused and not on_list)
        trial.rollback()
    store.close()


@pytest.mark.parametrize("reason", REASONS)
def test_a_yes_takes_only_the_persons_own_reasons_off_the_list(store: Store, reason: str) -> None:
    with store.write() as connection:
        a_lead(connection, email="ani@example.com", consent={"email": False}, topics={})
        house = open_house(connection)
        address = house.address_hash("email", "ani@example.com")
        suppress(connection, "email", address, reason, NOW)
        lead = lock_survivor(connection, "lead-1")
        assert lead is not None
        times, yes = Times(NOW, NOW), Choice(consent={"email": True})
        choose(connection, house, lead, Choice(consent={"email": False}), Source("page"), times, "c0")
        assert suppressed_by(connection, "email", address) == reason, "a no forgives nothing"
        choose(connection, house, lead, yes, Source("page"), times, "c1")
        left = suppressed_by(connection, "email", address)
    assert left == (None if reason in ("unsubscribed", "erased", "soft-bounced") else reason)


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_link_leaves_the_channel_of_its_message(store: Store, channel: str) -> None:
    house = House(store, plan(email("hello"), trigger=Trigger(on=on("lead.created"))))
    key = house.queued_message()
    with store.write() as connection:
        connection.execute(update(messages).where(messages.c.id == key).values(channel=channel, topic=None))
        change_lead(connection, "lead-1", {"consent": {"email": True, "sms": True}}, NOW)
    ingest = Ingest(store, Workspace.model_validate({"timezone": "UTC", "locales": ["en"]}))
    assert ingest.follow(Claim(key, UnsubscribeLink(), None), False)
    with store.read() as connection:
        lead = read_lead(connection, "lead-1")
    assert lead is not None
    assert lead.consent == {one: one != channel for one in CHANNELS}
