"""The audit log over the API."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from dripline.ingest.incoming import Moment
from dripline.store.audit import Act, Wanted, list_acts
from dripline.store.database import Store
from dripline.web import shapes
from dripline.web.needing import needs
from dripline.web.strict_json import StrictRoute


def build_audit(store: Store) -> APIRouter:
    """The router of `/v1/audit`."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute)

    @router.get(
        "/audit",
        dependencies=[needs("admin")],
        response_model=shapes.Acts,
        response_description="A page of them",
        tags=["installation"],
        summary="What people did, newest first",
    )
    def acts(
        since: Annotated[Moment | None, Query(description="Only from then on.")] = None,
        what: Annotated[
            str | None, Query(max_length=32, description="Only that: `publish`; `key` is all about keys.")
        ] = None,
        by: Annotated[str | None, Query(max_length=256, description="Part of who did it.")] = None,
        after: Annotated[int | None, Query(ge=1, le=2**53, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> JSONResponse:
        """Keys, people, logins, brakes, publications, erasures and the rest: who, when, what, and why."""
        with store.read() as connection:
            found = list_acts(connection, Wanted(since, what, by), after, limit + 1)
        more = found[limit - 1].id if len(found) > limit else None
        return JSONResponse({"acts": [_plain(act) for act in found[:limit]], "next": more})

    return router


def _plain(act: Act) -> dict[str, object]:
    said = asdict(act)
    return {name: one.isoformat() if isinstance(one, datetime) else one for name, one in said.items()}
