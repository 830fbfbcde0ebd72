"""The pages of surveys: what each came to, as a picture and in figures, and what leads said in their own words."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from dripline.clock import MachineClock
from dripline.language.spoken import in_language
from dripline.language.surveys.answers import group_of
from dripline.language.workspace import Workspace
from dripline.reports.surveys import (
    WAYS,
    By,
    Results,
    Tally,
    counted,
    list_answers,
    read_results,
    read_totals,
)
from dripline.store.overview import house_clock
from dripline.web.opinions import kind_of, known_kind
from dripline.web.pages.frame import Frame

Period = Literal["month", "quarter", "year", "all"]
_PERIODS: dict[Period, int | None] = {"month": 30, "quarter": 91, "year": 365, "all": None}
WORDS = 20
"""Answers with words that a page shows."""
_WIDTH, _HEIGHT = 640, 180


def add_surveys(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/surveys` and `/surveys/{survey}`."""

    @router.get("/surveys")
    def surveys() -> HTMLResponse:
        """All surveys, each with its score."""
        with frame.store.read() as connection:
            totals = {(one.survey, one.kind): one for one in read_totals(connection)}
        used = {survey: (kind, 0, 0) for survey, kind in totals}
        kinds = {
            name: kind_of(frame.workspace, used, name) for name in sorted({*used, *frame.workspace.surveys})
        }
        found = [totals.get(one) or Results(*one, Tally(one[1]), {}) for one in kinds.items()]
        asks = {one.survey: _question(frame.workspace, one.survey) for one in found}
        return frame.page("surveys.html", here="surveys", found=found, asks=asks)

    @router.get("/surveys/{survey}")
    def survey(
        survey: Annotated[str, Path(max_length=64)],
        by: By | None = None,
        period: Annotated[Period, Query()] = "all",
    ) -> HTMLResponse:
        """One of them."""
        days = _PERIODS[period]
        now = house_clock(frame.store).to_house(machine())
        since = now - timedelta(days=days) if days is not None else None
        with frame.store.read() as connection:
            kind = known_kind(frame.workspace, counted(connection), survey)
            found = read_results(connection, survey, kind, by, since, None, frame.zone)
            months = read_results(connection, survey, kind, "month", since, None, frame.zone)
            words = list_answers(connection, survey, WORDS, commented=True)
        return frame.page(
            "survey-results.html",
            here="surveys",
            found=found,
            question=_question(frame.workspace, survey),
            bars=_bars(frame.workspace, found),
            curve=_curve(months),
            words=words,
            ways=WAYS,
            periods=tuple(_PERIODS),
            chosen={"by": by, "period": period},
        )


def _question(workspace: Workspace, survey: str) -> str:
    entry = workspace.surveys.get(survey)
    return in_language(entry.compiled().first.text, workspace.locales) if entry is not None else ""


def _bars(workspace: Workspace, found: Results) -> list[dict[str, Any]]:
    """Every answer that there can be or was, in its order, with its share of the longest bar."""
    entry = workspace.surveys.get(found.survey)
    labels: dict[str, str] = {}
    if entry is not None and found.kind != "quiz":
        for choice in entry.compiled().first.choices:
            words = in_language(choice.label, workspace.locales) if choice.label else ""
            labels[choice.key] = (
                f"{choice.key} · {words}" if words and found.kind == "csat" else words or choice.key
            )
    for answer, _ in found.total.answers.most_common():
        labels.setdefault(answer, answer)
    most = max(found.total.answers.values(), default=0) or 1
    return [
        {
            "label": label,
            "times": found.total.answers[answer],
            "share": 100 * found.total.answers[answer] / (found.total.answered or 1),
            "width": round(100 * found.total.answers[answer] / most, 1),
            "group": _group(found.kind, answer),
        }
        for answer, label in labels.items()
    ]


def _group(kind: str, answer: str) -> str:
    group = group_of(kind, float(answer)) if kind in ("nps", "csat") and answer.isdigit() else None
    return {"promoter": "good", "satisfied": "good", "detractor": "bad", "dissatisfied": "bad"}.get(
        group or "", "mid"
    )


def _curve(months: Results) -> dict[str, Any] | None:
    """The score by month with how sure it is, as points of a picture; None where there is no curve to draw."""
    points = [(name, one) for name, one in months.apart.items() if one.score is not None]
    if months.kind == "reasons" or len(points) < 2:
        return None
    low, high = (-100, 100) if months.kind == "nps" else (0, 100)

    def height(value: float) -> float:
        return round(_HEIGHT - 24 - (_HEIGHT - 48) * (value - low) / (high - low), 1)

    step = (_WIDTH - 80) / (len(points) - 1)
    drawn = [
        {
            "x": round(50 + number * step, 1),
            "y": height(one.score or 0.0),
            "low": height(one.interval[0]) if one.interval else None,
            "high": height(one.interval[1]) if one.interval else None,
            "month": name,
            "score": one.score,
            "answered": one.answered,
            "named": number % max(1, -(-len(points) // 8)) == 0,
        }
        for number, (name, one) in enumerate(points)
    ]
    ticks = [(value, height(value)) for value in (low, (low + high) / 2, high)]
    return {"points": drawn, "ticks": ticks, "width": _WIDTH, "height": _HEIGHT}


__all__ = ["add_surveys"]
