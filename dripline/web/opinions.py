"""The part of the API about surveys: what they came to, what leads said, and answers that came another way."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from dripline.ingest.incoming import EventIn, Text
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.problems import did_you_mean
from dripline.language.surveys.answers import ANSWERED, MOST_LETTERS
from dripline.language.workspace import Workspace
from dripline.reports.surveys import By, counted, list_answers, read_results, told
from dripline.store.database import Store
from dripline.web.days import Day
from dripline.web.needing import needs
from dripline.web.shapes import EventSaved

_Name = Annotated[
    str, Path(min_length=1, max_length=64, description="The survey, as dripline.yaml calls it.")
]
_Since = Annotated[Day | None, Query(description="Only what was asked on this day or later.")]
_Until = Annotated[Day | None, Query(description="Only what was asked before this day.")]


class SurveyAnswerIn(BaseModel):
    """What a lead answered, somewhere else."""

    model_config = ConfigDict(extra="forbid")

    lead: Text = Field(examples=["crm-1042"], description="As in an event.")
    answer: str | int | None = Field(None, examples=[9], description="The number, or the answer's key.")
    answers: dict[str, str] | None = Field(None, description="Of a quiz: by question.", examples=[None])
    comment: str | None = Field(None, max_length=MOST_LETTERS, examples=["Quick and friendly."])


class SurveyFigures(BaseModel):
    """How many were asked, and what they said."""

    asked: int = Field(examples=[250], description="By messages that left.")
    answered: int = Field(examples=[100])
    response_rate: float | None = Field(examples=[40.0], description="Percent of those asked.")
    score: float | None = Field(
        examples=[33.0],
        description="NPS from -100 to 100; the percentage of 4 and 5; of a quiz, the mean percentage right.",
    )
    interval: tuple[float, float] | None = Field(
        examples=[[18.2, 46.5]], description="Where the true score lies in 95 of 100 cases."
    )
    mean: float | None = Field(examples=[8.1])
    groups: dict[str, int] = Field(examples=[{"promoter": 50, "passive": 33, "detractor": 17}])
    answers: dict[str, int] = Field(examples=[{"6": 17, "8": 33, "9": 50}])
    commented: int = Field(examples=[12])


class FiguresApart(SurveyFigures):
    """The same of a part of the leads."""

    name: str = Field(examples=["2026-03"])


class SurveyResults(SurveyFigures):
    """What a survey came to."""

    survey: str = Field(examples=["recommend"])
    kind: str = Field(examples=["nps"])
    apart: list[FiguresApart] = Field(description="By what they are told apart by.")


class SurveyListed(BaseModel):
    """A survey, and how much it was used."""

    survey: str = Field(examples=["recommend"])
    kind: str = Field(examples=["nps"])
    asked: int = Field(examples=[250])
    answered: int = Field(examples=[100])


class SurveyAnswer(BaseModel):
    """What one lead said."""

    lead: str = Field(examples=["0198a1c2-6f7e-7000-8000-000000000001"])
    answered_at: datetime = Field(examples=["2026-03-03T09:12:00+00:00"])
    answer: str = Field(examples=["9"])
    score: float | None = Field(examples=[9])
    comment: str | None = Field(examples=["Quick and friendly."])
    answers: dict[str, Any] | None = Field(examples=[None])
    via: str | None = Field(examples=["email"])
    journey: str | None = Field(examples=["nps"])


def add_surveys(
    router: APIRouter,
    ingest: Ingest,
    store: Store,
    workspace: Workspace,
    problems: dict[int | str, dict[str, Any]],
) -> None:
    """Add `/surveys` to the API; `problems` describes its refusals."""
    said: dict[str, Any] = {"tags": ["surveys"], "dependencies": [needs("leads:read")]}

    @router.get(
        "/surveys", **said, summary="All surveys", response_description="Those declared, and those ever asked"
    )
    def surveys() -> list[SurveyListed]:
        """Each with how often it was asked and answered."""
        with store.read() as connection:
            used = counted(connection)
        names = sorted({*used, *workspace.surveys})
        return [
            SurveyListed(survey=name, kind=kind_of(workspace, used, name), asked=one[1], answered=one[2])
            for name in names
            for one in [used.get(name, ("", 0, 0))]
        ]

    @router.get(
        "/surveys/{survey}/results",
        **said,
        responses=problems,
        summary="What a survey came to",
        response_description="The figures",
    )
    def results(
        survey: _Name, by: By | None = None, since: _Since = None, until: _Until = None
    ) -> SurveyResults:
        """All together, and told apart `by` month, week, journey, way, or what was known of the leads when asked."""
        with store.read() as connection:
            kind = known_kind(workspace, counted(connection), survey)
            found = read_results(
                connection,
                survey,
                kind,
                by,
                _start(workspace, since),
                _start(workspace, until),
                workspace.zone,
            )
        return SurveyResults.model_validate(told(found))

    @router.get(
        "/surveys/{survey}/answers",
        **said,
        responses=problems,
        summary="What leads answered",
        response_description="The newest answers",
    )
    def answers(
        survey: _Name,
        commented: Annotated[bool, Query(description="Only those with words.")] = False,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> list[SurveyAnswer]:
        """With their words, newest first."""
        with store.read() as connection:
            known_kind(workspace, counted(connection), survey)
            rows = list_answers(connection, survey, limit, commented=commented)
        names = ("answered_at", "answer", "score", "comment", "answers", "via", "journey")
        return [
            SurveyAnswer(lead=row.lead_id, **{name: getattr(row, name) for name in names}) for row in rows
        ]

    @router.post(
        "/surveys/{survey}/answers",
        dependencies=[needs("events:write")],
        status_code=202,
        response_model=EventSaved,
        response_description="It is kept",
        responses=problems,
        tags=["surveys"],
        summary="Record an answer that came another way",
    )
    def answer(survey: _Name, given: SurveyAnswerIn) -> JSONResponse:
        """By phone, in your app: the same as the event `survey.answered`. It answers what the lead was asked last."""
        with store.read() as connection:
            known_kind(workspace, counted(connection), survey)
        properties = {
            key: value for key, value in given.model_dump(exclude={"lead"}).items() if value is not None
        }
        event = EventIn.model_validate(
            {
                "name": ANSWERED,
                "lead": given.lead,
                "properties": {"survey": survey, "via": "api", **properties},
            }
        )
        kept = ingest.record_event(event)
        return JSONResponse(kept.body, kept.status)


def kind_of(workspace: Workspace, used: dict[str, tuple[str, int, int]], survey: str) -> str:
    """What kind of survey it is, as the workspace says it now, else as it was asked; "" where there is none."""
    entry = workspace.surveys.get(survey)
    return entry.kind if entry is not None else used.get(survey, ("", 0, 0))[0]


def known_kind(workspace: Workspace, used: dict[str, tuple[str, int, int]], survey: str) -> str:
    """The same. Raises Refused (404) where there is no such survey."""
    kind = kind_of(workspace, used, survey)
    if not kind:
        hint = did_you_mean(survey, {*used, *workspace.surveys})
        raise Refused(404, "unknown-survey", "There is no such survey" + (f": {hint}" if hint else "."))
    return kind


def _start(workspace: Workspace, day: date | None) -> datetime | None:
    return datetime.combine(day, time(), workspace.zone) if day is not None else None


__all__ = ["add_surveys", "kind_of", "known_kind"]
