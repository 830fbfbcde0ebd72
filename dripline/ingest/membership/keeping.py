"""Segments kept current by the clock: who enters or leaves by nothing but time, new segments, the daily ranking.

What leads do is followed at once (`following.py`). Everybody is looked at anew once a day, and once an hour where a
segment goes by the clock; one look goes on where the last one had to stop.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import select

from dripline.clock import MachineClock, machine_clock
from dripline.engine.calendar import zone
from dripline.ingest.membership.facts import Crowd
from dripline.ingest.membership.moving import Moved, at_a_moment, judge, move
from dripline.ingest.membership.ranking import rank, write_ranks
from dripline.ingest.recording import record
from dripline.language.membership import SegmentRules
from dripline.language.rules import Rules
from dripline.store.database import Store, lock_lead
from dripline.store.house import open_house
from dripline.store.rules import current_rules
from dripline.store.schema import leads
from dripline.store.segments import (
    RANKING,
    ROUND,
    State,
    drop_segment,
    known_segments,
    load_states,
    put,
    save_state,
)

BATCH = 500
"""Leads that are looked at with one set of queries."""
QUIETLY = 100
"""Leads that are written in one transaction, where nobody is told."""
BUDGET = 5.0
"""Seconds after which the rest is left to the next sweep."""
BY_THE_CLOCK = timedelta(hours=1)
"""How often (house time) everybody is looked at where a segment goes by the clock."""
DAILY = timedelta(days=1)
"""How often otherwise: what nobody was told of is found then."""
_LIVING = (leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))


@dataclass
class SegmentKeeper:
    """Looks at leads anew when it is time."""

    store: Store
    clock: MachineClock = machine_clock
    budget: float = BUDGET

    def keep(self) -> int:
        """One bounded look; how many leads entered or left a segment, or were ranked anew."""
        give_up = time.monotonic() + self.budget
        with self.store.read() as connection:
            rules, states = current_rules(connection), load_states(connection)
        if rules.segments is None:
            self._drop(states)
            return 0
        return self._rank(rules, states, give_up) + self._pass(rules.segments, states, give_up)

    def _now(self) -> datetime:
        with self.store.read() as connection:
            return open_house(connection).clock.to_house(self.clock())

    def _drop(self, names: Collection[str]) -> None:
        if names:
            with self.store.write() as connection:
                for name in names:
                    drop_segment(connection, name)

    def _rank(self, rules: Rules, states: dict[str, State], give_up: float) -> int:
        """Rank everybody who bought, once a day of the workspace's."""
        segments = rules.segments
        if segments is None or segments.rfm is None:
            return 0
        now, state = self._now(), states.get(RANKING)
        digest, where = segments.ranking_digest, zone(rules.timezone)
        last = state.computed_at if state and state.digest == digest else None
        if last is not None and last.astimezone(where).date() >= now.astimezone(where).date():
            return 0
        with self.store.read() as connection:
            ranking = rank(connection, segments.rfm, rules.timezone, rules.currency, now)
        number = 0
        for written in write_ranks(self.store, ranking, give_up):
            number += len(written)
            if any(name in states and states[name].computed_at for name in segments.by_rfm):
                self._look(segments, written, now)  # else the look at everybody comes to them
        if number == len(ranking.changed):
            with self.store.write() as connection:
                save_state(connection, RANKING, State(digest, now))
        return number

    def is_done(self) -> bool:
        """Whether everybody was looked at since the rules are what they are."""
        with self.store.read() as connection:
            segments, states = current_rules(connection).segments, load_states(connection)
        if segments is None:
            return True
        ranked = segments.rfm is None or RANKING in states
        known = {name for name, state in states.items() if state.computed_at}
        state = states.get(ROUND)
        return ranked and segments.segments.keys() <= known and (state is None or state.reached is None)

    def _pass(self, rules: SegmentRules, states: dict[str, State], give_up: float) -> int:
        """Look at everybody, where it is time, or goes on from the last sweep."""
        now = self._now()
        state = self._begin(rules, states, now)
        if state is None:
            return 0
        number, reached = 0, state.reached or ""
        while True:
            with self.store.read() as connection:
                query = select(leads.c.id).where(leads.c.id > reached, *_LIVING)
                ids = list(connection.execute(query.order_by(leads.c.id).limit(BATCH)).scalars())
            number += self._look(rules, ids, now)
            if len(ids) < BATCH:
                self._end(rules, state, now)
                return number
            reached = ids[-1]
            if time.monotonic() > give_up:
                with self.store.write() as connection:
                    save_state(connection, ROUND, replace(state, reached=reached))
                return number

    def _begin(self, rules: SegmentRules, states: dict[str, State], now: datetime) -> State | None:
        """The look that is under way, or one that begins; None where it is not time."""
        gone = [name for name in states if name not in (*rules.segments, ROUND, RANKING)]
        self._drop(gone if rules.segments else [*gone, *(states.keys() & {ROUND})])
        new = {
            name: State(digest)
            for name, digest in rules.digests.items()
            if name not in states or states[name].digest != digest
        }
        state = states.get(ROUND)
        if state is not None and state.digest == rules.digest:
            if state.reached is not None:
                return state
            every = BY_THE_CLOCK if rules.by_the_clock else DAILY
            if state.computed_at is not None and now - state.computed_at < every:
                return None
        if not rules.segments:
            return None
        state = State(rules.digest, now, "")
        with self.store.write() as connection:
            for name, one in {**new, ROUND: state}.items():
                save_state(connection, name, one)
        return state

    def _end(self, rules: SegmentRules, state: State, now: datetime) -> None:
        """Everybody was looked at: from now on journeys are told of the segments that were new."""
        with self.store.write() as connection:
            states = load_states(connection)
            for name, digest in rules.digests.items():
                if name in states and states[name] == State(digest):
                    save_state(connection, name, State(digest, now))
            save_state(connection, ROUND, replace(state, reached=None))

    def _look(self, rules: SegmentRules, ids: Sequence[str], now: datetime) -> int:
        """Look at these leads; how many of them entered or left a segment."""
        with self.store.read() as connection:
            rows = connection.execute(select(leads).where(leads.c.id.in_(ids)).order_by(leads.c.id)).all()
            moved = _changes(judge(Crowd(connection, rules, now, rows), rules.segments))
            known = known_segments(connection, rules.digests)
        quiet = [lead_id for lead_id, one in moved.items() if one.touches.isdisjoint(known)]
        for start in range(0, len(quiet), QUIETLY):
            self._write(rules, quiet[start : start + QUIETLY], known, now)
        for lead_id in moved.keys() - set(quiet):
            self._move(rules, lead_id, now)
        return len(moved)

    def _write(self, rules: SegmentRules, ids: Sequence[str], known: Collection[str], now: datetime) -> None:
        """Write where leads are of whom nobody is told, many at once; those that are locked another time."""
        with self.store.write() as connection:
            living = select(leads).where(leads.c.id.in_(ids), *_LIVING).order_by(leads.c.id)
            rows = connection.execute(living.with_for_update(skip_locked=True)).all()
            moved = _changes(judge(Crowd(connection, rules, now, rows), rules.segments))
            quiet = {lead: one.names for lead, one in moved.items() if one.touches.isdisjoint(known)}
            put(connection, quiet, now)

    def _move(self, rules: SegmentRules, lead_id: str, now: datetime) -> None:
        """Let one lead enter and leave, and tell of it."""
        with self.store.write() as connection:
            lead = lock_lead(connection, lead_id)
            if lead is None or lead.merged_into or lead.erased_at:
                return
            moved = judge(Crowd(connection, rules, now, [lead]), rules.segments)[lead_id]
            if moved:
                for event in move(connection, lead, rules, moved, at_a_moment(lead_id, now)):
                    record(connection, event, self.clock())


def _changes(judged: Mapping[str, Moved]) -> dict[str, Moved]:
    return {lead_id: moved for lead_id, moved in judged.items() if moved}


__all__ = ["BATCH", "SegmentKeeper"]
