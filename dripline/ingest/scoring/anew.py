"""Scoring every lead anew by rules that were changed: what that would change, and doing it.

The points of rules are given again, out of the events that are kept, with the lead as it is known now; what journeys
and colleagues gave stays. Half-way, some leads are scored by the old rules: done again, it comes to the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.engine import effects
from dripline.engine.scoring import Given, Scored, awarded, fit_of, reckon
from dripline.ingest.recording import record
from dripline.ingest.scoring.following import BEFORE, begin, given_by, keep_scored, moment_of, row_of
from dripline.language.scoring import Scoring
from dripline.store.database import Store, lock_lead
from dripline.store.leads import facts, load_lead
from dripline.store.scores import (
    events_for_points,
    forget_points,
    give_points,
    givers_points,
    living_after,
)

AT_ONCE = 200
"""Leads that are looked at in one view of the store."""
RULES_CHANGED = "rules"
"""Why a score changed, where nothing but its rules did."""


@dataclass
class Difference:
    """What scoring anew changes. Warmth and grades are counted as pairs of before and after."""

    leads: int = 0
    scores: int = 0
    """Leads whose score is another one, by a point at least."""
    warmth: Counter[tuple[str, str]] = field(default_factory=Counter)
    grades: Counter[tuple[str, str]] = field(default_factory=Counter)

    def count(self, lead: Row[Any], scored: Scored) -> None:
        """Take a lead into account."""
        self.leads += 1
        self.scores += abs(scored.score - (lead.score or 0)) >= 1
        before, after = lead.warmth or "cold", scored.warmth
        if before != after:
            self.warmth[before, after] += 1
        if lead.grade != scored.grade:
            self.grades[lead.grade or "none", scored.grade or "none"] += 1


def plan_anew(store: Store, scoring: Scoring, now: datetime) -> Iterator[Difference]:
    """What the rules would change, ever more of it, as more leads are looked at. Nothing is written."""
    found, after = Difference(), ""
    while True:
        with store.read() as connection:
            ids = living_after(connection, after, AT_ONCE)
            for lead_id in ids:
                lead = load_lead(connection, lead_id)
                scored, _ = again(connection, scoring, lead, now)
                found.count(lead, scored)
        if not ids:
            return
        after = ids[-1]
        yield found


def score_lead_anew(
    connection: Connection,
    scoring: Scoring,
    lead_id: str,
    now: datetime,
    machine_now: datetime,
    *,
    tell: bool,
) -> tuple[Row[Any], Scored] | None:
    """Score one lead anew in the caller's transaction: as it was, and what it is. None where it is gone by now."""
    lead = lock_lead(connection, lead_id)
    if lead is None or lead.merged_into is not None or lead.erased_at is not None:
        return None
    begin(connection, scoring, lead, now)
    scored, given = again(connection, scoring, lead, now)
    forget_points(connection, lead_id)
    give_points(connection, [row_of(lead_id, one, event_id) for one, event_id in given])
    told = keep_scored(connection, lead, scored, now, RULES_CHANGED)
    for event in told if tell else ():
        record(connection, event, machine_now)
    return lead, scored


def again(
    connection: Connection, scoring: Scoring, lead: Row[Any], now: datetime
) -> tuple[Scored, list[tuple[Given, str]]]:
    """What the lead's score comes to by these rules, and the points that they give, each with its event."""
    outside = givers_points(connection, lead.id)
    since = max((row.at for row in outside if row.resets), default=None)
    known = facts(lead)
    found: list[tuple[Given, str]] = []

    def counted(rule: str, after: datetime) -> int:
        return sum(one.rule == rule and one.at > after for one, _ in found)

    for event in events_for_points(connection, lead.id, list(scoring.by_event), since):
        at = moment_of(event)
        seen = effects.Event(event.id, event.name, event.properties, event.received_at)
        found += [(one, event.id) for one in awarded(scoring, known, seen, at, counted)]
    given = [one for one, _ in found] + [given_by(row) for row in outside if row.ended_at is None]
    if not outside and lead.warmth is None and lead.score:
        given.append(Given(BEFORE, lead.score - fit_of(scoring, known, now), now))
    return reckon(scoring, given, known, now, lead.warmth), found


__all__ = ["Difference", "again", "plan_anew", "score_lead_anew"]
