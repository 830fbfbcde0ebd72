"""Many leads at every step of a journey: what becomes of each is what was told, for every edit and every policy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from activities.advance import Turns
from dripline.clock import machine_clock
from dripline.engine.effects import RunState
from dripline.ingest.recording import record
from dripline.language.plan import Plan
from dripline.publishing.forecast import Fate, Policy, fate_of
from dripline.publishing.landing import Change, Landing, land
from dripline.publishing.moving import Mover
from dripline.publishing.preview import look_ahead
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import add_lead, facts
from dripline.store.plans import publish
from dripline.store.publications import Wish, begin, find_publication
from dripline.store.runs import load_states
from dripline.wire import AdvanceRequest
from tests.durable.house import ROUTES
from tests.publishing.journeys import delay, email, journey, wait

LEADS = int(os.environ.get("DRIPLINE_TEST_LEADS", "60"))

THEN = [email("b"), delay("6 days"), email("c")]
SILENT = [email("d"), delay("8 days"), {"branch": [{"when": "lead.vip", "steps": [email("e")]}]}]


def edited(first: str = "4 days", then: list[Any] = THEN, silent: list[Any] = SILENT) -> Plan:
    """The journey with another first delay, or with other ways behind the wait."""
    waiting: dict[str, Any] = wait(timeout="4 days") | {"then": then, "else": silent}
    return journey(email("a"), delay(first), waiting)


WELCOME = edited()

EDITS: dict[str, tuple[Plan, dict[str, str]]] = {
    "a delay shortened": (edited(first="2 days"), {}),
    "a step removed": (
        edited(then=[email("b"), email("c")]),
        {"after email:b": "email:c"},
    ),
    "a step added": (edited(then=[email("b"), delay("6 days"), email("f"), email("c")]), {}),
    "a branch rewritten": (
        edited(
            silent=[
                email("d"),
                delay("8 days"),
                {"branch": [{"when": "not lead.vip", "steps": [email("f")]}, {"else": [email("e")]}]},
            ]
        ),
        {},
    ),
}


@pytest.fixture(scope="module")
def crowd(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with leads who entered within the last 20 days; some of them booked a demo."""
    path = tmp_path_factory.mktemp("crowd") / "dripline.db"
    shutil.copy(migrated_file, path)
    store = Store(f"sqlite:///{path}")
    turns = Turns(store, ROUTES)
    now = machine_clock()
    with store.write() as connection:
        publish(connection, WELCOME, now)
    for number in range(LEADS):
        _live(store, turns, number, now - timedelta(days=20) * number / LEADS, now)
    store.close()
    return path


def _live(store: Store, turns: Turns, number: int, begun: datetime, now: datetime) -> None:
    lead = f"lead-{number}"
    with store.write() as connection:
        values = {
            "email": f"{lead}@example.com",
            "timezone": "Asia/Yerevan",
            "consent": {"email": True},
            "attributes": {"vip": number % 3 == 0},
        }
        add_lead(connection, lead, values, begun)
        [run] = record(connection, Event(f"in-{number}", lead, "lead.created", {}, begun), begun).started
    booked = begun + timedelta(days=5)
    moments = [begun]
    if number % 2 and booked < now:
        moments.append(booked)
    for moment in [*moments, now]:
        if moment == booked:
            with store.write() as connection:
                record(connection, Event(f"demo-{number}", lead, "demo.booked", {}, booked), booked)
        for _ in range(3):
            with store.read() as connection:
                seen = connection.execute(
                    select(schema.runs.c.turn).where(schema.runs.c.id == run)
                ).scalar_one()
            turns.advance(AdvanceRequest(run, seen, moment.timestamp()))


@pytest.fixture
def store(crowd: Path, tmp_path: Path) -> Iterator[Store]:
    shutil.copy(crowd, tmp_path / "dripline.db")
    opened = Store(f"sqlite:///{tmp_path / 'dripline.db'}")
    yield opened
    opened.close()


@pytest.mark.parametrize("policy", ["keep", "move", "exit"])
@pytest.mark.parametrize("edit", EDITS)
def test_what_becomes_of_each_lead_is_what_was_told(store: Store, edit: str, policy: Policy) -> None:
    new, said = EDITS[edit]
    now = machine_clock()
    preview = look_ahead(store, new, WELCOME, policy, said, now)
    told = _each(store, new, policy, said, now)
    assert preview.forecast.runs == len(told) > LEADS / 2
    assert len({row.step for row, _, _ in told.values()}) >= 4, "they stand at different steps"
    assert not preview.forecast.hazards
    with store.write() as connection:
        wish = Wish(new, WELCOME.hash, in_flight=policy, said=said)
        number = begin(connection, wish, now, now)
        publication = find_publication(connection, number or 0)
    mover = Mover(store, publication, machine_clock)  # type: ignore[arg-type]  # it was just begun
    if policy != "keep":
        mover.carry_out()
        assert mover.fates == _kinds(preview.forecast.fates)
    for run, (before, fate, landing) in told.items():
        _compare(before, _row(store, run), fate, landing, new)


def _each(
    store: Store, new: Plan, policy: Policy, said: dict[str, str], now: datetime
) -> dict[str, tuple[Any, Fate, Landing | None]]:
    """What is told of each open run: its row now, its fate, and where it lands."""
    change = Change(WELCOME, new, said)
    with store.read() as connection:
        rows = connection.execute(select(schema.runs).where(schema.runs.c.ended_at.is_(None))).all()
        states: list[RunState] = load_states(connection, rows)
        leads = {row.id: facts(row) for row in connection.execute(select(schema.leads))}
    told: dict[str, tuple[Any, Fate, Landing | None]] = {}
    for row, state in zip(rows, states, strict=True):
        if policy != "move":
            told[row.id] = (row, Fate("keeps") if policy == "keep" else Fate("ends"), None)
            continue
        found = land(change, state, leads[row.lead_id], now)
        assert isinstance(found, Landing)
        told[row.id] = (row, fate_of(state, found), found)
    return told


def _kinds(fates: Any) -> dict[str, int]:
    kinds: dict[str, int] = {}
    for (_, fate), number in fates.items():
        kinds[fate.kind] = kinds.get(fate.kind, 0) + number
    return kinds


def _row(store: Store, run: str) -> Any:
    with store.read() as connection:
        return connection.execute(select(schema.runs).where(schema.runs.c.id == run)).one()


def _compare(before: Any, after: Any, fate: Fate, landing: Landing | None, new: Plan) -> None:
    if fate.kind == "keeps":
        assert after == before
    elif fate.kind == "ends":
        assert after.outcome == "operator"
    else:
        assert landing is not None
        assert (after.plan_hash, after.step, after.ended_at) == (new.hash, fate.to, None)
        if fate.kind in ("stays", "sooner", "later"):
            assert landing.state.wait is not None
            assert after.until == landing.state.wait.until
        if fate.kind == "at-once":
            assert after.until <= machine_clock()
        assert (after.wake_wanted > after.wake_done) or fate.kind in ("stays", "later")
