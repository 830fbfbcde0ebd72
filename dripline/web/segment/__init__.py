"""Segment's HTTP Tracking API, so that its libraries, and those made after it, work by another host alone.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.ingest.segment.calls import KINDS, MODELS, Kind
from dripline.ingest.segment.service import MAX_BATCH, Outcome, Tracking, refuse_large
from dripline.store.database import Store
from dripline.store.strays import list_strays
from dripline.web import shapes
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.problems import UnreadableBody
from dripline.web.segment.addresses import BATCHES, METRICS, SHORT, TRACKING
from dripline.web.segment.bodies import read_body
from dripline.web.strict_json import refuse_what_cannot_be_kept

_Body = Annotated[Any, Depends(read_body)]
_TITLES: dict[Kind, str] = {
    "identify": "Who somebody is",
    "track": "What somebody did",
    "page": "Which page somebody looks at",
    "screen": "Which screen of an app somebody looks at",
    "group": "Which group somebody belongs to",
    "alias": "That two ids are one person's",
}


class BatchIn(BaseModel):
    """Calls, each with its `type`, in the order in which they were made."""

    model_config = ConfigDict(extra="allow")

    batch: list[Any] = Field(
        max_length=MAX_BATCH,
        examples=[[{"type": "track", "event": "Demo Booked", "userId": "crm-1042", "messageId": "m-1"}]],
    )
    context: dict[str, Any] | None = Field(None, description="For calls that have none of their own.")
    sentAt: Any = Field(None, description="When it was sent, by the clock of the calls.")  # noqa: N815
    writeKey: Any = Field(None, description="A key with the scope `track`, from browsers.")  # noqa: N815


def build_segment(tracking: Tracking, store: Store) -> APIRouter:
    """The router of the tracking API."""
    router = APIRouter(
        prefix="/v1", tags=["tracking"], responses=documented(415, 422), dependencies=[needs("track")]
    )
    for kind in KINDS:
        _add_call(router, tracking, kind)
    _add_batch(router, tracking)
    _add_beside(router)
    open_to_all = APIRouter(prefix="/v1")
    _add_questions(open_to_all)
    reading = APIRouter(prefix="/v1", tags=["tracking"], dependencies=[needs("leads:read")])
    _add_strays(reading, store)
    whole = APIRouter()
    for part in (router, open_to_all, reading):
        whole.include_router(part)
    return whole


def _add_call(router: APIRouter, tracking: Tracking, kind: Kind) -> None:
    def take(body: _Body, request: Request) -> JSONResponse:
        refuse_what_cannot_be_kept(body)
        refuse_large(body)
        caller = caller_of(request)
        tracking.take(body, kind, caller.said, server=caller.may("events:write"))
        return JSONResponse({"success": True})

    take.__doc__ = (
        f"{MODELS[kind].__doc__} Of what the workspace has no place for, only the names are counted."
    )
    router.post(
        f"/{kind}",
        response_model=shapes.Tracked,
        response_description="It is kept",
        operation_id=f"track_{kind}",
        summary=_TITLES[kind],
        openapi_extra=_takes(MODELS[kind]),
    )(take)
    router.post(f"/{SHORT[kind]}", include_in_schema=False)(take)


def _add_batch(router: APIRouter, tracking: Tracking) -> None:
    def take(body: _Body, request: Request) -> JSONResponse:
        """Each call by itself: 200 if any was taken, with what was wrong with the rest."""
        rows, context = _rows(body)
        caller = caller_of(request)
        outcomes = tracking.take_batch(
            [_with_context(row, context) for row in rows],
            body.get("sentAt"),
            caller.said,
            server=caller.may("events:write"),
            historical=request.url.path.endswith("/import"),
            check=_check,
        )
        return _batch_said(outcomes)

    for name in BATCHES:
        router.post(
            f"/{name}",
            include_in_schema=name != "b",
            response_model=shapes.TrackedBatch,
            response_description="What was good of it is kept",
            operation_id=f"track_{name}",
            summary="Many calls at once" if name == "batch" else "Many calls of long ago: they start nothing",
            openapi_extra=_takes(BatchIn),
        )(take)


def _add_beside(router: APIRouter) -> None:
    @router.post(f"/{METRICS}", include_in_schema=False)
    def take_metrics(_body: _Body) -> JSONResponse:
        """What analytics.js tells of itself is of no use here."""
        return JSONResponse({"success": True})


def _add_questions(router: APIRouter) -> None:
    def may_ask() -> Response:
        """What a browser asks before it sends, without a key: the guard's headers are the answer."""
        return Response(status_code=204)

    for path in sorted(TRACKING):
        router.options(path.removeprefix("/v1"), include_in_schema=False)(may_ask)


def _add_strays(router: APIRouter, store: Store) -> None:
    @router.get(
        "/tracking/strays",
        response_model=shapes.Strays,
        response_description="The most frequent first",
        summary="What the tracking API was told and the workspace has no place for",
    )
    def strays() -> JSONResponse:
        """Names and counts, no values; `dripline strays` says what to do about each."""
        with store.read() as connection:
            rows = list_strays(connection)
        names = ("kind", "event", "name", "why", "times")
        told = [{name: getattr(row, name) for name in names} for row in rows]
        times = [{name: getattr(row, name).isoformat() for name in ("first_at", "last_at")} for row in rows]
        return JSONResponse({"strays": [{**one, **at} for one, at in zip(told, times, strict=True)]})


def _takes(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _rows(body: Any) -> tuple[list[Any], dict[str, Any] | None]:
    if not isinstance(body, dict):
        raise invalid([FieldError("", "must be an object")])
    rows, context = body.get("batch"), body.get("context")
    if not isinstance(rows, list):
        raise invalid([FieldError("batch", "is required" if rows is None else "must be a list")])
    if len(rows) > MAX_BATCH:
        raise invalid([FieldError("batch", f"must hold at most {MAX_BATCH:,} calls")])
    if context is not None and not isinstance(context, dict):
        raise invalid([FieldError("context", "must be an object")])
    return rows, context


def _with_context(row: Any, context: dict[str, Any] | None) -> Any:
    if context is None or not isinstance(row, dict):
        return row
    own = row.get("context")
    if own is not None and not isinstance(own, dict):
        return row
    return {**row, "context": {**context, **(own or {})}}


def _check(row: Any) -> None:
    try:
        refuse_what_cannot_be_kept(row)
    except UnreadableBody as error:
        raise Refused(error.status_code, "invalid", str(error.detail), error.errors) from None


def _batch_said(outcomes: list[Outcome]) -> JSONResponse:
    refused = [one for one in outcomes if one.refusal is not None]
    if refused and len(refused) == len(outcomes):
        errors = [
            FieldError(f"batch.{one.index}{'.' if error.field else ''}{error.field}", error.detail)
            for one in refused[:100]
            if one.refusal is not None
            for error in (one.refusal.errors or [FieldError("", one.refusal.detail)])
        ]
        raise Refused(422, "invalid", "None of the calls could be taken.", errors)
    body = {
        "success": True,
        "taken": sum(one.new for one in outcomes),
        "repeated": sum(not one.new and one.refusal is None for one in outcomes),
        "refused": len(refused),
        "problems": [_problem(one.index, one.refusal) for one in refused if one.refusal is not None],
    }
    return JSONResponse(body)


def _problem(index: int, refusal: Refused) -> dict[str, Any]:
    errors = [{"field": one.field, "pointer": None, "detail": one.detail} for one in refusal.errors]
    return {
        "index": index,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
        "errors": errors,
    }


__all__ = ["build_segment"]
