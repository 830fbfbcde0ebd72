"""Scoring: what an event is worth, what points are worth when they are old, and when a lead is warm.

Pure: the store and the simulator keep the points, and ask here what they come to. Points of events halve with every
half-life of their rule; those of rules without an event stand while their condition holds; what journeys and
colleagues gave does not age.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dripline.engine.calendar import zone_of
from dripline.engine.effects import Event
from dripline.engine.scope import lead_scope
from dripline.language.expressions import EvaluationError, compile_expression, revive
from dripline.language.scoring import DAY, LOWEST_GRADE, WARMTHS, ScoreRule, Scoring, Warmth

GONE = 0.05
"""Ageing points that come to less than this count nothing."""
STEP, SHARE = 0.5, 0.1
"""By how much, in points and as a share, age may have changed a score before it is reckoned anew."""
_LOOKS = 96
"""Moments between now and never at which the future is looked into."""


@dataclass(frozen=True)
class Given:
    """Points that a lead was given, and when."""

    rule: str
    points: float
    at: datetime
    half_life: float | None = None
    """In seconds; None: they do not age."""


@dataclass(frozen=True)
class Scored:
    """What a lead's points come to at a moment."""

    score: float
    fit: float
    """Of it, what stands while conditions hold: by it the grade is given."""
    grade: str | None
    warmth: Warmth
    until: datetime | None
    """When age alone changes it so far that it is to be reckoned anew; None: never."""


Counted = Callable[[str, datetime], int]
"""How often a rule has given points since a moment."""


def awarded(
    scoring: Scoring, lead: Mapping[str, Any], event: Event, at: datetime, counted: Counted
) -> list[Given]:
    """The points that the event gives. A condition that cannot be evaluated does not hold."""
    found = []
    for rule in scoring.by_event.get(event.name, ()):
        said = revive(event.properties, scoring.event_times.get(event.name, {}))
        if not _holds(scoring, rule, lead, at, {**said, "name": event.name}):
            continue
        if rule.most is not None and rule.per is not None:
            since = at - timedelta(seconds=min(rule.per, 36_525 * DAY))
            if counted(rule.name, since) >= rule.most:
                continue
        found.append(Given(rule.name, rule.points, at, rule.half_life))
    return found


def standing(scoring: Scoring, lead: Mapping[str, Any], now: datetime) -> list[ScoreRule]:
    """The rules without an event whose condition holds."""
    return [rule for rule in scoring.standing if _holds(scoring, rule, lead, now, {})]


def fit_of(scoring: Scoring, lead: Mapping[str, Any], now: datetime) -> float:
    """The points of the rules without an event."""
    return sum(rule.points for rule in standing(scoring, lead, now))


def worth(given: Given, now: datetime) -> float:
    """What points are worth now."""
    if given.half_life is None:
        return given.points
    return given.points * _left(max(0.0, (now - given.at).total_seconds()), given.half_life)


def reckon(
    scoring: Scoring, given: Sequence[Given], lead: Mapping[str, Any], now: datetime, before: str | None
) -> Scored:
    """What the points come to now, for a lead that was so warm until now (None: not known)."""
    fit = fit_of(scoring, lead, now)
    lasting, ageing = _by_age(given, fit, now)
    score = _total(lasting, ageing, 0.0)
    warmth = warmth_of(scoring, score, before)
    wait = _until(scoring, lasting, ageing, score, warmth)
    until = None if wait is None else now + timedelta(seconds=wait)
    return Scored(score, round(fit, 2), grade_of(scoring, fit), warmth, until)


def warmth_of(scoring: Scoring, score: float, before: str | None) -> Warmth:
    """How warm that score makes a lead that was `before`.

    It warms at a threshold, and cools only when the score has fallen below it by the margin: so no lead flutters.
    """
    if score >= scoring.hot or (before == "hot" and score > scoring.floor("hot")):
        return "hot"
    if score >= scoring.warm or (before in ("hot", "warm") and score > scoring.floor("warm")):
        return "warm"
    return "cold"


