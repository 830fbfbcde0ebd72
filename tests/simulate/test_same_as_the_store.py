"""A life in memory and one by the store tell the same story: every decision, message, time and outcome."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dripline.language.plan import (
    Arm,
    BranchStep,
    DelayStep,
    DelayUntilStep,
    Duration,
    Exit,
    Goal,
    Hours,
    Limit,
    MessageStep,
    Moment,
    Plan,
    StopStep,
    TemplateSource,
    Trigger,
    WaitForStep,
)
from dripline.language.project import load_project
from dripline.simulate.life import Life
from dripline.simulate.playing import begin
from dripline.simulate.setting import set_up
from dripline.simulate.timeline import Letter
from dripline.store.database import Store
from dripline.store.plans import publish
from tests.durable.house import House
from tests.engine.plans import email, on, plan
from tests.simulate.by_store import Happening, live_by_store, say_note
from tests.simulate.made_up import EVENTS, happenings, journeys

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 27, 9, 30, tzinfo=UTC)
LEAD: Mapping[str, Any] = {
    "id": "lead-1",
    "external_id": None,
    "email": "ani@example.com",
    "phone": "+37491123456",
    "locale": "en",
    "timezone": "Europe/Berlin",
    "country": None,
    "stage": None,
    "score": 0.0,
    "tags": [],
    "owner": None,
    "consent": {"email": True, "sms": True},
    "topics": {},
    "first_name": "Ani",
}
CAP = Limit(count=3, per=Duration(days=7))
HELLO = {"en": TemplateSource(markup="md", body="Hello {{ lead.first_name }}", subject="Hi {{ event.name }}")}
SEATS = {"en": TemplateSource(markup="text", body="See you: {{ demo.seats }} seats")}

WELCOME = plan(
    email("hello", next="after hello", limit=CAP, result="hello"),
    DelayStep(id="after hello", duration=Duration(days=2), next="demo"),
    WaitForStep(
        id="demo",
        on=on("demo.booked", when="event.seats >= 5"),
        timeout=Duration(days=3),
        result="demo",
        then="sms:see-you",
        otherwise="email:offer",
    ),
    MessageStep(id="sms:see-you", channel="sms", template="see-you", topic="newsletter", next="stop"),
    StopStep(id="stop", reason="booked"),
    email("offer", limit=CAP),
    goal=Goal(on=on("order.paid"), value="event.total", within=Duration(days=6)),
    exits=(
        Exit(on=on("lead.unsubscribed"), reason="unsubscribed"),
        Exit(on=on("lead.rejected", when="trigger.name == 'x'", event_only=False), reason="rejected"),
    ),
    templates={"email:hello": HELLO, "email:offer": HELLO, "sms:see-you": SEATS},
)
AGAIN = plan(
    email("nudge", next="branch", limit=CAP),
    BranchStep(
        id="branch", arms=(Arm(when="event.seats / 0 > 1 or event.seats > 3", to="rest"),), next="wait"
    ),
    DelayStep(id="rest", duration=Duration(days=1), next="wait"),
    WaitForStep(id="wait", on=on("visit", "demo.booked"), since="start", timeout=Duration(days=1)),
    journey="again",
    priority=80,
    trigger=Trigger(on=on("visit", when="event.seats != 4"), reentry=Duration(days=2)),
    goal=Goal(on=on("visit"), within=Duration(days=1), value="event.seats"),
    exits=(),
    templates={"email:nudge": HELLO},
)
MANY = plan(
    email("news", next="wait", limit=CAP),
    WaitForStep(id="wait", on=on("visit"), timeout=Duration(seconds=5400), since="now"),
    journey="many",
    trigger=Trigger(on=on("demo.booked", "lead.created"), reentry="always"),
    exits=(),
    templates={"email:news": HELLO},
)
NIGHT = Hours(start=21 * 60, end=9 * 60)
OFFICE = Hours(start=10 * 60, end=18 * 60, days=(0, 1, 2, 3, 4))
HELD = plan(
    DelayUntilStep(id="evening", moment=Moment(at=20 * 60 + 30, weekdays=(0, 2, 4)), next="email:late"),
    email("late", next="sms:soon", quiet_hours=NIGHT, limit=CAP, on_limit=Duration(days=2), window=(OFFICE,)),
    MessageStep(
        id="sms:soon",
        channel="sms",
        template="soon",
        topic="newsletter",
        window=(OFFICE,),
        limit=Limit(count=1, per=Duration(days=1)),
        on_limit=Duration(days=3),
        expires=Duration(seconds=20 * 3600),
        next="visit",
    ),
    WaitForStep(
        id="visit", on=on("visit"), until=Moment(at=600, weekdays=(0,)), since="now", then="email:late"
    ),
    journey="held",
    trigger=Trigger(on=on("lead.created", "order.paid"), reentry="always"),
    exits=(Exit(on=on("lead.unsubscribed"), reason="unsubscribed"),),
    holdout=30.0,
    templates={"email:late": HELLO, "sms:soon": {"en": TemplateSource(markup="text", body="Soon")}},
)
PLANS = (WELCOME, AGAIN, MANY, HELD)


def live_in_memory(
    plans: Sequence[Plan], lead: Mapping[str, Any], coming: Sequence[Happening], until: datetime
) -> list[str]:
    life = Life(plans, lead, coming[0][0])
    for at, name, properties in coming:
        life.happens(name, properties, at)
    life.live(until)
    return told(life)


def _visit(letter: Letter) -> int:
    return int(letter.id.rpartition("/")[2])


def told(life: Life) -> list[str]:
    """The runs' stories, as `live_by_store` tells them."""
    lines: list[str] = []
    for run in sorted(life.runs, key=lambda run: (run.state.started_at, run.plan.journey)):
        outcome = run.outcome
        lines.append(
            f"{run.plan.journey}: {outcome and outcome.kind} {outcome and outcome.reason} {run.parked}"
        )
        lines.append(f"{run.converted} {run.value} {run.state.last_at} {run.state.step}")
        notes = [
            entry
            for entry in life.timeline
            if entry.run == run.id and entry.kind == "step" and entry.what != "barred"
        ]
        lines += [say_note(one.at, one.step, one.what, one.detail) for one in notes]
        letters = [letter for letter in life.letters if letter.run == run.id]
        for letter in sorted(letters, key=lambda letter: (letter.at, letter.step, _visit(letter))):
            content = letter.content
            lines.append(
                f"{letter.at} {letter.channel} {letter.template} {letter.fate} {letter.reason} "
                f"{content and content.subject} {content and content.body}"
            )
    return lines


