"""What surveys came to: how many were asked, how many answered what, all together and told apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Row, func, select

from dripline.engine.statistics.opinions import Opinions, net_interval
from dripline.engine.statistics.proportions import Counted, share_interval
from dripline.language.surveys.answers import group_of
from dripline.store.schema import messages, survey_asks

By = Literal[
    "month", "week", "journey", "via", "stage", "warmth", "grade", "locale", "country", "owner", "segment"
]
"""By what results are told apart; of the lead, as it was when it was asked."""

WAYS: tuple[By, ...] = get_args(By)
NOTHING = "–"
"""In the place of what is not known of a lead."""

_ASKS = survey_asks.c
_CHUNK = 1_000


@dataclass
class Tally:
    """How many were asked, and what they said."""

    kind: str
    asked: int = 0
    """By messages that left."""
    replied: int = 0
    """Of those."""
    answers: Counter[str] = field(default_factory=Counter)
    """All answers, also of those whom nobody asked."""
    points: float = 0.0
    commented: int = 0

    @property
    def answered(self) -> int:
        """How many answers there are."""
        return self.answers.total()

    @property
    def rate(self) -> float | None:
        """The share of those asked who answered; None where nobody was."""
        return self.replied / self.asked if self.asked else None

    @property
    def groups(self) -> dict[str, int]:
        """How many promoters, passives and detractors, or satisfied, neutral and dissatisfied."""
        names = {
            "nps": ("promoter", "passive", "detractor"),
            "csat": ("satisfied", "neutral", "dissatisfied"),
        }
        found = dict.fromkeys(names.get(self.kind, ()), 0)
        for answer, number in self.answers.items():
            group = group_of(self.kind, float(answer)) if found else None
            if group is not None:
                found[group] += number
        return found

    @property
    def score(self) -> float | None:
        """NPS from -100 to 100; of satisfaction, the percentage of 4 and 5; of a quiz, the mean percentage right."""
        if not self.answered or self.kind == "reasons":
            return None
        if self.kind == "nps":
            return round(100 * self._opinions.net, 1)
        if self.kind == "csat":
            return round(100 * self.groups["satisfied"] / self.answered, 1)
        return round(self.points / self.answered, 1)

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the true score lies in 95 of 100 cases, for NPS and satisfaction."""
        if not self.answered or self.kind not in ("nps", "csat"):
            return None
        if self.kind == "nps":
            found = net_interval(self._opinions)
        else:
            found = share_interval(Counted(self.groups["satisfied"], self.answered))
        return round(100 * found.low, 1), round(100 * found.high, 1)

    @property
    def mean(self) -> float | None:
        """The mean of the numbers, where they are numbers."""
        return round(self.points / self.answered, 2) if self.answered and self.kind != "reasons" else None

    @property
    def _opinions(self) -> Opinions:
        groups = self.groups
        return Opinions(groups["promoter"], groups["passive"], groups["detractor"])


@dataclass(frozen=True)
class Results:
    """What a survey came to."""

    survey: str
    kind: str
    total: Tally
    apart: Mapping[str, Tally]
    """By what they are told apart by, in order; empty where they are not."""


def read_results(
    connection: Connection,
    survey: str,
    kind: str,
    by: By | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    where: tzinfo | None = None,
) -> Results:
    """What became of all that was asked from `since` to before `until`. Months and weeks are of the zone `where`."""
    total, apart = Tally(kind), dict[str, Tally]()
    for row in _rows(connection, survey, kind, since, until):
        for tally in (total, *(apart.setdefault(name, Tally(kind)) for name in _names(row, by, where))):
            tally.asked += row.accepted_at is not None
            if row.answered_at is not None:
                tally.replied += row.accepted_at is not None
                tally.answers[row.answer] += 1
                tally.points += row.score or 0.0
                tally.commented += row.comment
    return Results(survey, kind, total, dict(sorted(apart.items(), key=lambda one: _order(one, by))))


def read_totals(connection: Connection) -> list[Results]:
    """The same of everything that was ever asked, by survey and kind, counted by the database."""
    is_answered = _ASKS.answered_at.is_not(None).label("is_answered")
    counts = (
        func.count().label("number"),
        func.count(messages.c.accepted_at).label("left"),
        func.coalesce(func.sum(_ASKS.score), 0.0).label("points"),
        func.count(_ASKS.comment).label("commented"),
    )
    query = select(_ASKS.survey, _ASKS.kind, _ASKS.answer, is_answered, *counts)
    query = query.outerjoin(messages, messages.c.id == _ASKS.id)
    query = query.group_by(_ASKS.survey, _ASKS.kind, _ASKS.answer, is_answered)
    found: dict[tuple[str, str], Tally] = {}
    for row in connection.execute(query):
        tally = found.setdefault((row.survey, row.kind), Tally(row.kind))
        tally.asked += row.left
        if row.is_answered:
            tally.replied += row.left
            tally.answers[row.answer] += row.number
            tally.points += row.points
            tally.commented += row.commented
    return [Results(survey, kind, total, {}) for (survey, kind), total in sorted(found.items(), key=_named)]


