"""Points that leads were given, and how their scores went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from dripline.language.scoring import GIVEN_BY
from dripline.store.schema import events, leads, score_changes, score_points

SCORED = ("score", "grade", "warmth", "rescore_at")
"""The columns of a lead that scoring writes."""

_POINTS = (
    select(score_points)
    .where(score_points.c.lead_id == bindparam("lead"), score_points.c.ended_at.is_(None))
    .order_by(score_points.c.at, score_points.c.id)
)


_OUTSIDE = score_points.c.rule.in_(GIVEN_BY) | score_points.c.rule.like("journey:%")
"""Points that no rule of the workspace gave."""


def points_of(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """The points of a lead that still count, oldest first."""
    return list(connection.execute(_POINTS, {"lead": lead_id}))


def times_given(connection: Connection, lead_id: str, rule: str, since: datetime) -> int:
    """How often the rule has given the lead points after that moment."""
    table = score_points.c
    query = select(func.count()).where(table.lead_id == lead_id, table.rule == rule, table.at > since)
    return connection.execute(query).scalar_one()


def give_points(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep points: each row has `lead_id`, `rule`, `points`, `half_life`, `at` and `event_id`."""
    if rows:
        connection.execute(insert(score_points), list(rows))


def end_points(connection: Connection, lead_id: str, at: datetime, ids: Sequence[int] | None = None) -> None:
    """Let points count nothing from then on: these, or all that the lead has."""
    statement = update(score_points).where(
        score_points.c.lead_id == lead_id, score_points.c.ended_at.is_(None)
    )
    if ids is not None:
        statement = statement.where(score_points.c.id.in_(ids))
    connection.execute(statement.values(ended_at=at))


def forget_points(connection: Connection, lead_id: str) -> None:
    """Delete the points that rules gave: what journeys and colleagues gave stays."""
    connection.execute(delete(score_points).where(score_points.c.lead_id == lead_id, ~_OUTSIDE))


def givers_points(connection: Connection, lead_id: str) -> list[Row[Any]]:
    """The points that no rule gave, those too that count no more."""
    query = select(score_points).where(score_points.c.lead_id == lead_id, _OUTSIDE)
    return list(connection.execute(query.order_by(score_points.c.at, score_points.c.id)))


def events_for_points(
    connection: Connection, lead_id: str, names: Sequence[str], since: datetime | None
) -> list[Row[Any]]:
    """The lead's events of these names after that moment, oldest first."""
    query = select(events).where(events.c.lead_id == lead_id, events.c.name.in_(names))
    if since is not None:
        query = query.where(events.c.received_at > since)
    return list(connection.execute(query.order_by(events.c.received_at, events.c.seq)))


def keep_score(connection: Connection, lead_id: str, values: Mapping[str, Any]) -> None:
    """Write what scoring says of a lead; it counts as no change of what is known of the lead. Lock it first."""
    connection.execute(update(leads).where(leads.c.id == lead_id).values(**values))


def log_score(
    connection: Connection, lead_id: str, at: datetime, values: Mapping[str, Any], why: str
) -> None:
    """Keep how the score is from then on, and because of what."""
    said = {name: values[name] for name in ("score", "grade", "warmth")}
    connection.execute(insert(score_changes).values(lead_id=lead_id, at=at, why=why[:128], **said))


def score_history(connection: Connection, lead_id: str, limit: int = 1_000) -> list[Row[Any]]:
    """How the lead's score went, oldest first; the last changes, where there are more."""
    table = score_changes
    query = select(table).where(table.c.lead_id == lead_id).order_by(table.c.at.desc(), table.c.id.desc())
    return list(connection.execute(query.limit(limit)))[::-1]


def count_scores(connection: Connection) -> list[Row[Any]]:
    """How many leads there are of each warmth and grade: `warmth`, `grade`, `leads`."""
    query = (
        select(leads.c.warmth, leads.c.grade, func.count().label("leads"))
        .where(leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))
        .group_by(leads.c.warmth, leads.c.grade)
    )
    return list(connection.execute(query))


def due_scores(connection: Connection, now: datetime, limit: int) -> list[str]:
    """The leads whose scores are to be reckoned anew by now, the longest due first."""
    query = (
        select(leads.c.id)
        .where(leads.c.rescore_at.is_not(None), leads.c.rescore_at <= now, leads.c.merged_into.is_(None))
        .order_by(leads.c.rescore_at)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def living_after(connection: Connection, after: str, limit: int) -> list[str]:
    """The next leads, in the order of their ids, that are neither erased nor merged into others."""
    query = (
        select(leads.c.id)
        .where(leads.c.id > after, leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))
        .order_by(leads.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


__all__ = [
    "SCORED",
    "count_scores",
    "due_scores",
    "end_points",
    "events_for_points",
    "forget_points",
    "give_points",
    "givers_points",
    "keep_score",
    "living_after",
    "log_score",
    "points_of",
    "score_history",
    "times_given",
]
