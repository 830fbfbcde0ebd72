"""The first page: how many are under way, and where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from dripline.store.figures import Figures, read_figures
from dripline.store.overview import count_refused, list_messages, list_runs
from dripline.store.plans import published
from dripline.web.pages.frame import Frame

RUNS_A_PAGE = 25
LATEST = 5

Shown = Annotated[str, Query(pattern="^(all|open|ended)$")]
IS_OPEN = {"all": None, "open": True, "ended": False}


def add_overview(router: APIRouter, frame: Frame, port: int) -> None:
    """Add `/`."""

    @router.get("/")
    def overview(
        journey: Annotated[str | None, Query(max_length=128)] = None,
        show: Shown = "all",
        after: Annotated[str | None, Query(max_length=64)] = None,
        live: bool = False,
    ) -> HTMLResponse:
        """Runs, and the newest messages."""
        with frame.store.read() as connection:
            runs = list_runs(connection, journey, None, IS_OPEN[show], after, RUNS_A_PAGE)
            stands = frame.stands(connection, runs.rows)
            figures = read_figures(connection)
            latest, _ = list_messages(connection, None, 0, LATEST)
            refused = count_refused(connection)
            journeys = {one.plan.journey: one for one in published(connection)}
        return frame.page(
            "overview.html",
            here="overview",
            runs=runs,
            stands=stands,
            figures={name: figures.get(name, Figures()) for name in sorted({*figures, *journeys})},
            journeys=journeys,
            latest=latest,
            totals={**_totals(figures), "refused": refused},
            chosen={"journey": journey, "show": show, "after": after, "live": live},
            port=port,
        )


def _totals(figures: Mapping[str, Figures]) -> dict[str, int]:
    return {
        "open": sum(one.open for one in figures.values()),
        "ended": sum(one.ended for one in figures.values()),
        "sent": sum(one.sent for one in figures.values()),
    }
