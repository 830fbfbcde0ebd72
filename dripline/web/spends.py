"""The part of the API that is told what advertising cost."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dripline.clock import MachineClock
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.language.money import to_major
from dripline.language.workspace import Workspace
from dripline.reports.spending import SpendError, read_spend
from dripline.store.database import Store
from dripline.store.spends import keep_spends, list_spends, remove_spend
from dripline.web.days import Day
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute

MOST = 1_000
_MARCH = {"first_day": "2026-03-01", "last_day": "2026-03-31", "source": "google", "channel": "paid-search"}


_Word = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class SpendIn(BaseModel):
    """What was paid for some days."""

    model_config = ConfigDict(extra="forbid")

    first_day: Day = Field(description="The first day that it was for.")
    last_day: Day | None = Field(None, description="The last day, included; without it, the first.")
    source: _Word | None = Field(None, description="As touches call it.")
    channel: str | None = Field(None, description="As touches call it.", max_length=64, min_length=1)
    campaign: _Word | None = Field(None, description="As touches call it.")
    amount: Decimal = Field(ge=0, lt=10**12, max_digits=16, decimal_places=4, description="What was paid.")
    currency: str | None = Field(
        None, pattern="^[A-Z]{3}$", description="ISO 4217; without it, the workspace's."
    )


class SpendsIn(BaseModel):
    """What was paid."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"spends": [{**_MARCH, "amount": 310.05, "currency": "USD"}]}]},
    )

    spends: list[SpendIn] = Field(max_length=MOST, description=f"Up to {MOST:,}.")


class SpendsSaved(Answer):
    """What became of them."""

    new: int = Field(examples=[1])
    changed: int = Field(description="Known ones that now have another amount.", examples=[0])


class SpendOut(Answer):
    """What was paid for some days."""

    id: str = Field(examples=["9f2b6a0c4e1d4d8f9a7b3c2d1e0f5a6b"])
    first_day: date = Field(examples=["2026-03-01"])
    last_day: date = Field(examples=["2026-03-31"])
    source: str | None = Field(examples=["google"])
    channel: str | None = Field(examples=["paid-search"])
    campaign: str | None = Field(examples=[None])
    amount: float = Field(examples=[310.05])
    currency: str = Field(examples=["USD"])
    by: str | None = Field(description="Who told it.", examples=["key ads"])
    at: datetime = Field(examples=["2026-04-01T06:00:00+00:00"])


class Spends(Answer):
    """A page of them."""

    spends: list[SpendOut]
    next: str | None = Field(description="For `after`; null: there are no more.", examples=[None])


class SpendRemoved(Answer):
    """It is gone."""

    removed: str = Field(description="Its id.", examples=["9f2b6a0c4e1d4d8f9a7b3c2d1e0f5a6b"])


def build_spends(store: Store, workspace: Workspace, machine: MachineClock) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, responses=documented(415, 422), tags=["reports"]
    )

    @router.put(
        "/spends",
        dependencies=[needs("reports:write")],
        response_model=SpendsSaved,
        response_description="They are kept",
        summary="Say what was paid",
    )
    def keep(said: SpendsIn, request: Request) -> JSONResponse:
        """All of it is kept, or nothing. Told again of the same days, source, channel, campaign and currency, the
        amount is replaced: a repeat changes nothing."""
        read, wrong = [], []
        for index, one in enumerate(said.spends):
            try:
                read.append(read_spend(one.model_dump(mode="json"), workspace.currency))
            except SpendError as error:
                wrong.append(FieldError(f"spends.{index}.{error.field}", error.message))
        if wrong:
            raise invalid(wrong)
        with store.write() as connection:
            new, changed = keep_spends(connection, read, caller_of(request).said, machine())
        return JSONResponse({"new": new, "changed": changed})

    @router.get(
        "/spends",
        dependencies=[needs("reports:read")],
        response_model=Spends,
        response_description="A page of them",
        summary="What was paid",
    )
    def show(
        since: Annotated[Day | None, Query(description="For days from then on.")] = None,
        until: Annotated[Day | None, Query(description="For days up to then.")] = None,
        after: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
    ) -> JSONResponse:
        """In no order that means anything."""
        with store.read() as connection:
            rows = list_spends(connection, since, until, after, limit + 1)
        more = rows[limit - 1].id if len(rows) > limit else None
        return JSONResponse({"spends": [_told(row) for row in rows[:limit]], "next": more})

    @router.delete(
        "/spends/{spend}",
        dependencies=[needs("reports:write")],
        response_model=SpendRemoved,
        response_description="It is gone",
        responses=documented(404),
        summary="Take a cost away",
    )
    def remove(spend: Annotated[str, Path(min_length=1, max_length=64)]) -> JSONResponse:
        """404 where there is none of that id (any more)."""
        with store.write() as connection:
            if not remove_spend(connection, spend):
                raise Refused(404, "unknown-spend", "There is no cost of that id.")
        return JSONResponse({"removed": spend})

    return router


def _told(row: Any) -> dict[str, Any]:
    names = ("id", "first_day", "last_day", "source", "channel", "campaign", "currency", "by")
    said = {name: getattr(row, name) for name in names}
    return {**said, "amount": to_major(row.amount, row.currency), "at": row.at.isoformat()}
