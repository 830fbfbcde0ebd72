"""A tried run as it stands in the store, and what is new of its story since the last look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from dripline.clock import HouseClock, machine_clock
from dripline.language.plan import WaitForStep
from dripline.store.database import Store
from dripline.store.house import open_house, set_clock
from dripline.store.leads import facts, load_lead
from dripline.store.plans import load_plan
from dripline.store.runs import has_mail, load_state
from dripline.store.schema import messages, runs
from dripline.store.wakes import want_wake
from dripline.story import Entry, tell
from dripline.trying.choosing import Seen

_UNDER_WAY = ("queued", "sending")


@dataclass(frozen=True)
class View:
    """Everything of one moment."""

    clock: HouseClock
    machine: datetime
    run: Row[Any]
    seen: Seen
    entries: tuple[Entry, ...]
    messages: dict[str, Row[Any]]
    """By id, those of every run of the lead."""
    mail: bool
    """Whether something has come that the run has not looked at yet."""
    settled: bool
    """Whether no message to the lead is under way, and each run has begun."""
    next: datetime | None
    """When a wait ends next (house time): of this run, or of another one of the lead."""

    @property
    def wait(self) -> tuple[object, ...]:
        """What tells one rest of the run from another."""
        return self.run.step, self.run.until, self.run.parked_reason, tuple(sorted(self.run.visits.items()))

    @property
    def ended(self) -> bool:
        """Whether the run has ended; a message of it may still be under way."""
        return self.run.ended_at is not None

    @property
    def for_ever(self) -> bool:
        """Whether only an event can move it on."""
        here = self.seen.plan.by_id.get(self.run.step or "")
        return self.rests and self.run.until is None and isinstance(here, WaitForStep)

    @property
    def under_way(self) -> bool:
        """Whether a message of the run is just being sent."""
        mine = (row for row in self.messages.values() if row.run_id == self.run.id)
        return any(row.state in _UNDER_WAY for row in mine)

    @property
    def rests(self) -> bool:
        """Whether the run waits for something, or somebody."""
        return not (self.ended or self.under_way or self.mail) and self.run.turn > 0

    def left(self, until: datetime) -> timedelta:
        """Real time until that moment of the journey; less than nothing where it is past."""
        return self.clock.to_machine(until) - self.machine


class Watching:
    """Looks at one lead's run of one journey, and at its clock."""

    def __init__(self, store: Store, journey: str, lead_id: str, where: ZoneInfo) -> None:
        self._store = store
        self._journey = journey
        self._lead_id = lead_id
        self._where = where
        self._told: Counter[Any] = Counter()

    def look(self) -> View | None:
        """The run as it is now; None while the lead is not in the journey."""
        machine = machine_clock()
        with self._store.read() as connection:
            rows = self._runs(connection)
            own = [row for row in rows if row.journey == self._journey]
            if not own:
                return None
            lead = load_lead(connection, self._lead_id)
            clock = open_house(connection).clock
            run = own[0]
            seen = Seen(load_plan(connection, run.plan_hash), load_state(connection, run), facts(lead))
            found = connection.execute(select(messages).where(messages.c.lead_id == self._lead_id)).all()
            return View(
                clock,
                machine,
                run,
                seen,
                tell(connection, lead, clock, self._where).entries,
                {row.id: row for row in found},
                has_mail(connection, run.id),
                all(row.turn for row in rows) and all(row.state not in _UNDER_WAY for row in found),
                min((row.until for row in rows if row.ended_at is None and row.until), default=None),
            )

    def news(self, view: View) -> Iterator[Entry]:
        """What has not been told before, in the order in which it happened."""
        counted: Counter[Any] = Counter()
        for entry in view.entries:
            key = (entry.at, entry.kind, entry.run, entry.text)
            counted[key] += 1
            if counted[key] > self._told[key]:
                self._told[key] += 1
                yield entry

    def go_on_at(self, rate: float) -> None:
        """Let journey time pass so many times as fast as everybody's."""
        self._set_clock(lambda clock, machine: clock.at_rate(rate, machine))

    def go_on_from(self, moment: datetime) -> None:
        """Let it be that moment (house time) now: nothing happened until then."""
        self._set_clock(lambda clock, machine: HouseClock(machine, moment, clock.rate))

    def _set_clock(self, change: Any) -> None:
        """With another clock the ends of waits are other moments of the machine's: the runs must look again."""
        with self._store.write() as connection:
            machine = machine_clock()
            set_clock(connection, change(open_house(connection).clock, machine))
            still_open = [row.id for row in self._runs(connection) if row.ended_at is None]
            want_wake(connection, still_open, machine)

    def _runs(self, connection: Connection) -> list[Row[Any]]:
        query = select(runs).where(runs.c.lead_id == self._lead_id).order_by(runs.c.started_at, runs.c.id)
        return list(connection.execute(query).all())


__all__ = ["View", "Watching"]
