"""Journeys in numbers, and one of them as a picture with its runs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from dripline.drawing import Count, draw
from dripline.explaining import ENGLISH, explain
from dripline.ingest.refusal import Refused
from dripline.language.plan import Plan, SplitStep
from dripline.store.figures import Figures, Steps, count_older, read_figures, read_listings, read_steps
from dripline.store.overview import list_runs
from dripline.store.plans import load_plan
from dripline.web.pages.frame import Frame
from dripline.web.pages.overview import IS_OPEN, RUNS_A_PAGE, Shown

Text = Annotated[str | None, Query(max_length=256)]


def add_journeys(router: APIRouter, frame: Frame) -> None:
    """Add `/journeys` and `/journeys/ID`."""

    @router.get("/journeys")
    def journeys() -> HTMLResponse:
        """Every published journey, and what became of its runs and messages."""
        with frame.store.read() as connection:
            figures = read_figures(connection)
            shown = [
                (load_plan(connection, listing.plan_hash), listing, figures.get(name, Figures()))
                for name, listing in read_listings(connection).items()
                if listing.retired_at is None or (name in figures and figures[name].open)
            ]
        enters = {plan.journey: _enters(plan, frame.workspace.locales[0]) for plan, _, _ in shown}
        return frame.page(
            "journeys.html", here="journeys", shown=shown, enters=enters, currency=frame.workspace.currency
        )

    @router.get("/journeys/{journey}")
    def one_journey(
        journey: Annotated[str, Path(max_length=128)],
        show: Shown = "all",
        step: Text = None,
        outcome: Text = None,
        after: Text = None,
    ) -> HTMLResponse:
        """A journey as a picture, what became of its runs, and where they stand."""
        with frame.store.read() as connection:
            listing = read_listings(connection).get(journey)
            if listing is None:
                raise Refused(404, "unknown-journey", "There is no published journey of that name.")
            plan = load_plan(connection, listing.plan_hash)
            figures = read_figures(connection, journey).get(journey, Figures())
            older = count_older(connection, journey, listing.plan_hash)
            steps = read_steps(connection, journey)
            runs = list_runs(connection, journey, None, IS_OPEN[show], after, RUNS_A_PAGE, step, outcome)
            stands = frame.stands(connection, runs.rows)
        return frame.page(
            "journey.html",
            here="journeys",
            path=f"/journeys/{journey}",
            plan=plan,
            experiments=bool(plan.holdout) or any(isinstance(step, SplitStep) for step in plan.steps),
            listing=listing,
            figures=figures,
            older=older,
            runs=runs,
            stands=stands,
            chosen={"show": show, "step": step, "outcome": outcome, "after": after},
            currency=frame.workspace.currency,
            explained=explain(plan, ENGLISH, frame.workspace.locales[0]).sections,
            **_standing(plan, figures, steps),
        )


def _enters(plan: Plan, locale: str) -> str:
    """Who enters, in plain sentences."""
    return " ".join(line.text for line in explain(plan, ENGLISH, locale).sections[0].lines)


def _standing(plan: Plan, figures: Figures, steps: Steps) -> dict[str, Any]:
    """The picture with where everybody stands, and the same as numbers."""
    counts = {step.id: Count(steps.here.get(step.id, 0), steps.passed.get(step.id, 0)) for step in plan.steps}
    looked_at = steps.most if figures.open + figures.ended > steps.most else None
    return {
        "picture": Markup(draw(plan, counts, alone=False)),  # noqa: S704 - escaped where it is drawn
        "steps": [(step, counts[step.id]) for step in plan.steps],
        "beginning": steps.here.get(None, 0),
        "elsewhere": {id_: number for id_, number in steps.here.items() if id_ and id_ not in counts},
        "looked_at": looked_at,
    }
