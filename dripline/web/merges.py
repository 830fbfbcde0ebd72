"""The part of the API that makes one lead of two, and two again of one."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from sqlalchemy import Row

from dripline.ingest.incoming import Text
from dripline.ingest.living import living
from dripline.ingest.service import Ingest
from dripline.store.database import Store
from dripline.store.merges import merges_of
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute

_Id = Annotated[str, Path(min_length=1, max_length=128)]
_LEAD, _OTHER = "01a203d7-0ddb-7142-b744-1e0efdae44b7", "01a203d7-1c52-70b1-9a0e-2f1c0f1d9b55"
_MERGE = "01a203e4-dc4c-7623-a49a-c93e8d803865"


class MergeIn(BaseModel):
    """Which lead is the same person, and who goes on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"lead": _OTHER}]})

    lead: Text = Field(description="Dripline's id of the other lead.")
    into: Text | None = Field(None, description="Which of the two goes on; without it, as the rules say.")
    why: Text | None = Field(None, description="Kept in the audit log: no names.")
    dry_run: StrictBool = Field(False, description="Only tell what would become of it.")


class UndoIn(BaseModel):
    """Why a merge is taken back."""

    model_config = ConfigDict(extra="forbid")

    why: Text | None = Field(None, description="Kept in the audit log: no names.")


class MergedOut(Answer):
    """What became of two leads."""

    merge: str = Field(description="By which it is taken back.", examples=[_MERGE])
    lead: str = Field(description="Who goes on.", examples=[_LEAD])
    other: str = Field(description="Who has become it.", examples=[_OTHER])
    changed: list[str] = Field(description="The names of what is different of it.", examples=[["phone"]])
    ended: list[str] = Field(
        description="Runs that ended, as another of the same journey goes on.", examples=[[]]
    )
    held_out: list[str] = Field(description="Runs that are of the control group from now on.", examples=[[]])
    moved: dict[str, int] = Field(description="How much followed, by table.", examples=[{"events": 3}])
    dry_run: bool = Field(examples=[False])


class UnmergedOut(Answer):
    """What became of the lead that was two."""

    merge: str = Field(examples=[_MERGE])
    lead: str = Field(description="Who had gone on.", examples=[_LEAD])
    other: str = Field(description="Who is a lead of its own again.", examples=[_OTHER])
    kept: list[str] = Field(
        description="What was changed since, or is somebody else's by now: it stays as it is.",
        examples=[["stage"]],
    )


class MergeLine(Answer):
    """A merge in the log."""

    id: str = Field(examples=[_MERGE])
    lead: str = Field(description="Who went on.", examples=[_LEAD])
    other: str = Field(description="Who became it.", examples=[_OTHER])
    at: datetime = Field(examples=["2026-03-02T06:00:00+00:00"])
    cause: str = Field(
        description="`identify` and `alias`: one request named both; `api`, `command`: somebody decided.",
        examples=["identify"],
    )
    by: str | None = Field(examples=[None])
    undone_at: datetime | None = Field(examples=[None])
    undone_by: str | None = Field(examples=[None])


class Merges(Answer):
    """The merges that made a lead what it is, oldest first."""

    merges: list[MergeLine]


def build_merges(ingest: Ingest, store: Store) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=documented(415, 422), tags=["leads"])

    @router.post(
        "/leads/{lead}/merge",
        dependencies=[needs("leads:write")],
        response_model=MergedOut,
        response_description="They are one lead",
        responses=documented(404, 409, 410),
        summary="Make one lead of two",
    )
    def merge_leads(lead: _Id, said: MergeIn, request: Request) -> JSONResponse:
        """Nothing is lost, and no consent is widened. By Dripline's ids; it is the same whichever is named first."""
        done = ingest.merge_leads(
            lead,
            said.lead,
            "api",
            into=said.into,
            by=caller_of(request).said,
            why=said.why,
            dry_run=said.dry_run,
        )
        return JSONResponse(
            {
                "merge": done.id,
                "lead": done.winner_id,
                "other": done.loser_id,
                "changed": list(done.changed),
                "ended": list(done.ended),
                "held_out": list(done.held_out),
                "moved": dict(done.moved),
                "dry_run": said.dry_run,
            }
        )

    @router.post(
        "/merges/{merge}/undo",
        dependencies=[needs("leads:write")],
        response_model=UnmergedOut,
        response_description="They are two leads again",
        responses=documented(404, 409, 410),
        summary="Take a merge back",
    )
    def undo_merge(merge: _Id, said: UndoIn, request: Request) -> JSONResponse:
        """The last merge of a lead first. What happened since stays with the lead that went on."""
        done = ingest.undo_merge(merge, by=caller_of(request).said, why=said.why)
        told = {"merge": done.id, "lead": done.lead_id, "other": done.other_id, "kept": list(done.kept)}
        return JSONResponse(told)

    @router.get(
        "/leads/{lead}/merges",
        dependencies=[needs("leads:read")],
        response_model=Merges,
        response_description="The log",
        responses=documented(404, 410),
        summary="How a lead became one",
    )
    def list_merges(lead: _Id) -> JSONResponse:
        """Those of the leads that it took in as well, and those that were taken back."""
        with store.read() as connection:
            row = living(connection, lead)
            return JSONResponse({"merges": [_line(one) for one in merges_of(connection, row.id)]})

    return router


def _line(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "lead": row.winner_id,
        "other": row.loser_id,
        "at": row.at.isoformat(),
        "cause": row.cause,
        "by": row.by,
        "undone_at": row.undone_at.isoformat() if row.undone_at else None,
        "undone_by": row.undone_by,
    }
