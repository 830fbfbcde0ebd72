"""Why a lead's score is what it is: every rule with what it gives now, how it went, and when the lead will cool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row

from dripline.engine.scoring import Given, cools_at, fit_of, reckon, standing, worth
from dripline.ingest.scoring.following import BEFORE, given_by
from dripline.language.scoring import Scoring, Warmth
from dripline.store.leads import facts
from dripline.store.rules import current_rules
from dripline.store.scores import points_of, score_history

Kind = Literal["event", "fact", "given"]
"""What a lead does, what it is, and what journeys and people gave it."""

_GIVERS = {
    "api": "set over the API",
    "import": "set by an import",
    "form": "set by a form",
    BEFORE: "what it had before it was scored",
}


@dataclass(frozen=True)
class Reason:
    """What a rule, or somebody, gives to the score now."""

    rule: str
    kind: Kind
    times: int
    points: float
    """As they were given, all together."""
    worth: float
    """What they come to now."""
    last_at: datetime | None = None
    half_life: float | None = None
    """Seconds; None: they do not age."""


@dataclass(frozen=True)
class Change:
    """How the score was from a moment on, and because of what."""

    at: datetime
    score: float
    grade: str | None
    warmth: str | None
    why: str


@dataclass(frozen=True)
class Explained:
    """A lead's score now, and everything that it is made of. The greatest reasons come first."""

    score: float
    grade: str | None
    warmth: Warmth
    fit: float
    """The points of what the lead is: they make its grade."""
    warm: float
    hot: float
    cools_at: datetime | None
    """When it is less warm, if nothing more happens."""
    grades: tuple[tuple[str, float], ...]
    reasons: tuple[Reason, ...]
    history: tuple[Change, ...]
    """Oldest first."""


def explain_score(connection: Connection, lead: Row[Any], now: datetime) -> Explained | None:
    """Why the lead's score is what it is; None where leads are not scored."""
    scoring = current_rules(connection).scoring
    if scoring is None:
        return None
    given = [given_by(row) for row in points_of(connection, lead.id)]
    known = facts(lead)
    if lead.warmth is None and lead.score and not given:  # not scored yet: it keeps what it has
        given = [Given(BEFORE, lead.score - fit_of(scoring, known, now), lead.updated_at)]
    scored = reckon(scoring, given, known, now, lead.warmth)
    went = [
        Change(row.at, row.score, row.grade, row.warmth, row.why)
        for row in score_history(connection, lead.id)
    ]
    return Explained(
        score=scored.score,
        grade=scored.grade,
        warmth=scored.warmth,
        fit=scored.fit,
        warm=scoring.warm,
        hot=scoring.hot,
        cools_at=cools_at(scoring, given, scored.fit, now, scored.warmth),
        grades=scoring.grades,
        reasons=tuple(_reasons(scoring, given, known, now)),
        history=tuple(went),
    )


def say_rule(rule: str) -> str:
    """A rule, or who else gave points, in words."""
    if rule.startswith("journey:"):
        return f"journey {rule.removeprefix('journey:')}"
    return _GIVERS.get(rule, rule)


def _reasons(scoring: Scoring, given: Sequence[Given], lead: dict[str, Any], now: datetime) -> list[Reason]:
    by_rule: dict[str, list[Given]] = {}
    for one in given:
        by_rule.setdefault(one.rule, []).append(one)
    found = [
        Reason(
            rule,
            "event" if rule in _rules(scoring) else "given",
            len(those),
            round(sum(one.points for one in those), 2),
            round(sum(worth(one, now) for one in those), 2),
            max(one.at for one in those),
            those[-1].half_life,
        )
        for rule, those in by_rule.items()
    ]
    found += [Reason(rule.name, "fact", 1, rule.points, rule.points) for rule in standing(scoring, lead, now)]
    return sorted(found, key=lambda one: (-abs(one.worth), one.rule))


def _rules(scoring: Scoring) -> set[str]:
    return {rule.name for rule in scoring.rules}


__all__ = ["Change", "Explained", "Reason", "explain_score", "say_rule"]
