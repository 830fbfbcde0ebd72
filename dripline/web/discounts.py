"""The part of the API that a shop uses: look a code up, redeem it once."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Row

from dripline.clock import machine_clock
from dripline.ingest.refusal import Refused
from dripline.store import discounts
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.web.needing import needs
from dripline.web.shapes import DiscountOut

_Code = Annotated[str, Path(min_length=1, max_length=100)]


class Redemption(BaseModel):
    """What a code is redeemed for."""

    model_config = ConfigDict(extra="forbid")

    reference: str = Field(min_length=1, max_length=256, description="The order, as the shop calls it.")
    lead: str | None = Field(
        None, max_length=64, description="Dripline's id of the lead, where leads share a code."
    )


def add_discounts(router: APIRouter, store: Store, problems: dict[int | str, dict[str, Any]]) -> None:
    """Add `/discounts` to the API; `problems` describes its refusals."""

    @router.get(
        "/discounts/{code}",
        dependencies=[needs("leads:read")],
        response_model=DiscountOut,
        response_description="The discount",
        responses=problems,
        tags=["discounts"],
        summary="A discount by its code",
    )
    def show(code: _Code, lead: Annotated[str | None, Query(max_length=64)] = None) -> JSONResponse:
        """However it is typed. Where leads share a code, `lead` says whose."""
        with store.read() as connection:
            now = open_house(connection).clock.to_house(machine_clock())
            return JSONResponse(_told(_one(connection, code, lead), now))

    @router.post(
        "/discounts/{code}/redeem",
        dependencies=[needs("discounts:write")],
        response_model=DiscountOut,
        response_description="The discount, redeemed for that",
        responses=problems,
        tags=["discounts"],
        summary="Redeem a code once",
    )
    def redeem(code: _Code, said: Redemption) -> JSONResponse:
        """200 for the first time and for repeats with the same `reference`; 409 for another, 410 when expired."""
        with store.write() as connection:
            now = open_house(connection).clock.to_house(machine_clock())
            row = _one(connection, code, said.lead, said.reference)
            if row.redeemed_at is None and row.expires_at is not None and row.expires_at <= now:
                raise Refused(410, "expired", f"The last day of this discount was {row.expires_on}.")
            row = discounts.redeem(connection, row.id, said.reference, now)
            if row.redeemed_for != said.reference:
                raise Refused(409, "redeemed", "This discount was redeemed for something else.")
            return JSONResponse(_told(row, now))


def _one(connection: Connection, code: str, lead: str | None, reference: str | None = None) -> Row[Any]:
    rows = [row for row in discounts.by_code(connection, code) if lead is None or row.lead_id == lead]
    if not rows:
        wrong = "" if discounts.is_code(code) else " A character of it may be wrong."
        raise Refused(404, "unknown-code", f"There is no discount of this code.{wrong}")
    if len({row.lead_id for row in rows}) > 1:
        raise Refused(409, "shared-code", "Leads share this code: say by `lead` whose discount it is.")
    known = (row for row in rows if reference is not None and row.redeemed_for == reference)
    return next(known, None) or next((row for row in rows if row.redeemed_at is None), rows[0])


def _told(row: Row[Any], now: datetime) -> dict[str, Any]:
    over = row.expires_at is not None and row.expires_at <= now
    state = "redeemed" if row.redeemed_at is not None else "expired" if over else "open"
    times = {name: getattr(row, name) for name in ("issued_at", "expires_at", "redeemed_at")}
    return {
        **discounts.said(row),
        "state": state,
        "lead": row.lead_id,
        "journey": row.journey,
        **{name: at.isoformat() if at else None for name, at in times.items()},
        "redeemed_for": row.redeemed_for,
    }