@pytest.fixture(scope="module")
def house(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    file = tmp_path_factory.mktemp("lives") / "dripline.db"
    shutil.copy(migrated_file, file)
    store = Store(f"sqlite:///{file}")
    yield House(store, *PLANS)
    store.close()


@pytest.fixture(scope="module")
def empty_house(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    file = tmp_path_factory.mktemp("made-up") / "dripline.db"
    shutil.copy(migrated_file, file)
    store = Store(f"sqlite:///{file}")
    yield House(store)
    store.close()


_numbers = iter(range(1, 1_000_000))
_names = st.sampled_from(["demo.booked", "visit", "order.paid", "lead.unsubscribed", "lead.rejected"])
_hours = st.one_of(st.integers(0, 24 * 9), st.sampled_from([0, 24, 47, 48, 71, 72, 119, 120, 144]))


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(happenings=st.lists(st.tuples(_hours, _names, st.integers(2, 7)), max_size=7))
def test_whatever_happens_in_whatever_order(house: House, happenings: list[tuple[int, str, int]]) -> None:
    coming: list[Happening] = [(START, "lead.created", {})]
    coming += [
        (START + timedelta(hours=hours), name, {"seats": seats, "total": seats * 10})
        for hours, name, seats in sorted(happenings, key=lambda one: one[0])
    ]
    until = START + timedelta(days=30)
    lead = {**LEAD, "id": f"life-{next(_numbers)}"}  # by which the control group is drawn
    expected = live_by_store(house, lead["id"], lead, coming, until)
    assert live_in_memory(PLANS, lead, coming, until) == expected


def test_the_scenarios_of_the_repository_by_the_store(store: Store) -> None:
    project = load_project(ROOT)
    assert project.workspace is not None
    house = House(store, project.plans["welcome"])  # as a scenario plays its own journey only
    for number, scenario in enumerate(project.scenarios["welcome"].scenarios):
        if any(event.lead for event in scenario.events):
            continue  # a change of the lead comes by ingest's own service: it has tests of its own
        setting = set_up(scenario, "welcome", project.plans, project.workspace)
        life, start = begin(setting), setting.start
        life.live(start + timedelta(days=60))
        coming: list[Happening] = [
            (entry.at, entry.what, dict(entry.detail)) for entry in life.timeline if entry.kind == "event"
        ]
        lead = {name: value for name, value in life.state.lead.items() if name != "created_at"}
        expected = live_by_store(house, f"scenario-{number}", lead, coming, start + timedelta(days=60))
        assert told(life) == expected, scenario.scenario


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)
@given(first=journeys(throttled=False), other=journeys("other", throttled=False), coming=happenings())
def test_whatever_the_journey(
    empty_house: House, first: Plan, other: Plan, coming: list[tuple[int, str, int]]
) -> None:
    """Changes of the lead from outside come by ingest's own service, which has tests of its own."""
    with empty_house.store.write() as connection:
        for one in (first, other):
            publish(connection, one, START)
    events: list[Happening] = [(START, "lead.created", {})]
    events += [
        (START + timedelta(hours=hours), name, {"seats": number, "total": number * 10})
        for hours, name, number in coming
        if name in (*EVENTS, "lead.unsubscribed")
    ]
    until = START + timedelta(days=400)
    lead = {**LEAD, "id": f"life-{next(_numbers)}"}
    expected = live_by_store(empty_house, lead["id"], lead, events, until)
    assert live_in_memory([first, other], lead, events, until) == expected
