"""Journeys in numbers, and one of them with its runs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse

from dripline.ingest.refusal import Refused
from dripline.store.figures import Figures, read_figures, read_listings
from dripline.store.overview import list_runs
from dripline.store.plans import published
from dripline.web.pages.frame import Frame
from dripline.web.pages.overview import IS_OPEN, RUNS_A_PAGE, Shown


def add_journeys(router: APIRouter, frame: Frame) -> None:
    """Add `/journeys` and `/journeys/ID`."""

    @router.get("/journeys")
    def journeys() -> HTMLResponse:
        """Every published journey, and what became of its runs and messages."""
        with frame.store.read() as connection:
            plans = [one.plan for one in published(connection)]
            figures = read_figures(connection)
            listings = read_listings(connection)
        shown = [(plan, listings[plan.journey], figures.get(plan.journey, Figures())) for plan in plans]
        return frame.page("journeys.html", here="journeys", shown=shown, currency=frame.workspace.currency)

    @router.get("/journeys/{journey}")
    def one_journey(
        journey: Annotated[str, Path(max_length=128)],
        show: Shown = "all",
        after: Annotated[str | None, Query(max_length=64)] = None,
    ) -> HTMLResponse:
        """A journey, what became of its runs, and where they stand."""
        with frame.store.read() as connection:
            plans = {one.plan.journey: one.plan for one in published(connection)}
            if journey not in plans:
                raise Refused(404, "unknown-journey", "There is no published journey of that name.")
            figures = read_figures(connection, journey).get(journey, Figures())
            listing = read_listings(connection)[journey]
            runs = list_runs(connection, journey, None, IS_OPEN[show], after, RUNS_A_PAGE)
        return frame.page(
            "journey.html",
            here="journeys",
            path=f"/journeys/{journey}",
            plan=plans[journey],
            listing=listing,
            figures=figures,
            runs=runs,
            chosen={"show": show, "after": after},
            currency=frame.workspace.currency,
        )
