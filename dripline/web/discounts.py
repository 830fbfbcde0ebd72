"""The part of the API that a shop uses: look a code up, reserve it for an order, redeem it once, take it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from dripline.clock import MachineClock
from dripline.ingest.redeeming import Purchase, find, state_of
from dripline.ingest.service import Ingest
from dripline.language.money import to_major
from dripline.store import discounts
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.web.needing import needs
from dripline.web.shapes import DiscountOut

_Code = Annotated[str, Path(min_length=1, max_length=100)]
_Lead = Annotated[
    str | None,
    Field(max_length=64, description="Dripline's id of the lead, where leads share a code."),
]
_Reference = Annotated[
    str, Field(min_length=1, max_length=256, description="The order, as the shop calls it.")
]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Redemption(_Said):
    """What a code is redeemed for."""

    reference: _Reference
    lead: _Lead = None
    total: Annotated[Decimal, Field(ge=0, lt=10**12, max_digits=16, decimal_places=4)] | None = Field(
        None, description="What the order comes to without the discount; needed where a budget pays."
    )
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        None, description="ISO 4217; without it, the discount's or the workspace's."
    )


class Reservation(_Said):
    """For which order a code is kept, and how long."""

    reference: _Reference
    lead: _Lead = None
    minutes: Annotated[int, Field(ge=1, le=1_440)] = Field(30, description="How long no other may redeem it.")


class Release(_Said):
    """The order that will not come."""

    reference: _Reference
    lead: _Lead = None


class Revocation(_Said):
    """Why a discount is taken back."""

    why: str = Field(min_length=1, max_length=500, description="For those who ask later.")
    lead: _Lead = None


def add_discounts(
    router: APIRouter,
    ingest: Ingest,
    store: Store,
    machine: MachineClock,
    problems: dict[int | str, dict[str, Any]],
) -> None:
    """Add `/discounts` to the API; `problems` describes its refusals."""

    def told(row: Row[Any]) -> DiscountOut:
        with store.read() as connection:
            return _told(row, open_house(connection).clock.to_house(machine()))

    def route(path: str) -> dict[str, Any]:
        return {
            "path": f"/discounts/{{code}}{path}",
            "dependencies": [needs("discounts:write" if path else "leads:read")],
            "responses": problems,
            "tags": ["discounts"],
            "response_description": "The discount as it is now",
        }

    @router.get(**route(""), summary="A discount by its code")
    def show(code: _Code, lead: Annotated[str | None, Query(max_length=64)] = None) -> DiscountOut:
        """However it is typed. Where leads share a code, `lead` says whose."""
        with store.read() as connection:
            row = find(connection, code, lead)
        return told(row)

    @router.post(**route("/redeem"), summary="Redeem a code once")
    def redeem(code: _Code, said: Redemption) -> DiscountOut:
        """200 for the first time and for repeats with the same `reference`; 409 for another, 410 when expired."""
        return told(ingest.redeem(code, Purchase(said.reference, said.lead, said.total, said.currency)))

    @router.post(**route("/reserve"), summary="Keep a code for an order")
    def reserve(code: _Code, said: Reservation) -> DiscountOut:
        """While its customer pays: 409 for every other order until then. Again with the same one: longer."""
        return told(ingest.reserve(code, said.reference, said.lead, timedelta(minutes=said.minutes)))

    @router.post(**route("/release"), summary="Let others redeem a code that was reserved")
    def release(code: _Code, said: Release) -> DiscountOut:
        """The order will not come. It changes nothing where another has reserved the code by now."""
        return told(ingest.release(code, said.reference, said.lead))

    @router.post(**route("/revoke"), summary="Take a discount back")
    def revoke(code: _Code, said: Revocation) -> DiscountOut:
        """Nobody can redeem it any more; 409 where somebody has."""
        return told(ingest.revoke(code, said.lead, said.why))


def _told(row: Row[Any], now: datetime) -> DiscountOut:
    names = ("issued_at", "expires_at", "redeemed_at", "redeemed_for", "reserved_for", "reserved_until")
    more = ("revoked_at", "revoked_why")
    money = {
        name: to_major(minor, row.currency)
        for name, minor in (("total", row.total), ("given", row.given))
        if minor is not None and row.currency is not None
    }
    return DiscountOut(
        **discounts.said(row),
        **money,
        state=state_of(row, now),
        lead=row.lead_id,
        journey=row.journey,
        **{name: getattr(row, name) for name in (*names, *more)},
    )
