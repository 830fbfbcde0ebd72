"""The part of the API that says why leads have their scores, and whether the rules are any good."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.living import living
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.ingest.scoring.explaining import explain_score
from dripline.language.problems import did_you_mean
from dripline.language.rules import Rules
from dripline.language.workspace import Workspace
from dripline.reports.scores import Question, as_data, judge_by_history
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.rules import current_rules
from dripline.web.described import documented
from dripline.web.needing import needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute

_AT = "2026-03-02T06:00:00Z"


class ReasonOut(Answer):
    """What a rule, or somebody, gives to a score now."""

    rule: str = Field(
        description="The rule; `journey:ID`, `api` … who else gave points.", examples=["demo.booked"]
    )
    kind: Literal["event", "fact", "given"] = Field(
        description="What the lead does, what it is, and what journeys and people gave it.",
        examples=["event"],
    )
    times: int = Field(examples=[1])
    points: float = Field(description="As they were given, all together.", examples=[30.0])
    worth: float = Field(description="What they come to now.", examples=[15.0])
    last_at: datetime | None = Field(examples=[_AT])
    half_life: float | None = Field(description="In seconds; null: they do not age.", examples=[2_592_000.0])


class ChangeOut(Answer):
    """How a score was from a moment on."""

    at: datetime = Field(examples=[_AT])
    score: float = Field(examples=[30.0])
    grade: str | None = Field(examples=["B"])
    warmth: str | None = Field(examples=["warm"])
    why: str = Field(
        description="The rule that gave most; or `age`, `rules`, `merge` …", examples=["demo.booked"]
    )


class ScoreOut(Answer):
    """A lead's score now, and everything that it is made of."""

    lead: str = Field(examples=["01a203d7-0ddb-7142-b744-1e0efdae44b7"])
    score: float = Field(examples=[25.0])
    grade: str | None = Field(examples=["B"])
    warmth: Literal["cold", "warm", "hot"] = Field(examples=["warm"])
    fit: float = Field(description="The points of what the lead is: they make its grade.", examples=[10.0])
    warm: float = Field(description="From how many points a lead is warm.", examples=[20.0])
    hot: float = Field(examples=[50.0])
    grades: list[tuple[str, float]] = Field(
        description="From how many points of what it is a lead has each grade.", examples=[[["A", 25.0]]]
    )
    cools_at: datetime | None = Field(
        description="When it is less warm, if nothing more happens; null: never.", examples=[_AT]
    )
    reasons: list[ReasonOut] = Field(description="The greatest first.")
    history: list[ChangeOut] = Field(description="Oldest first.")


class CountOut(Answer):
    """Leads, and how many of them bought."""

    leads: int = Field(examples=[1_200])
    bought: int = Field(examples=[84])


class RuleOut(Answer):
    """A rule beside what leads did."""

    rule: str = Field(examples=["demo.booked"])
    points: float = Field(examples=[30.0])
    having: CountOut = Field(alias="with", description="Those who had its points.")
    lacking: CountOut = Field(alias="without", description="Those who had not.")
    lift: float | None = Field(
        description="How much more often the first buy: 1 is twice as often.", examples=[1.4]
    )
    lift_between: tuple[float, float] | None = Field(
        description="Where it truly lies (95 %).", examples=[[0.9, 2.1]]
    )
    chance: float = Field(description="How often chance alone would do as much.", examples=[0.0001])
    verdict: Literal["foretells", "nothing", "contrary", "not-enough"] = Field(examples=["foretells"])


class ScoresOut(Answer):
    """Scores at the time beside what leads then did."""

    goal: str = Field(examples=["order.paid"])
    after_days: float = Field(examples=[14.0])
    within_days: float = Field(examples=[60.0])
    leads: int = Field(examples=[2_000])
    bought: int = Field(examples=[140])
    ranking: float | None = Field(
        description="How often one who bought had more points than one who did not; 0.5 is a coin.",
        examples=[0.71],
    )
    ranking_between: tuple[float, float] | None = Field(examples=[[0.67, 0.75]])
    by_warmth: dict[str, CountOut] = Field(examples=[{"cold": {"leads": 1_500, "bought": 60}}])
    rules: list[RuleOut]
    advice: list[str] = Field(description="What should be changed, a sentence each.", examples=[[]])


def build_scores(store: Store, workspace: Workspace, machine: MachineClock = machine_clock) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=documented(422))

    @router.get(
        "/leads/{lead}/score",
        dependencies=[needs("leads:read")],
        response_description="The score, and what it is made of",
        responses=documented(404, 410),
        tags=["leads"],
        summary="Why a lead has its score",
    )
    def show_score(lead: Annotated[str, Path(min_length=1, max_length=128)]) -> ScoreOut:
        """By Dripline's id. 404 too where the workspace scores no leads."""
        with store.read() as connection:
            row = living(connection, lead)
            explained = explain_score(connection, row, open_house(connection).clock.to_house(machine()))
        if explained is None:
            raise _not_scored()
        return ScoreOut.model_validate({"lead": row.id, **asdict(explained)})

    @router.get(
        "/scores/report",
        dependencies=[needs("leads:read")],
        response_model=ScoresOut,
        response_description="Every rule with what it is good for",
        responses=documented(404),
        tags=["leads"],
        summary="Scores beside what leads did",
    )
    def judge_rules(
        goal: Annotated[
            str | None,
            Query(
                max_length=128,
                description="The event that shows that a lead buys; without it, that of `orders`.",
            ),
        ] = None,
        after_days: Annotated[int, Query(ge=1, le=365, description="When a lead is looked at.")] = 14,
        within_days: Annotated[int, Query(ge=1, le=730, description="For how long it is then watched.")] = 60,
    ) -> dict[str, Any]:
        """Leads are looked at some days after they came, and are counted by what they did afterwards."""
        with store.read() as connection:
            rules = current_rules(connection)
            if rules.scoring is None:
                raise _not_scored()
            question = Question(
                _goal(goal, rules, workspace), timedelta(days=after_days), timedelta(days=within_days)
            )
            now = open_house(connection).clock.to_house(machine())
            return as_data(judge_by_history(connection, rules.scoring, question, now), question)

    return router


def _not_scored() -> Refused:
    return Refused(404, "not-scored", "Leads are not scored: there is no `scoring` in dripline.yaml.")


def _goal(said: str | None, rules: Rules, workspace: Workspace) -> str:
    wanted = said or (rules.orders.event if rules.orders else None)
    if wanted is None:
        raise invalid([FieldError("goal", "is needed: nothing says which event shows that a lead buys")])
    if wanted not in workspace.events:
        hint = did_you_mean(wanted, workspace.events)
        raise invalid([FieldError("goal", f"is no declared event{', ' + hint if hint else ''}")])
    return wanted


__all__ = ["build_scores"]
