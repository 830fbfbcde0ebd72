"""The API under /v1: say what happened, ask what became of it. Blocking, so every endpoint runs in a thread."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from dripline.clock import MachineClock
from dripline.ingest import once
from dripline.ingest.hands import Hands
from dripline.ingest.incoming import MAX_BATCH, EnrolIn, EventIn, LeadIn
from dripline.ingest.living import living
from dripline.ingest.refusal import FieldError, invalid
from dripline.ingest.service import Ingest
from dripline.language.plan import Plan
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.leads import facts
from dripline.store.overview import house_clock, list_runs
from dripline.store.plans import load_plan
from dripline.story import standing, tell
from dripline.web import shapes
from dripline.web.described import documented
from dripline.web.discounts import add_discounts
from dripline.web.hands import add_hands
from dripline.web.needing import needs
from dripline.web.opinions import add_surveys
from dripline.web.strict_json import StrictRoute


class Batch(BaseModel):
    """Events, in the order in which they happened."""

    model_config = ConfigDict(extra="forbid")

    events: list[Any] = Field(
        description=f"Up to {MAX_BATCH} events, each as POST /v1/events takes one.",
        examples=[
            [{"name": "order.paid", "lead": "crm-1042", "properties": {"total": 120}, "id": "order-9"}]
        ],
    )


async def _request(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            max_length=256,
            min_length=1,
            description="Any text of the caller's that is new for each request: a repeat with it changes nothing.",
        ),
    ] = None,
) -> once.Request | None:
    if key is None:
        return None
    stem = f"{request.method} {request.url.path}\n".encode()
    return once.Request(key, hashlib.sha256(stem + await request.body()).hexdigest())


_Once = Annotated[once.Request | None, Depends(_request)]
_OF_LEAD = {
    "lead": {"operationId": "show_lead", "parameters": {"lead": "$response.body#/id"}},
    "timeline": {"operationId": "timeline", "parameters": {"lead": "$response.body#/id"}},
}
_Id = Annotated[str, Path(min_length=1, max_length=128)]


def build_api(
    ingest: Ingest, hands: Hands, store: Store, workspace: Workspace, machine: MachineClock
) -> APIRouter:
    """The router of /v1."""
    router = APIRouter(
        prefix="/v1",
        route_class=StrictRoute,
        responses=documented(415, 422),
    )
    _add_saying(router, ingest)
    _add_asking(router, store, workspace)
    add_discounts(router, ingest, store, workspace, machine, documented(404, 409, 410))
    add_surveys(router, ingest, store, workspace, documented(404, 410))
    add_hands(router, hands, store, workspace, machine)
    return router


def _add_saying(router: APIRouter, ingest: Ingest) -> None:
    @router.put(
        "/leads",
        dependencies=[needs("leads:write")],
        response_model=shapes.LeadSaved,
        responses={
            200: {"links": _OF_LEAD},
            201: {"model": shapes.LeadSaved, "description": "A new lead", "links": _OF_LEAD},
            **documented(404, 409, 410),
        },
        response_description="A lead that was known",
        tags=["leads"],
        summary="Create or change a lead",
    )
    def upsert_lead(said: LeadIn) -> JSONResponse:
        """201 for a new lead, 200 for one that is known by any of the identities given."""
        return _said(ingest.upsert_lead(said))

    @router.post(
        "/events",
        dependencies=[needs("events:write")],
        status_code=202,
        response_model=shapes.EventSaved,
        response_description="It is kept",
        responses=documented(404, 409, 410),
        tags=["events"],
        summary="Record an event",
    )
    def record_event(said: EventIn, request: _Once) -> JSONResponse:
        """Kept when answered; what it sets going follows at once. A repeated `id` changes nothing."""
        return _said(ingest.record_event(said, request))

    @router.post(
        "/events/batch",
        dependencies=[needs("events:write")],
        status_code=202,
        response_model=shapes.BatchSaved,
        response_description="All were taken",
        responses={207: {"model": shapes.BatchSaved, "description": "Some were not taken"}},
        tags=["events"],
        summary="Record many events",
    )
    def record_batch(said: Annotated[Batch, Body()], request: _Once) -> JSONResponse:
        """Each row by itself: 202 if all were taken, 207 with the index, the fields and the reasons of the rest."""
        if len(said.events) > MAX_BATCH:
            raise invalid([FieldError("events", f"must hold at most {MAX_BATCH} entries")])
        return _said(ingest.record_batch(said.events, request))

    @router.post(
        "/journeys/{journey}/enrol",
        dependencies=[needs("journeys:write")],
        status_code=202,
        response_model=shapes.Enrolled,
        response_description="A run begins",
        responses=documented(404, 409, 410),
        tags=["journeys"],
        summary="Put a lead into a journey",
    )
    def enrol(journey: _Id, said: EnrolIn, request: _Once) -> JSONResponse:
        """Past the journey's trigger, but not past its re-entry rule (409 says why not)."""
        return _said(ingest.enrol(journey, said, request))


