"""The part of the API that shows by what right a lead is written to."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import Field

from dripline.ingest.living import living
from dripline.store.consents import consent_history
from dripline.store.database import Store
from dripline.web.described import documented
from dripline.web.needing import needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute


class ConsentLine(Answer):
    """One thing that was said of consent."""

    at: datetime = Field(examples=["2026-03-02T10:00:00+00:00"])
    channel: str | None = Field(None, description="Null: of every channel.", examples=["email"])
    topic: str | None = Field(None, description="Null: of the channel as a whole.", examples=[None])
    state: str = Field(
        description="granted, denied, pending, withdrawn; of the lead: paused, resumed, tracked, untracked, unsaid",
        examples=["granted"],
    )
    source: str = Field(
        description="api, form, import, link, page, sms, email, provider, merge, command …", examples=["form"]
    )
    proof: dict[str, Any] = Field(examples=[{"form": "newsletter", "wording": "Send me news by e-mail."}])


class ConsentOut(Answer):
    """What a lead agrees to now, and how that came."""

    lead: str = Field(examples=["01a2f0c4-9d1e-7c3b-8f00-3c6d1f2a9b10"])
    consent: dict[str, bool] = Field(examples=[{"email": True}])
    topics: dict[str, Any] = Field(
        description="`true` or `false` on every channel, or by channel.",
        examples=[{"newsletter": {"sms": False}}],
    )
    paused_until: datetime | None = Field(None, examples=[None])
    tracking: bool | None = Field(
        None,
        description="Whether it may be kept what it opens and clicks; null: as the workspace says.",
        examples=[None],
    )
    log: list[ConsentLine] = Field(description="Oldest first.")


def build_consents(store: Store) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=documented(422))

    @router.get(
        "/leads/{lead}/consent",
        dependencies=[needs("leads:read")],
        response_model=ConsentOut,
        response_description="What it agrees to, and the log",
        responses=documented(404, 410),
        tags=["leads"],
        summary="What a lead agreed to: when, how, with what proof",
    )
    def consent(lead: Annotated[str, Path(min_length=1, max_length=128)]) -> JSONResponse:
        """By Dripline's id; of a merged lead the one that it became."""
        with store.read() as connection:
            row = living(connection, lead)
            log = consent_history(connection, row.id)
        until = row.paused_until
        lines = [{name: getattr(one, name) for name in ConsentLine.model_fields} for one in log]
        told = {
            "consent": row.consent,
            "topics": row.topics,
            "paused_until": until and until.isoformat(),
            "tracking": row.tracking,
        }
        return JSONResponse(
            {"lead": row.id, **told, "log": [{**one, "at": one["at"].isoformat()} for one in lines]}
        )

    return router
