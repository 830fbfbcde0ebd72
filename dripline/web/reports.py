"""The part of the API that reports: what earned money, how far leads come, which arm did better. JSON, or CSV."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response

from dripline.clock import MachineClock
from dripline.language.workspace import Workspace
from dripline.reports import cohorts, discounts, experiments, funnel, messages, owners, recycling, revenue
from dripline.reports.catalogue import REPORTS, Wanted
from dripline.reports.shapes import Report
from dripline.store.database import Store
from dripline.store.overview import house_clock
from dripline.web.described import documented
from dripline.web.needing import needs
from dripline.web.reporting import asked_report, csv_of
from dripline.web.strict_json import StrictRoute

_Currency = Annotated[
    str | None, Query(pattern="^[A-Z]{3}$", description="Of the amounts (ISO 4217); else the workspace's.")
]
_Journey = Annotated[str | None, Query(max_length=128, description="Only this journey.")]


class _Asked:
    """What every report is asked."""

    def __init__(
        self,
        since: Annotated[
            str | None,
            Query(max_length=32, description="The first day, a length like `30 days`, or `beginning`."),
        ] = None,
        until: Annotated[str | None, Query(max_length=10, description="The last day; else today.")] = None,
        format: Annotated[Literal["json", "csv"], Query(description="CSV has the rows alone.")] = "json",  # noqa: A002 - what callers call it
    ) -> None:
        self.days: dict[str, Any] = {"since": since, "until": until}
        self.is_csv = format == "csv"


_Days = Annotated[_Asked, Depends(_Asked)]


def build_reports(store: Store, workspace: Workspace, machine: MachineClock) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(
        prefix="/v1", route_class=StrictRoute, responses=documented(404, 422), tags=["reports"]
    )

    def told(name: str, asked: _Asked, **more: Any) -> Response:
        now = house_clock(store).to_house(machine())
        with store.read() as connection:
            made = asked_report(connection, Wanted(name, **asked.days, **more), workspace, now)
        return csv_of(made) if asked.is_csv else JSONResponse(made.model_dump(mode="json"))

    def route(name: str, row: Any) -> dict[str, Any]:
        csv = {"content": {"text/csv": {"schema": {"type": "string"}}}}
        return {
            "path": f"/reports/{name}",
            "dependencies": [needs("reports:read")],
            "response_model": Report[row],
            "response_description": "The report",
            "responses": {200: csv},
            "summary": REPORTS[name].title,
        }

    @router.get(**route("funnel", funnel.FunnelRow))
    def show_funnel(asked: _Days, journey: _Journey = None) -> Response:
        """How far leads come: to their second order, or through a journey step by step."""
        return told("funnel", asked, journey=journey)

    @router.get(**route("sources", cohorts.CohortRow))
    def show_sources(asked: _Days, by: cohorts.By = "source", currency: _Currency = None) -> Response:
        """The leads who came in these days: customers, time, revenue, cost and return."""
        return told("sources", asked, by=by, currency=currency)

    @router.get(**route("orders", revenue.OrdersRow))
    def show_orders(asked: _Days, by: revenue.Unit = "week", currency: _Currency = None) -> Response:
        """What was bought in these days, and what of it was given back."""
        return told("orders", asked, by=by, currency=currency)

    @router.get(**route("revenue", revenue.RevenueRow))
    def show_revenue(
        asked: _Days,
        by: revenue.By = "source",
        via: Annotated[
            revenue.Via | None,
            Query(description="Which messages count; else those clicked, where clicks are tracked."),
        ] = None,
        days: Annotated[
            int | None, Query(ge=1, le=3_650, description="How long before an order; else 90, of messages 7.")
        ] = None,
        currency: _Currency = None,
    ) -> Response:
        """What led to the orders of these days: credited to the first, to the last, and evenly to all."""
        return told("revenue", asked, by=by, via=via, days=days, currency=currency)

    @router.get(**route("channels", messages.ChannelRow))
    def show_channels(asked: _Days, by: messages.Kinds = "channel") -> Response:
        """What became of the messages of these days, and whom they reached."""
        return told("channels", asked, by=by)

    @router.get(**route("experiments", experiments.ArmRow))
    def show_experiments(
        asked: _Days,
        journey: _Journey = None,
        measure: Annotated[
            experiments.Measure | None,
            Query(description="What counts as converted; else the goal, where there is one."),
        ] = None,
        lift: Annotated[
            float | None, Query(ge=1, le=1_000, description="The lift worth knowing, in percent; else 20.")
        ] = None,
        currency: _Currency = None,
    ) -> Response:
        """The arms of splits and the control groups, from the beginning: with lift, interval and a plain verdict."""
        return told("experiments", asked, journey=journey, measure=measure, lift=lift, currency=currency)

    @router.get(**route("deliverability", messages.DeliveryRow))
    def show_deliverability(asked: _Days, by: messages.Ways = "sender") -> Response:
        """How well the messages of these days arrived, and what bounces and complaints mean."""
        return told("deliverability", asked, by=by)

    @router.get(**route("owners", owners.OwnerRow))
    def show_owners(asked: _Days, currency: _Currency = None) -> Response:
        """The leads and tasks that each person was given in these days: reactions, customers, revenue."""
        return told("owners", asked, currency=currency)

    @router.get(**route("recycling", recycling.RecyclingRow))
    def show_recycling(asked: _Days, by: recycling.By = "reason", currency: _Currency = None) -> Response:
        """The leads that were lost in these days: how many came back, after how long, and what they bought."""
        return told("recycling", asked, by=by, currency=currency)

    @router.get(**route("discounts", discounts.DiscountsRow))
    def show_discounts(
        asked: _Days, by: discounts.By = "journey", journey: _Journey = None, currency: _Currency = None
    ) -> Response:
        """The discounts that were issued in these days: redeemed, open, expired, what came off, and of how much."""
        return told("discounts", asked, by=by, journey=journey, currency=currency)

    return router