def _add_asking(router: APIRouter, store: Store, workspace: Workspace) -> None:
    @router.get(
        "/leads/{lead}",
        dependencies=[needs("leads:read")],
        operation_id="show_lead",
        response_model=shapes.LeadOut,
        response_description="The lead",
        responses=documented(404, 410),
        tags=["leads"],
        summary="A lead as it is known",
    )
    def show_lead(lead: _Id) -> JSONResponse:
        """By Dripline's id. Of a lead that was merged: the one that it became."""
        with store.read() as connection:
            row = living(connection, lead)
            return JSONResponse(_plain({**facts(row), "tracking": row.tracking}))

    @router.get(
        "/leads/{lead}/timeline",
        dependencies=[needs("leads:read")],
        operation_id="timeline",
        response_model=shapes.Timeline,
        response_description="Its story",
        responses=documented(404, 410),
        tags=["leads"],
        summary="Everything, and why",
    )
    def timeline(lead: _Id) -> JSONResponse:
        """All that happened to a lead and every decision with its reason, oldest first."""
        clock = house_clock(store)
        with store.read() as connection:
            story = tell(connection, living(connection, lead), clock, workspace.zone)
        return JSONResponse(
            {
                "lead": _plain(dict(story.lead)),
                "runs": [_plain(vars(run)) for run in story.runs],
                "entries": [_plain(vars(entry)) for entry in story.entries],
            }
        )

    @router.get(
        "/runs",
        dependencies=[needs("leads:read")],
        response_model=shapes.Runs,
        response_description="A page of them",
        tags=["journeys"],
        summary="Runs, newest first",
    )
    def runs(
        journey: Annotated[str | None, Query(max_length=128)] = None,
        lead: Annotated[str | None, Query(max_length=128, description="Dripline's id of a lead.")] = None,
        is_open: Annotated[
            bool | None, Query(alias="open", description="Only open, or only ended ones.")
        ] = None,
        after: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> JSONResponse:
        """A page of runs, and `next` for the one after it."""
        with store.read() as connection:
            page = list_runs(connection, journey, lead, is_open, after, limit)
            told = [_run(row, workspace, load_plan(connection, row.plan_hash)) for row in page.rows]
        return JSONResponse({"runs": told, "next": page.next})


def _said(answer: once.Answer) -> JSONResponse:
    headers = {"Idempotency-Replayed": "true"} if answer.repeated else None
    return JSONResponse(answer.body, answer.status, headers)


def _run(row: Any, workspace: Workspace, plan: Plan) -> dict[str, Any]:
    names = ("id", "journey", "step", "until", "started_at", "ended_at", "outcome", "outcome_reason")
    more = ("converted_at", "goal_value", "parked_reason", "holdout")
    said = {name: getattr(row, name) for name in (*names, *more)}
    return _plain({**said, "lead": row.lead_id, "standing": standing(row, workspace.zone, plan)})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Times as ISO 8601 in UTC."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()
    }