def grade_of(scoring: Scoring, fit: float) -> str | None:
    """The grade for so many points of rules without an event; None where the workspace names no grades."""
    if not scoring.grades:
        return None
    return next((grade for grade, least in scoring.grades if fit >= least), LOWEST_GRADE)


def cools_at(
    scoring: Scoring, given: Sequence[Given], fit: float, now: datetime, warmth: Warmth
) -> datetime | None:
    """When a lead that does nothing more is no longer so warm; None: it stays, or it is cold."""
    if warmth == "cold":
        return None
    lasting, ageing = _by_age(given, fit, now)

    def cooled(after: float) -> bool:
        then = warmth_of(scoring, _total(lasting, ageing, after), warmth)
        return WARMTHS.index(then) < WARMTHS.index(warmth)

    wait = _first(cooled, ageing)
    return None if wait is None else now + timedelta(seconds=wait)


def _by_age(given: Sequence[Given], fit: float, now: datetime) -> tuple[float, dict[float, float]]:
    """The points that do not age, and those that do: by half-life, what they are worth now."""
    lasting, ageing = fit, dict[float, float]()
    for one in given:
        if one.half_life is None:
            lasting += one.points
        else:
            ageing[one.half_life] = ageing.get(one.half_life, 0.0) + worth(one, now)
    return lasting, ageing


def _holds(
    scoring: Scoring, rule: ScoreRule, lead: Mapping[str, Any], now: datetime, event: Mapping[str, Any]
) -> bool:
    if rule.when is None:
        return True
    where = zone_of(lead.get("timezone"), lead.get("country"), scoring.timezone)
    local = now.astimezone(where)
    known = lead_scope(lead, scoring.attribute_times)
    try:
        return compile_expression(rule.when).holds(
            {"lead": known, "event": event, "now": local, "today": local.date()}
        )
    except EvaluationError:
        return False


def _left(age: float, half_life: float) -> float:
    return float(2.0 ** (-age / half_life))


def _total(lasting: float, ageing: Mapping[float, float], after: float) -> float:
    """What the points come to so many seconds from now."""
    old = sum(points * _left(after, half_life) for half_life, points in ageing.items())
    return round(lasting + (old if abs(old) >= GONE else 0.0), 2)


def _until(
    scoring: Scoring, lasting: float, ageing: Mapping[float, float], score: float, warmth: Warmth
) -> float | None:
    """In how many seconds the score is to be reckoned anew."""
    step = max(STEP, abs(score) * SHARE)
    end = round(lasting, 2)

    def changed(after: float) -> bool:
        total = _total(lasting, ageing, after)
        is_other = warmth_of(scoring, total, warmth) != warmth
        return is_other or abs(total - score) >= step or (total == end != score)

    return _first(changed, ageing)


def _first(changed: Callable[[float], bool], ageing: Mapping[float, float]) -> float | None:
    """The first whole second at which it holds, among moments ever farther apart; None where it never does."""
    before = 0.0
    for moment in _moments(ageing):
        if changed(moment):
            while moment - before > 1.0:
                middle = (before + moment) / 2
                before, moment = (before, middle) if changed(middle) else (middle, moment)  # noqa: PLW2901
            return float(max(1, -int(-moment // 1)))
        before = moment
    return None


def _moments(ageing: Mapping[float, float]) -> Iterator[float]:
    if not any(ageing.values()):
        return
    shortest, longest = min(ageing), max(ageing)
    most = max(1.0, sum(abs(points) for points in ageing.values()))
    end = longest * _halvings(most / GONE)
    first = shortest / 64
    for look in range(_LOOKS + 1):
        yield first * (end / first) ** (look / _LOOKS)


def _halvings(times: float) -> int:
    """How often a number so many times too large must be halved."""
    return len(bin(int(times))) + 1


__all__ = [
    "Given",
    "Scored",
    "awarded",
    "cools_at",
    "fit_of",
    "grade_of",
    "reckon",
    "standing",
    "warmth_of",
    "worth",
]
