"""How a lead's score follows from what happens to it, in the transaction that writes that.

Whoever calls has locked the lead. What a score comes to is reckoned from the points that are kept, so that it can
always be explained; the lead's columns say what it came to last.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.engine import effects
from dripline.engine.scoring import GONE, Given, Scored, awarded, fit_of, reckon, worth
from dripline.language.rules import Rules
from dripline.language.scoring import CHANGING, WARMTHS, Scoring
from dripline.store.events import Event
from dripline.store.leads import facts, load_lead
from dripline.store.rules import current_rules
from dripline.store.scores import (
    SCORED,
    end_points,
    give_points,
    keep_score,
    log_score,
    points_of,
    times_given,
)

BEFORE = "before"
"""Who gave the points that a lead had before it was scored."""
AGE = "age"
"""Why a score changed, where nothing happened but that time passed."""


def score_event(connection: Connection, rules: Rules, lead: Row[Any], event: Event) -> tuple[Event, ...]:
    """Give the points of an event that was just kept; what is to be told of it: of a historical one, nothing."""
    scoring = rules.scoring
    if scoring is None:
        return ()
    given = give_for(connection, scoring, lead, event, moment_of(event))
    if not given and event.name not in CHANGING and lead.warmth is not None:
        return ()
    why = max(given, key=lambda one: abs(one.points)).rule if given else event.name
    told = rescore(connection, scoring, lead, event.received_at, why, depth=event.depth)
    return () if event.historical else told


def moment_of(event: Event | Row[Any]) -> datetime:
    """From when an event's points count: a historical one's from when it happened, if that was before it came in."""
    at: datetime = event.received_at
    return min(event.occurred_at, at) if event.historical and event.occurred_at else at


def give_for(
    connection: Connection, scoring: Scoring, lead: Row[Any], event: Event, at: datetime
) -> list[Given]:
    """Keep the points that the event gives by the rules."""
    begin(connection, scoring, lead, at)
    seen = effects.Event(event.id, event.name, event.properties, event.received_at)

    def counted(rule: str, since: datetime) -> int:
        return times_given(connection, lead.id, rule, since)

    given = awarded(scoring, facts(lead), seen, at, counted)
    give_points(connection, [row_of(lead.id, one, event.id) for one in given])
    return given


def add_points(
    connection: Connection, lead: Row[Any], by: str, points: float, at: datetime, event_id: str
) -> bool:
    """Give points that do not age, as a journey does; False where leads are not scored."""
    scoring = current_rules(connection).scoring
    if scoring is None:
        return False
    begin(connection, scoring, lead, at)
    give_points(connection, [row_of(lead.id, Given(by, points, at), event_id)])
    return True


def set_score(
    connection: Connection, lead: Row[Any], by: str, score: float, at: datetime, event_id: str
) -> bool:
    """Let the score be that: what gave points until now counts no more. False where leads are not scored."""
    scoring = current_rules(connection).scoring
    if scoring is None:
        return False
    end_points(connection, lead.id, at)
    rest = score - fit_of(scoring, facts(lead), at)
    give_points(connection, [{**row_of(lead.id, Given(by, rest, at), event_id), "resets": True}])
    return True


def rescore(
    connection: Connection, scoring: Scoring, lead: Row[Any], at: datetime, why: str, depth: int = 0
) -> tuple[Event, ...]:
    """Reckon the lead's score anew, and keep what is different; the event that tells of another warmth, if it is."""
    begin(connection, scoring, lead, at)
    return keep_scored(connection, lead, reckoned(connection, scoring, lead, at), at, why, depth)


def keep_scored(
    connection: Connection, lead: Row[Any], scored: Scored, at: datetime, why: str, depth: int = 0
) -> tuple[Event, ...]:
    """Keep what is different of a lead's score; the event that tells of another warmth, if it is."""
    values = {
        "score": scored.score,
        "grade": scored.grade,
        "warmth": scored.warmth,
        "rescore_at": scored.until,
    }
    before = {name: getattr(lead, name) for name in SCORED}
    if values != before:
        keep_score(connection, lead.id, values)
    if any(values[name] != before[name] for name in ("score", "grade", "warmth")):
        log_score(connection, lead.id, at, values, why)
    return told_of(lead, before, values, at, depth)


def begin(connection: Connection, scoring: Scoring, lead: Row[Any], at: datetime) -> None:
    """Let a lead that is scored for the first time keep the score that it has."""
    if lead.warmth is None and lead.score and not points_of(connection, lead.id):
        rest = lead.score - fit_of(scoring, facts(lead), at)
        give_points(connection, [row_of(lead.id, Given(BEFORE, rest, at), None)])


def reckoned(connection: Connection, scoring: Scoring, lead: Row[Any], at: datetime) -> Scored:
    """What the lead's points come to; those that age has left nothing of count no more."""
    rows = points_of(connection, lead.id)
    given = [given_by(row) for row in rows]
    gone = [
        row.id
        for row, one in zip(rows, given, strict=True)
        if one.half_life is not None and abs(worth(one, at)) < GONE / 5
    ]
    if gone:
        end_points(connection, lead.id, at, gone)
    return reckon(scoring, given, facts(lead), at, lead.warmth)


def given_by(row: Row[Any]) -> Given:
    """The points that a row keeps."""
    return Given(row.rule, row.points, row.at, row.half_life)


def score_again(connection: Connection, lead_id: str, at: datetime, why: str) -> tuple[Event, ...]:
    """Reckon a lead's score anew by the rules that hold; what is to be told of it."""
    scoring = current_rules(connection).scoring
    lead = load_lead(connection, lead_id)
    if scoring is None:
        return ()
    return rescore(connection, scoring, lead, at, why)


def told_of(
    lead: Row[Any], before: Mapping[str, Any], values: Mapping[str, Any], at: datetime, depth: int
) -> tuple[Event, ...]:
    """The event that tells that the lead is as warm as these values say, if it was not."""
    old, new = before["warmth"] or "cold", values["warmth"]
    if old == new:
        return ()
    name = "lead.warmed" if WARMTHS.index(new) > WARMTHS.index(old) else "lead.cooled"
    said = {"before": old, "after": new, "score": values["score"], "grade": values["grade"]}
    properties = {key: value for key, value in said.items() if value is not None}
    event_id = f"{lead.id}.{new}.{at.isoformat()}"
    return (Event(event_id, lead.id, name, properties, at, depth=depth),)


def row_of(lead_id: str, given: Given, event_id: str | None) -> dict[str, Any]:
    """The points as the store keeps them."""
    return {
        "lead_id": lead_id,
        "rule": given.rule,
        "points": given.points,
        "half_life": given.half_life,
        "at": given.at,
        "event_id": event_id,
    }


__all__ = [
    "add_points",
    "keep_scored",
    "moment_of",
    "reckoned",
    "rescore",
    "score_again",
    "score_event",
    "set_score",
]
