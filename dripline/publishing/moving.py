"""Bringing a journey's runs to the plan that was published: one locked transaction a lead.

Whoever does it may die at any moment, and another goes on: a run is looked at again under its lock, and one that
follows the plan already is left alone.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from dripline.clock import MachineClock
from dripline.engine.effects import Outcome, RunState
from dripline.language.plan import Plan
from dripline.publishing.forecast import Fate, fate_of
from dripline.publishing.landing import Change, Landing, Stuck, land
from dripline.publishing.resting import LookBack
from dripline.publishing.thawing import follow
from dripline.store import outbox
from dripline.store.database import Store, insert_into, lock_lead_and_run, lock_run
from dripline.store.freezing import standing_still
from dripline.store.house import open_house
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from dripline.store.publications import is_settled, passed, reach, runs_to_bring, runs_to_end
from dripline.store.runs import ended, find_events, load_state, note
from dripline.store.schema import inbox, runs
from dripline.store.wakes import want_wake

BATCH = 100
"""Runs between two remarks of how far we are."""

WAKES = 200.0
"""Runs that are moved (and so, maybe, woken) in a second: Temporal takes a few times as many, and has more to do."""


def slowly(ids: Sequence[str]) -> Iterator[str]:
    """The ids, no more of them in a second than may be woken."""
    begun = time.monotonic()
    for number, run in enumerate(ids):
        time.sleep(max(0.0, number / WAKES - (time.monotonic() - begun)))
        yield run


class Mover:
    """Carries one publication out."""

    def __init__(self, store: Store, publication: Row[Any], clock: MachineClock) -> None:
        self._store = store
        self._publication = publication
        self._clock = clock
        self._changes: dict[str, Change] = {}
        self.fates: Counter[str] = Counter()
        """How many runs had which fate so far."""
        self.superseded = False
        """Whether the journey was published again meanwhile: the runs that are left are that publication's."""

    def carry_out(
        self, seconds: float | None = None, went_on: Callable[[int], None] = lambda runs: None
    ) -> bool:
        """Look at all runs, or at as many as can be in that time; whether it was all."""
        stop = None if seconds is None else time.monotonic() + seconds
        after = self._publication.reached
        while True:
            ids = self._next(after)
            for run in slowly(ids):
                fate = self.bring(run)
                if fate is not None:
                    self.fates[fate.kind] += 1
                if self.superseded:
                    return True
            after = ids[-1] if ids else after
            with self._store.write() as connection:
                if not ids:
                    passed(connection, self._publication.id, self._clock())
                    return True
                reach(connection, self._publication.id, ids[-1])
            went_on(len(ids))
            if stop is not None and time.monotonic() > stop:
                return False

    def _next(self, after: str | None) -> list[str]:
        said = self._publication
        with self._store.read() as connection:
            if said.what == "retire":
                return runs_to_end(connection, said.journey, after, BATCH)
            return runs_to_bring(connection, said.journey, said.plan_hash, after, BATCH)

    def bring(self, run_id: str) -> Fate | None:
        """Move or end one run, in a transaction of its own; None where there is nothing to do any more."""
        said = self._publication
        with self._store.write() as connection:
            machine_now = self._clock()
            now = open_house(connection).clock.to_house(machine_now)
            lead, run = lock_lead_and_run(connection, run_id)
            if lead is None or run is None or run.ended_at is not None:
                return None
            self.superseded = is_settled(connection, said.id)  # asked under the lock: this run may be newer
            if self.superseded:
                return None
            if said.in_flight == "exit":
                reason = "the journey was taken out" if said.what == "retire" else "the journey was changed"
                reason = f"{reason}: {said.why}" if said.why else reason
                end_run(connection, run, Outcome("operator", reason), max(now, run.last_at), said.by)
                want_wake(connection, [run_id], machine_now)
                return Fate("ends", reason)
            if run.plan_hash == said.plan_hash:
                return None
            still = standing_still(connection, run)
            if still.is_behind and not still.frozen:
                follow(connection, lead, run, still, now)
                run = lock_run(connection, run_id) or run
            change = self._change(connection, run.plan_hash)
            state = load_state(connection, run)
            found = land(change, state, facts(lead), still.since or now)
            fate = fate_of(state, found)
            if isinstance(found, Stuck):
                return fate
            if place(connection, run, change.new, state, found, by=said.by, why=said.why):
                want_wake(connection, [run_id], machine_now)
            return fate

    def _change(self, connection: Connection, old_hash: str) -> Change:
        change = self._changes.get(old_hash)
        if change is None:
            old, new = load_plan(connection, old_hash), load_plan(connection, self._publication.plan_hash)
            change = self._changes[old_hash] = Change(old, new, self._publication.detail.get("map", {}))
        return change


def place(
    connection: Connection,
    run: Row[Any],
    plan: Plan,
    was: RunState,
    landing: Landing,
    by: str | None,
    why: str | None,
    what: str = "moved",
) -> bool:
    """Write a run (locked, with its lead) as it stands after its landing; whether it must be woken.

    `what` is the line of its story.

    A run that is to enter its step has no wait and the time `until`: whoever looks at it next takes the turn.
    """
    state, outcome = landing.state, landing.outcome
    at = state.last_at
    held = run.held_at is not None
    anew = state.wait is None and bool(state.step or state.visits)
    until = at if anew else state.wait.until if state.wait else run.until
    values: dict[str, Any] = {
        "plan_hash": plan.hash,
        "priority": plan.priority,
        "step": state.step,
        "wait": {"began": state.wait.began.isoformat(), "held": state.wait.held} if state.wait else None,
        "until": until,
        "visits": dict(state.visits),
        "variables": dict(state.variables),
        "loops": dict(state.loops),
        "last_at": at,
        "parked_reason": run.parked_reason if held else None,  # it tries again: the edit may be the cure
    }
    connection.execute(update(runs).where(runs.c.id == run.id).values(**values))
    detail = {"from": was.step, "until": until.isoformat() if until and not anew else None}
    note(connection, run.id, run.turn, at, state.step, what, {**detail, "by": by, "why": why})
    if outcome is not None:
        end_run(connection, run, outcome, at, by)
        return True
    if anew and was.wait is not None:  # it may have waited for an answer: nobody does any more
        for key in outbox.open_of_run(connection, run.id):
            outbox.drop(connection, key, at)
    found = _look_back(connection, run, landing.rest.look_back)
    sooner = until is not None and (run.until is None or until < run.until)
    return not held and (anew or sooner or found or run.parked_reason is not None)


def _look_back(connection: Connection, run: Row[Any], wanted: LookBack | None) -> bool:
    """Let the run look at events that its step listens for only now; whether there are any."""
    if wanted is None:
        return False
    found = find_events(connection, run.lead_id, wanted.names, wanted.after)
    for event in found:
        row = insert_into(connection, inbox).values(
            run_id=run.id, kind="event", event_id=event.id, received_at=event.received_at
        )
        connection.execute(
            row.on_conflict_do_update(index_elements=["run_id", "event_id"], set_={"taken_in": None})
        )
    return bool(found)


def end_run(connection: Connection, run: Row[Any], outcome: Outcome, at: datetime, by: str | None) -> None:
    """End a run (locked, with its lead) where it stands. Wake its workflow, so that it ends too."""
    values = {**ended(outcome, at), "last_at": at, "until": None, "parked_reason": None, "held_at": None}
    connection.execute(update(runs).where(runs.c.id == run.id).values(**values))
    detail = {"outcome": outcome.kind, "reason": outcome.reason, "by": by}
    note(connection, run.id, run.turn, at, run.step, "ended", detail)
