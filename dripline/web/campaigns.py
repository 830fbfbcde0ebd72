"""The part of the API that lets audiences into journeys: start a campaign, see how far it has come, steer it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictInt
from pydantic.config import JsonDict
from sqlalchemy import Connection

from dripline.clock import MachineClock
from dripline.ingest.campaigns.starting import (
    MOST_TESTERS,
    Wanted,
    cancel_campaign,
    count_audience,
    pause_campaign,
    resume_campaign,
    start_campaign,
    unknown_campaign,
)
from dripline.ingest.campaigns.telling import count_reasons, outcomes, tell_campaigns
from dripline.ingest.incoming import Text
from dripline.language.workspace import Workspace
from dripline.store.campaigns import list_campaigns, load_campaign
from dripline.store.database import Store
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute

_Id = Annotated[str, Path(min_length=1, max_length=64)]
_CAMPAIGN = "01a203e4-dc4c-7623-a49a-c93e8d803865"
_AT = "2026-03-02T06:00:00+00:00"
_EXAMPLE: JsonDict = {
    "journey": "win-back",
    "audience": "lead.stage == 'lost'",
    "per_hour": 2000,
    "test": 200,
}


class CampaignIn(BaseModel):
    """Whom to let into which journey, and how."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    journey: Text = Field(description="The journey that they enter.")
    audience: Annotated[str, Field(min_length=1, max_length=1_000)] = Field(
        description="A segment's name, or a condition over `lead`."
    )
    name: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(
        None, description="What to call it; without it, the journey and the time."
    )
    per_hour: Annotated[float, Field(gt=0, le=10_000_000, allow_inf_nan=False)] | None = Field(
        None, description="How many are let in an hour; without it, as fast as nobody is held up."
    )
    test: Annotated[StrictInt, Field(ge=0, le=MOST_TESTERS)] = Field(
        0, description="So many go first; the others when it is resumed."
    )
    holdout: Annotated[float, Field(ge=0, lt=100, allow_inf_nan=False)] = Field(
        0.0, description="The part, in percent, that gets nothing, for comparison."
    )


