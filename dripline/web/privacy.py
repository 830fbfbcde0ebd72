"""The part of the API that is for the lead's own rights: to be forgotten, and to know what is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from dripline.privacy.erasing import Eraser
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute

_Id = Annotated[str, Path(min_length=1, max_length=128)]


class Gone(Answer):
    """What an erasure took away."""

    erased: list[str] = Field(description="The lead, and all that were merged into it.")
    rows: dict[str, int] = Field(description="By table.")
    runs_ended: int
    messages_skipped: int = Field(description="Messages that waited, and are not sent.")
    on_their_way: int = Field(
        description="Messages that a provider is being given now: they may still leave."
    )
    addresses: int = Field(description="Addresses that stay on the suppression list, as keyed hashes.")


def build_privacy(eraser: Eraser, nudge: Callable[[], None]) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=documented(415, 422))

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

    return router
