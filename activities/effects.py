"""`deliver` of the queue `effects`: what a step asked for outside the process, and its answer to the run."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import structlog
from sqlalchemy import Row, select
from temporalio import activity

from activities.calling import Caller, Refused, TryAgain
from activities.failures import coded, not_yet
from activities.functions import CallFailed, Functions
from dripline.clock import MachineClock, machine_clock
from dripline.store import outbox, schema
from dripline.store.database import UNAVAILABLE, Store, lock_lead_and_run
from dripline.store.house import open_house

log = structlog.get_logger(__name__)

TRIES = 8
"""How often a call is tried before the run is told that it failed."""

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0
"""Seconds between two tries: each pause twice the one before, whatever the other side says below the longest."""

BRAKE_PAUSE = 60.0
"""Seconds until it is looked again whether everything is still stopped, or the run still held."""

ANSWER_PATIENCE = 15.0
"""Seconds for which an answer is kept trying to be written while the store is away: below the activity's limit."""


class Outside:
    """Does what steps want done outside the process. Each try is under the same key; the answer counts once."""

    def __init__(
        self,
        store: Store,
        caller: Caller,
        functions: Functions,
        clock: MachineClock = machine_clock,
    ) -> None:
        self._store = store
        self._caller = caller
        self._functions = functions
        self._clock = clock

    @activity.defn(name="deliver", no_thread_cancel_exception=True)
    @coded
    def deliver(self, key: str) -> None:
        """Try until answered; Temporal's retries bring the next try."""
        pause = self.attempt(key)
        if pause is not None:
            raise not_yet("not-answered", key, pause)

    def attempt(self, key: str) -> float | None:
        """One try. Seconds until the next; None where there is nothing more to do."""
        row = self._begin(key)
        if not isinstance(row, Row):
            return row
        if row.attempts > TRIES:  # the last one never came back
            self._answer(row, {"ok": False, "skipped": False, "reason": "no answer in time"})
            return None
        try:
            said = self._done(row)
        except TryAgain as problem:
            if row.attempts < TRIES:
                return _pause(row.attempts, problem.after)
            said = {"ok": False, "skipped": False, "status": problem.status, "reason": problem.code}
        except Refused as problem:
            said = {"ok": False, "skipped": False, "reason": problem.code}
        except CallFailed as problem:
            log.warning("function failed", key=key, step=row.step, error=problem.code)
            if row.attempts < TRIES and problem.code != "unknown-function":
                return _pause(row.attempts, None)
            said = {"ok": False, "skipped": False, "reason": f"call-failed: {problem.code}"}
        self._answer(row, said)
        return None

    def _begin(self, key: str) -> Row[Any] | float | None:
        """Count the try; or, without one, why there is none: nobody waits any more, or everything is stopped."""
        with self._store.write() as connection:
            run_id = connection.execute(
                select(schema.outbox.c.run_id).where(schema.outbox.c.key == key)
            ).scalar_one_or_none()
            if run_id is None:
                return None
            lead, run = lock_lead_and_run(connection, run_id)
            row = outbox.lock_row(connection, key)
            if row is None or row.done_at is not None:
                return None
            house = open_house(connection)
            gone = lead is None or lead.erased_at is not None or lead.merged_into is not None
            if gone or run is None or run.ended_at is not None or run.step != row.step:
                outbox.drop(connection, key, house.clock.to_house(self._clock()))
                return None
            paused = connection.execute(
                select(schema.journeys.c.paused_at).where(schema.journeys.c.id == run.journey)
            ).scalar_one_or_none()
            if house.stopped_at is not None or paused is not None or run.held_at is not None:
                return BRAKE_PAUSE
            outbox.begin_try(connection, key, self._clock())
            return outbox.lock_row(connection, key)

    def _done(self, row: Row[Any]) -> dict[str, Any]:
        if row.kind == "webhook":
            return self._caller.call(row.key, row.payload)
        request = row.payload
        result = self._functions.call(row.key, request["function"], request["arguments"])
        return {"ok": True, "skipped": False, "result": result}

    def _answer(self, row: Row[Any], said: Mapping[str, Any]) -> None:
        """Tell the run, once; patiently: what the other side answered cannot be asked again."""
        give_up = time.monotonic() + ANSWER_PATIENCE
        while True:
            try:
                with self._store.write() as connection:
                    self._write(connection, row, said)
                    return
            except UNAVAILABLE:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.5)

    def _write(self, connection: Any, row: Row[Any], said: Mapping[str, Any]) -> None:
        lock_lead_and_run(connection, row.run_id)
        now = self._clock()
        at = open_house(connection).clock.to_house(now)
        outbox.answer(connection, row, said, at, now)


def _pause(attempts: int, wanted: float | None) -> float:
    pause = FIRST_PAUSE * 2.0 ** (attempts - 1)
    return min(max(pause, wanted or 0.0), LONGEST_PAUSE)
