"""Discounts: what budgets and pools have left, one found by its code, and those issued last; taking one back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection, Row

from dripline.clock import MachineClock
from dripline.ingest.redeeming import find, state_of
from dripline.ingest.service import Ingest
from dripline.language.money import to_major
from dripline.reports.discounts import what_it_gives
from dripline.store.budgets import accounts
from dripline.store.discounts import by_code, is_code, newest
from dripline.store.leads import called
from dripline.store.pools import stock
from dripline.web.allowing import allows
from dripline.web.pages.frame import Frame
from dripline.web.visit import visit

NEWEST = 50
"""Discounts that the page lists: those issued last."""
SHARED = 50
"""Discounts of one code that are listed, where leads share it."""

FACES = {
    "open": "open",
    "reserved": "uncertain",
    "redeemed": "finished",
    "revoked": "left",
    "expired": "retired",
}
"""By state, the badge that looks like it."""
WORDS = {"revoked": "taken back"}
"""States that are said otherwise here."""

_Code = Annotated[str, Path(min_length=1, max_length=100)]
_Lead = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True)
class Shown:
    """A discount as the pages show it."""

    row: Row[Any]
    what: str
    state: str
    holder: Any
    """What its lead may be called."""

    @property
    def address(self) -> str:
        """Its page."""
        return address_of(self.row)


def address_of(row: Row[Any]) -> str:
    """The page of a discount; of a code with a slash, which no address can hold, the list of that code."""
    if "/" in row.code:
        return f"/discounts?{urlencode({'code': row.code})}"
    return f"/discounts/{quote(row.code)}" + (f"?{urlencode({'lead': row.lead_id})}" if row.shared else "")


def add_discounts(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/discounts`, `/discounts/CODE` and its `revoke`."""
    ingest = Ingest(frame.store, frame.workspace, machine=machine)

    def shown(connection: Connection, rows: list[Row[Any]], now: datetime) -> list[Shown]:
        holders = called(connection, {row.lead_id for row in rows})
        return [Shown(row, what_it_gives(row), state_of(row, now), holders[row.lead_id]) for row in rows]

    @router.get("/discounts")
    def overview(code: Annotated[str, Query(max_length=100)] = "") -> HTMLResponse:
        """Budgets, pools, and the discounts issued last, or those of a code."""
        asked = code.replace("\x00", "").strip()
        may_see = visit().may("read-leads")
        now = frame.now()
        with frame.store.read() as connection:
            rows: list[Row[Any]] = []
            if may_see:
                rows = by_code(connection, asked)[:SHARED] if asked else newest(connection, NEWEST)
            found = shown(connection, rows, now)
            budgets, pools = accounts(connection), stock(connection, frame.workspace.pools)
        return frame.page(
            "discounts.html",
            here="discounts",
            budgets=budgets,
            pools=pools,
            shown=found,
            asked=asked,
            mistyped=bool(asked) and not is_code(asked),
            may_see=may_see,
            faces=FACES,
            words=WORDS,
        )

    @router.get("/discounts/{code}", dependencies=[allows("read-leads")])
    def one_discount(code: _Code, lead: _Lead = "") -> HTMLResponse:
        """A discount, and what became of it."""
        now = frame.now()
        with frame.store.read() as connection:
            [one] = shown(connection, [find(connection, code, lead or None)], now)
        row = one.row

        def money(minor: int | None) -> str:
            if minor is None or row.currency is None:
                return ""
            return f"{to_major(minor, row.currency):,} {row.currency}"

        return frame.page(
            "discount.html",
            here="discounts",
            one=one,
            row=row,
            money=money,
            faces=FACES,
            words=WORDS,
            lead=lead,
        )

    @router.get("/discounts/{code}/revoke", dependencies=[allows("steer")])
    def ask_revoke(code: _Code, lead: _Lead = "") -> HTMLResponse:
        """Shall it be taken back?"""
        now = frame.now()
        with frame.store.read() as connection:
            [one] = shown(connection, [find(connection, code, lead or None)], now)
        barred = {
            "redeemed": "It was redeemed already.",
            "revoked": "It was taken back already.",
        }.get(one.state)
        return frame.page(
            "confirm.html",
            here="discounts",
            title=f"Take {one.row.code} back?",
            says=f"Nobody can redeem it any more ({one.what}). The lead is not told.",
            button="Take it back",
            action=f"/discounts/{quote(one.row.code)}/revoke",
            back=one.address,
            fields={"lead": lead},
            barred=barred,
            why=True,
            grave=True,
            clock=False,
            rows=[],
            doubling=0,
        )

    @router.post("/discounts/{code}/revoke", dependencies=[allows("steer")])
    def revoke(
        code: _Code,
        why: Annotated[str, Form(max_length=500)] = "",
        lead: Annotated[str, Form(max_length=64)] = "",
    ) -> Response:
        """Take it back."""
        said = " ".join(why.split()) or "no reason was given"
        row = ingest.revoke(code, lead or None, said, visit().said)
        return RedirectResponse(address_of(row), 303)
