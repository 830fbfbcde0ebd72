"""Points that leads were given, and how their scores went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select, update

from dripline.store.schema import leads, score_changes, score_points

SCORED = ("score", "grade", "warmth", "rescore_at")
"""The columns of a lead that scoring writes."""

_POINTS = (
    select(score_points)
    .where(score_points.c.lead_id == bindparam("lead"), score_points.c.ended_at.is_(None))
    .order_by(score_points.c.at, score_points.c.id)
)


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


def forget_points(connection: Connection, lead_id: str, rules_only: Sequence[str]) -> None:
    """Delete the points that rules gave, but not those of these givers."""
    table = score_points
    outside = table.c.rule.in_(rules_only) | table.c.rule.like("journey:%")
    connection.execute(delete(table).where(table.c.lead_id == lead_id, ~outside))


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
    "due_scores",
    "end_points",
    "forget_points",
    "give_points",
    "keep_score",
    "living_after",
    "log_score",
    "points_of",
    "score_history",
    "times_given",
]
