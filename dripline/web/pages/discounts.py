"""Discounts: what budgets and pools have left, one found by its code, and those issued last; taking one back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection, Row

from dripline.clock import MachineClock
from dripline.ingest.redeeming import find_id, state_of
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

_Id = Annotated[str, Path(min_length=1, max_length=64)]


@dataclass(frozen=True)
class Shown:
    """A discount as the pages show it."""

    row: Row[Any]
    what: str
    state: str
    holder: Any
    """What its lead may be called."""


def add_discounts(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/discounts`, `/discounts/ID` and its `revoke`."""
    ingest = Ingest(frame.store, frame.workspace, machine=machine)

    def shown(connection: Connection, rows: list[Row[Any]], now: datetime) -> list[Shown]:
        holders = called(connection, {row.lead_id for row in rows})
        return [Shown(row, what_it_gives(row), state_of(row, now), holders[row.lead_id]) for row in rows]

    def of_id(discount: str) -> Shown:
        now = frame.now()
        with frame.store.read() as connection:
            [one] = shown(connection, [find_id(connection, discount)], now)
        return one

    @router.get("/discounts")
    def overview(code: Annotated[str, Query(max_length=100)] = "") -> HTMLResponse:
        """Budgets, pools, and the discounts issued last, or those of a code."""
        may_see = visit().may("read-leads")
        asked = code.replace("\x00", "").strip() if may_see else ""
        now = frame.now()
        with frame.store.read() as connection:
            rows: list[Row[Any]] = []
            if may_see:
                rows = by_code(connection, asked, limit=SHARED) if asked else newest(connection, NEWEST)
            found = shown(connection, rows, now)
            budgets, pools = accounts(connection), stock(connection, frame.workspace.pools)
        return frame.page(
            "discounts.html",
            here="discounts",
            budgets=budgets,
            pools=pools,
            shown=found,
            asked=asked,
            most=SHARED,
            mistyped=bool(asked) and not is_code(asked),
            may_see=may_see,
            faces=FACES,
            words=WORDS,
        )

    @router.get("/discounts/{discount}", dependencies=[allows("read-leads")])
    def one_discount(discount: _Id) -> HTMLResponse:
        """A discount, and what became of it."""
        one = of_id(discount)

        def money(minor: int | None) -> str:
            if minor is None or one.row.currency is None:
                return ""
            return f"{to_major(minor, one.row.currency):,} {one.row.currency}"

        return frame.page(
            "discount.html", here="discounts", one=one, row=one.row, money=money, faces=FACES, words=WORDS
        )

    @router.get("/discounts/{discount}/revoke", dependencies=[allows("steer")])
    def ask_revoke(discount: _Id) -> HTMLResponse:
        """Shall it be taken back?"""
        one = of_id(discount)
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
            action=f"/discounts/{one.row.id}/revoke",
            back=f"/discounts/{one.row.id}",
            fields={},
            barred=barred,
            why=True,
            grave=True,
            clock=False,
            rows=[],
            doubling=0,
        )

    @router.post("/discounts/{discount}/revoke", dependencies=[allows("steer")])
    def revoke(discount: _Id, why: Annotated[str, Form(max_length=500)] = "") -> Response:
        """Take it back."""
        said = " ".join(why.split()) or "no reason was given"
        row = ingest.revoke_id(discount, said, visit().said)
        return RedirectResponse(f"/discounts/{row.id}", 303)
