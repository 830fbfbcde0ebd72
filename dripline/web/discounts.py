"""The part of the API that a shop uses: look a code up, reserve it, redeem it once, take it back; budgets and pools."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Row

from dripline.clock import MachineClock
from dripline.ingest.redeeming import Purchase, find, state_of
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.ingest.service import Ingest
from dripline.language.money import to_major
from dripline.language.workspace import Workspace
from dripline.store import discounts
from dripline.store.audit import record_act
from dripline.store.budgets import accounts
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.pools import keep_codes, stock
from dripline.web.described import documented
from dripline.web.needing import caller_of, needs
from dripline.web.shapes import Answer, DiscountOut

_Code = Annotated[str, Path(min_length=1, max_length=100)]
_Lead = Annotated[
    str | None,
    Field(max_length=64, description="Dripline's id of the lead, where leads share a code."),
]
_Pool = Annotated[str, Path(min_length=1, max_length=128)]
_OneCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
MOST_CODES = 2_000
"""Codes that one request may bring."""
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


class BudgetOut(Answer):
    """How a budget stands. Amounts are in whole units of `currency`."""

    model_config = ConfigDict(from_attributes=True)

    budget: str = Field(examples=["spring"])
    currency: str | None = Field(description="ISO 4217.", examples=["AMD"])
    amount: float | None = Field(
        description="All of its discounts together; null: any.", examples=[1_000_000]
    )
    spent: float | None = Field(description="What came off orders.", examples=[412_000])
    committed: float | None = Field(description="What open codes may still come to.", examples=[150_000])
    issued: int = Field(description="Codes that it has paid for.", examples=[120])
    codes: int | None = Field(description="How many it may pay for; null: any number.", examples=[None])
    exhausted: bool = Field(
        description="Nothing is left of it. Before that it refuses what is more than is left.",
        examples=[False],
    )


class PoolOut(Answer):
    """How many codes of a pool nobody has yet."""

    model_config = ConfigDict(from_attributes=True)

    pool: str = Field(examples=["cinema"])
    left: int = Field(examples=[88])
    all: int = Field(description="How many it has had.", examples=[500])
    low: bool = Field(description="Fewer are left than dripline.yaml wants.", examples=[True])
    declared: bool = Field(description="dripline.yaml has it (still).", examples=[True])


class CodesIn(_Said):
    """Codes of somebody else's."""

    codes: Annotated[list[_OneCode], Field(min_length=1, max_length=MOST_CODES)] = Field(
        description=f"Up to {MOST_CODES:,}, as they are to be written to leads.",
        examples=[["CINEMA-0001", "CINEMA-0002"]],
    )


class CodesKept(Answer):
    """What became of them."""

    new: int = Field(examples=[2])
    known: int = Field(description="The pool had them already.", examples=[0])
    elsewhere: list[str] = Field(
        description="Left out, as another pool has them, or a lead got them otherwise.", examples=[[]]
    )


def add_discounts(
    router: APIRouter,
    ingest: Ingest,
    store: Store,
    workspace: Workspace,
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
    def revoke(code: _Code, said: Revocation, request: Request) -> DiscountOut:
        """Nobody can redeem it any more; 409 where somebody has."""
        return told(ingest.revoke(code, said.lead, said.why, caller_of(request).said))

    @router.get(
        "/budgets",
        dependencies=[needs("reports:read")],
        tags=["discounts"],
        summary="How budgets stand",
        response_description="Those of published journeys and of programs that gave something",
    )
    def show_budgets() -> list[BudgetOut]:
        """What each has spent, may still have to spend, and how many codes it has issued."""
        with store.read() as connection:
            return [BudgetOut.model_validate(one) for one in accounts(connection)]

    @router.get(
        "/pools",
        dependencies=[needs("reports:read")],
        tags=["discounts"],
        summary="How many codes pools have left",
        response_description="All of `pools`, and those that had codes before",
    )
    def show_pools() -> list[PoolOut]:
        """A low one has fewer than dripline.yaml wants (`low`)."""
        with store.read() as connection:
            return [PoolOut.model_validate(one) for one in stock(connection, workspace.pools)]

    @router.post(
        "/pools/{pool}/codes",
        dependencies=[needs("discounts:write")],
        responses=documented(404),
        tags=["discounts"],
        summary="Add codes to a pool",
        response_description="They are kept",
    )
    def add_to_pool(pool: _Pool, said: CodesIn, request: Request) -> CodesKept:
        """Each is given to one lead, in their order. What the pool has stays as it is: a repeat changes nothing."""
        if pool not in workspace.pools:
            raise Refused(404, "unknown-pool", "There is no pool of that name in dripline.yaml.")
        codes = {discounts.plain_code(code): code for code in said.codes}
        wrong = [
            FieldError(f"codes.{index}", f"`{code}` {why}")
            for index, code in enumerate(said.codes)
            if (why := discounts.unfit(code))
        ]
        if wrong:
            raise invalid(wrong)
        with store.write() as connection:
            now = machine()
            kept = keep_codes(connection, pool, codes, now)
            by = caller_of(request).said
            record_act(connection, "codes-imported", by, None, now, pool=pool, new=kept.new)
        return CodesKept(new=kept.new, known=kept.known, elsewhere=list(kept.elsewhere))


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
