"""The part of the API that is for the lead's own rights: to be forgotten, and to know what is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import Field

from dripline.clock import machine_clock
from dripline.ingest.living import living
from dripline.language.workspace import Workspace
from dripline.privacy.erasing import Eraser
from dripline.privacy.exporting import export
from dripline.privacy.readable import as_json, as_zip
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.overview import house_clock
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.shapes import Answer, OpenAnswer
from dripline.web.strict_json import StrictRoute

_Id = Annotated[str, Path(min_length=1, max_length=128)]


class Gone(Answer):
    """What an erasure took away."""

    erased: list[str] = Field(
        description="The lead, and all that were merged into it.",
        examples=[["01a203d7-0ddb-7142-b744-1e0efdae44b7"]],
    )
    rows: dict[str, int] = Field(description="By table.", examples=[{"events": 12}])
    runs_ended: int = Field(examples=[1])
    messages_skipped: int = Field(description="Messages that waited, and are not sent.", examples=[1])
    on_their_way: int = Field(
        description="Messages that a provider is being given now: they may still leave.", examples=[0]
    )
    addresses: int = Field(
        description="Addresses that stay on the suppression list, as keyed hashes.", examples=[1]
    )


class Everything(OpenAnswer):
    """Everything of a lead: sections of rows, each under its name."""

    format: str = Field(
        description="The name of this form: what is there stays, what is new is added.",
        examples=["dripline-lead-export/1"],
    )
    exported_at: str = Field(examples=["2026-03-02T06:00:00+00:00"])
    lead: str = Field(
        description="Dripline's id of the lead.", examples=["01a203d7-0ddb-7142-b744-1e0efdae44b7"]
    )


def build_privacy(
    eraser: Eraser, store: Store, workspace: Workspace, secret: str | None, nudge: Callable[[], None]
) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=documented(415, 422))
    _add_erasing(router, eraser, nudge)
    _add_exporting(router, store, workspace, secret)
    return router


def _add_exporting(router: APIRouter, store: Store, workspace: Workspace, secret: str | None) -> None:
    @router.get(
        "/leads/{lead}/export",
        dependencies=[needs("admin")],
        response_model=Everything,
        response_description="Everything that is kept",
        responses={200: {"content": {"application/zip": {}}}, **documented(404, 410)},
        tags=["leads"],
        summary="Everything that is kept of a lead",
    )
    def export_lead(
        lead: _Id,
        form: Annotated[
            Literal["json", "zip"], Query(alias="format", description="`zip`: with a page for people.")
        ] = "json",
    ) -> Response:
        """By Dripline's id, with all that were merged into it, for the person who asks what you keep."""
        clock = house_clock(store)
        with store.read() as connection:
            row = living(connection, lead)
            house = open_house(connection, secret)
            found = export(connection, house, row, clock, workspace.zone, machine_clock())
        name = f'attachment; filename="lead-{row.id}.{form}"'
        if form == "zip":
            return Response(
                as_zip(found), media_type="application/zip", headers={"Content-Disposition": name}
            )
        return Response(as_json(found), media_type="application/json")


def _add_erasing(router: APIRouter, eraser: Eraser, nudge: Callable[[], None]) -> None:

    @router.delete(
        "/leads/{lead}",
        dependencies=[needs("admin")],
        response_model=Gone,
        response_description="It is gone",
        responses=documented(404, 409, 410),
        tags=["leads"],
        summary="Erase a lead",
    )
    def erase(
        lead: _Id,
        request: Request,
        why: Annotated[
            str | None, Query(max_length=500, description="Kept in the audit log: no names.")
        ] = None,
    ) -> JSONResponse:
        """For good, with all that were merged into it. By Dripline's id; 410 where it was erased before."""
        done = eraser.erase(lead, caller_of(request).said, why)
        nudge()
        told = {name: value for name, value in vars(done).items() if name != "leads"}
        return JSONResponse({"erased": list(done.leads), **told})