class WhyIn(BaseModel):
    """Why it is done."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"why": "a misprint"}]})

    why: Annotated[str, Field(min_length=1, max_length=500)] | None = Field(
        None, description="Kept in the audit log: no names."
    )


class CameOut(Answer):
    """What became of those who were let in, or held out."""

    runs: int = Field(examples=[1800])
    converted: int = Field(description="Those that reached the journey's goal.", examples=[96])
    value: float = Field(description="What that was worth, in the workspace's currency.", examples=[480000.0])


class CampaignOut(Answer):
    """A campaign, and how far it has come."""

    id: str = Field(examples=[_CAMPAIGN])
    name: str = Field(examples=["win-back 2026-03-02 10:00"])
    journey: str = Field(examples=["win-back"])
    audience: str = Field(examples=["lead.stage == 'lost'"])
    state: Literal["running", "tested", "paused", "finished", "cancelled"] = Field(
        description="`tested`: its test group is in, and the others wait until it is resumed.",
        examples=["running"],
    )
    stands: str = Field(description="The same in words.", examples=["letting its audience in"])
    occasion: str | None = Field(description="Of a schedule: its moment as clocks say it.", examples=[None])
    per_hour: float | None = Field(examples=[2000.0])
    test: int = Field(examples=[200])
    holdout: float = Field(examples=[10.0])
    found: int = Field(
        description="Who is in its audience, as far as it was looked through.", examples=[3412]
    )
    waiting: int = Field(examples=[1400])
    entered: int = Field(examples=[1800])
    held_out: int = Field(examples=[200])
    refused: int = Field(examples=[12])
    created_at: datetime = Field(examples=[_AT])
    created_by: str | None = Field(examples=["key crm"])
    started_at: datetime | None = Field(examples=[_AT])
    paused_at: datetime | None = Field(examples=[None])
    finished_at: datetime | None = Field(examples=[None])


class CampaignWhole(CampaignOut):
    """The same, with whom it refused and what became of the others."""

    refusals: dict[str, int] = Field(
        description="Why leads were refused, and how many.", examples=[{"is in the journey already": 12}]
    )
    outcomes: dict[str, CameOut] = Field(
        description="By `entered` and `held-out`.",
        examples=[{"entered": {"runs": 1800, "converted": 96, "value": 480000.0}}],
    )


class CampaignsOut(Answer):
    """Campaigns, newest first."""

    campaigns: list[CampaignOut]


class AudienceOut(Answer):
    """How many a campaign would have."""

    found: int = Field(examples=[3412])


def build_campaigns(
    store: Store, workspace: Workspace, nudge: Callable[[], None], machine: MachineClock
) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, responses=documented(415, 422), tags=["campaigns"]
    )

    def whole(connection: Connection, campaign_id: str) -> dict[str, Any]:
        row = load_campaign(connection, campaign_id)
        if row is None:
            raise unknown_campaign()
        [told] = tell_campaigns(connection, [row])
        came = {state: vars(one) for state, one in outcomes(connection, campaign_id).items()}
        return {**told.as_json(), "refusals": count_reasons(connection, campaign_id), "outcomes": came}

    @router.post(
        "/campaigns",
        status_code=201,
        dependencies=[needs("journeys:write")],
        response_model=CampaignWhole,
        response_description="It begins; `GET /v1/campaigns/{campaign}` says how far it has come",
        responses=documented(404),
        summary="Let an audience into a journey",
    )
    def start(said: CampaignIn, request: Request) -> JSONResponse:
        """Past the journey's trigger, but not past its re-entry rule; each lead once. Answers at once."""
        with store.write() as connection:
            wanted = Wanted(**said.model_dump())
            id_ = start_campaign(connection, workspace, wanted, machine(), caller_of(request).said)
        nudge()
        with store.read() as connection:
            return JSONResponse(whole(connection, id_), 201)

    @router.post(
        "/campaign-audiences",
        dependencies=[needs("leads:read")],
        response_description="Nobody is let in",
        responses=documented(404),
        summary="How many leads a campaign would have",
    )
    def size(said: CampaignIn) -> AudienceOut:
        """The same body as for starting it."""
        with store.read() as connection:
            return AudienceOut(found=count_audience(connection, workspace, Wanted(**said.model_dump())))

    @router.get(
        "/campaigns",
        dependencies=[needs("leads:read")],
        response_model=CampaignsOut,
        response_description="Those of schedules only where they found somebody",
        summary="Campaigns, newest first",
    )
    def newest(
        journey: Annotated[str | None, Query(max_length=128)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> JSONResponse:
        """Of a journey, or of all."""
        with store.read() as connection:
            told = tell_campaigns(connection, list_campaigns(connection, journey, limit))
        return JSONResponse({"campaigns": [one.as_json() for one in told]})

    @router.get(
        "/campaigns/{campaign}",
        dependencies=[needs("leads:read")],
        response_model=CampaignWhole,
        response_description="The campaign as it is now",
        responses=documented(404),
        summary="How far a campaign has come",
    )
    def show(campaign: _Id) -> JSONResponse:
        """With whom it refused and why, and what became of those it let in."""
        with store.read() as connection:
            return JSONResponse(whole(connection, campaign))

    def steer(path: str, do: Callable[..., Any], summary: str, says: str) -> None:
        def steered(campaign: _Id, said: WhyIn, request: Request) -> JSONResponse:
            with store.write() as connection:
                do(connection, campaign, machine(), caller_of(request).said, said.why)
            nudge()
            with store.read() as connection:
                return JSONResponse(whole(connection, campaign))

        router.post(
            f"/campaigns/{{campaign}}/{path}",
            dependencies=[needs("journeys:write")],
            response_model=CampaignWhole,
            response_description="The campaign as it is now",
            responses=documented(404, 409),
            summary=summary,
            description=says,
            operation_id=f"{path}_campaign",
            name=f"{path}_campaign",
        )(steered)

    steer("pause", pause_campaign, "Pause a campaign", "Nobody is let in any more; who was let in goes on.")
    steer(
        "resume",
        resume_campaign,
        "Let a campaign go on",
        "After a pause where it was; after its test group with all others.",
    )
    steer("cancel", cancel_campaign, "Give a campaign up", "For good; who was let in goes on.")
    return router