def _named(one: tuple[tuple[str, str], Tally]) -> tuple[str, str]:
    return one[0]


def _rows(
    connection: Connection, survey: str, kind: str, since: datetime | None, until: datetime | None
) -> Iterator[Row[Any]]:
    columns = (
        _ASKS.asked_at,
        _ASKS.answered_at,
        _ASKS.answer,
        _ASKS.score,
        _ASKS.about,
        _ASKS.journey,
        _ASKS.via,
    )
    query = (
        select(*columns, _ASKS.comment.is_not(None).label("comment"), messages.c.accepted_at)
        .outerjoin(messages, messages.c.id == _ASKS.id)
        .where(_ASKS.survey == survey, _ASKS.kind == kind)
    )
    if since is not None:
        query = query.where(_ASKS.asked_at >= since)
    if until is not None:
        query = query.where(_ASKS.asked_at < until)
    yield from connection.execute(query.execution_options(yield_per=_CHUNK))


def _names(row: Row[Any], by: By | None, where: tzinfo | None) -> list[str]:
    if by is None:
        return []
    if by == "month" or by == "week":
        local = row.asked_at.astimezone(where)
        year, week, _ = local.isocalendar()
        return [f"{local:%Y-%m}" if by == "month" else f"{year}-W{week:02}"]
    if by == "journey" or by == "via":
        return [getattr(row, by) or NOTHING]
    about = row.about or {}
    if by == "segment":
        return [str(name) for name in about.get("segments", ())] or [NOTHING]
    return [str(about.get(by) or NOTHING)]


def _order(one: tuple[str, Tally], by: By | None) -> tuple[Any, ...]:
    """Times in their order, everything else by how many answered."""
    return (one[0],) if by in ("month", "week") else (-one[1].answered, one[0])


def counted(connection: Connection) -> dict[str, tuple[str, int, int]]:
    """By survey that was ever asked or answered: its kind, how often it was asked, how often answered."""
    query = select(_ASKS.survey, _ASKS.kind, func.count(), func.count(_ASKS.answered_at))
    rows = connection.execute(query.group_by(_ASKS.survey, _ASKS.kind).order_by(_ASKS.survey)).all()
    return {survey: (kind, asked, answered) for survey, kind, asked, answered in rows}


def list_answers(
    connection: Connection, survey: str, most: int, *, commented: bool = False, lead: str | None = None
) -> list[Row[Any]]:
    """The newest answers; `commented`: only those with words."""
    query = select(survey_asks).where(_ASKS.survey == survey, _ASKS.answered_at.is_not(None))
    if commented:
        query = query.where(_ASKS.comment != "")  # which None is not, either
    if lead is not None:
        query = query.where(_ASKS.lead_id == lead)
    return list(connection.execute(query.order_by(_ASKS.answered_at.desc(), _ASKS.id).limit(most)))


def told(results: Results) -> dict[str, Any]:
    """The results as JSON."""
    return {
        "survey": results.survey,
        "kind": results.kind,
        **_told(results.total),
        "apart": [{"name": name, **_told(tally)} for name, tally in results.apart.items()],
    }


def _told(tally: Tally) -> dict[str, Any]:
    rate = tally.rate
    return {
        "asked": tally.asked,
        "answered": tally.answered,
        "response_rate": None if rate is None else round(100 * rate, 1),
        "score": tally.score,
        "interval": list(tally.interval) if tally.interval else None,
        "mean": tally.mean,
        "groups": tally.groups,
        "answers": dict(sorted(tally.answers.items(), key=_by_number)),
        "commented": tally.commented,
    }


def _by_number(one: tuple[str, int]) -> tuple[Any, ...]:
    """Numbers in their order, before everything else by how often."""
    return (0, int(one[0])) if one[0].isdigit() else (1, -one[1], one[0])


__all__ = [
    "NOTHING",
    "WAYS",
    "By",
    "Results",
    "Tally",
    "counted",
    "list_answers",
    "read_results",
    "read_totals",
    "told",
]
