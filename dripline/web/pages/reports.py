"""Reports with charts, and the same as a file for spreadsheets."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from dripline.clock import MachineClock
from dripline.ingest.refusal import Refused
from dripline.reports.amounts import currencies
from dripline.reports.catalogue import REPORTS, Wanted
from dripline.reports.discounts import currencies_of
from dripline.reports.messages import messages_by_day
from dripline.reports.period import Period
from dripline.reports.saying import is_number, say, say_between, say_days, say_key
from dripline.reports.shapes import Report, told_columns
from dripline.simulate.chart import COLOURS, columns
from dripline.store.figures import read_listings
from dripline.store.overview import house_clock
from dripline.web.charts import bar, bounds_of, interval
from dripline.web.pages.frame import Frame
from dripline.web.reporting import asked_report, csv_of

PERIODS = {"30 days": "30 days", "90 days": "90 days", "365 days": "a year", "beginning": "everything"}
BARS = {
    "funnel": "reached",
    "sources": "leads",
    "owners": "given",
    "recycling": "back",
    "discounts": "redeemed",
    "revenue": "linear",
    "channels": "sent",
    "deliverability": "sent",
}
"""The figure that the bars show."""
_BY_DAY = 120
"""Days that a chart shows one by one; of more, it shows weeks."""


class _Asked:
    """What was chosen on the page."""

    def __init__(
        self,
        since: Annotated[str, Query(max_length=32)] = "",
        until: Annotated[str, Query(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = "",
        by: Annotated[str, Query(max_length=32)] = "",
        journey: Annotated[str, Query(max_length=128)] = "",
        currency: Annotated[str, Query(pattern="^([A-Z]{3})?$")] = "",
    ) -> None:
        said = {"since": since, "until": until, "by": by, "journey": journey, "currency": currency}
        self.said: dict[str, Any] = {name: value or None for name, value in said.items()}

    def of(self, report: str) -> Wanted:
        """That of a report."""
        if report not in REPORTS:
            raise Refused(404, "unknown-report", f"There is no such report; there are {', '.join(REPORTS)}.")
        return Wanted(report, **self.said)


_Chosen = Annotated[_Asked, Depends(_Asked)]
_Name = Annotated[str, Path(max_length=32)]


def add_reports(router: APIRouter, frame: Frame, machine: MachineClock) -> None:
    """Add `/reports`, `/reports/NAME` and `/reports/NAME/csv`."""

    def made(wanted: Wanted) -> tuple[Report[Any], list[str], list[str], str]:
        with frame.store.read() as connection:
            now = house_clock(frame.store).to_house(machine())
            found = asked_report(connection, wanted, frame.workspace, now)
            chart = ""
            if wanted.name == "deliverability" and found.rows:
                period = Period(found.since, found.until, frame.zone)
                chart = _stacked(messages_by_day(connection, period))
            known = [
                *currencies(connection),
                *(currencies_of(connection) if wanted.name == "discounts" else ()),
            ]
            has = sorted({found.currency, *known}) if found.currency else []
            return found, list(read_listings(connection)), has, chart

    @router.get("/reports/{report}/csv")
    def as_file(report: _Name, asked: _Chosen) -> Response:
        """The report for a spreadsheet."""
        return csv_of(made(asked.of(report))[0])

    def show(wanted: Wanted) -> HTMLResponse:
        about = REPORTS[wanted.name]
        report, journeys, has, chart = made(wanted)
        if report.report == "orders":
            chart = _over_time(report)
        shown = told_columns(report)
        if report.report == "funnel" and report.rows:  # what a step does says more than what it is called
            shown = [one for one in shown if one.name != "key"]
        chosen = replace(wanted, since=wanted.since or about.since or "90 days")
        return frame.page(
            "report.html",
            here="reports",
            reports=REPORTS,
            about=about,
            report=report,
            chosen=chosen,
            query={name: getattr(wanted, name) for name in ("since", "until", "by", "journey", "currency")},
            periods=PERIODS | ({} if chosen.since in PERIODS else {chosen.since: f"from {chosen.since}"}),
            currencies=has if len(has) > 1 else [],
            journeys=journeys if wanted.name in ("funnel", "experiments", "discounts") else [],
            days=say_days(report),
            columns=shown,
            ids=report.report == "funnel" and wanted.journey is not None,
            is_number=is_number,
            cell=lambda row, column: say(getattr(row, column.name), column),
            between=say_between,
            key=lambda row, column: say_key(getattr(row, column.name), report),
            pictured="difference" if wanted.name == "experiments" else shown[0].name,
            pictures=[Markup(picture) for picture in _pictures(report)],  # noqa: S704 - numbers alone
            chart=Markup(chart),  # noqa: S704 - escaped where it is drawn
            legend=list(zip(_LEGENDS.get(wanted.name, ()), COLOURS, strict=False)),
        )

    @router.get("/reports")
    def first(asked: _Chosen) -> HTMLResponse:
        """How far leads come."""
        return show(asked.of("funnel"))

    @router.get("/reports/{report}")
    def one(report: _Name, asked: _Chosen) -> HTMLResponse:
        """A report."""
        return show(asked.of(report))


_STATES = ("sent", "bounced", "failed")
_LEGENDS = {"deliverability": _STATES, "orders": ("revenue", "given back")}


def _pictures(report: Report[Any]) -> list[str]:
    """A small picture for each row; none where one would say nothing."""
    if report.report == "experiments":
        between = [(row.difference_low, row.difference, row.difference_high) for row in report.rows]
        bounds = bounds_of([(low, high) for low, _, high in between if low is not None])
        return ["" if low is None else interval(low, value, high, bounds) for low, value, high in between]
    name = BARS.get(report.report)
    if name is None:
        return [""] * len(report.rows)
    values = [getattr(row, name) or 0 for row in report.rows]
    return [bar(value, max(values)) for value in values]


def _over_time(report: Report[Any]) -> str:
    """Revenue, a column each time; what was given back on top of it. Times without orders have their place."""
    rows = {row.key: row for row in report.rows}
    if not rows:
        return ""
    times = [
        f"{day}"
        for day in every(report.by or "", date.fromisoformat(min(rows)), date.fromisoformat(max(rows)))
    ]
    series = {
        "revenue": [max(0, round(rows[time].net or 0)) if time in rows else 0 for time in times],
        "given back": [max(0, round(rows[time].refunded or 0)) if time in rows else 0 for time in times],
    }
    return columns(times, series, f"{report.title}, {say_days(report)}")


def every(unit: str, first: date, last: date) -> Iterator[date]:
    """The days on which days, weeks or months begin, from the first to the last."""
    while first <= last:
        yield first
        days = {"week": 7, "month": monthrange(first.year, first.month)[1]}.get(unit, 1)
        first += timedelta(days=days)


def _stacked(days: dict[str, dict[str, int]]) -> str:
    """Messages by day, or by week where there are many days."""
    if not days:
        return ""
    if len(days) > _BY_DAY:
        weeks: dict[str, dict[str, int]] = {}
        for day, counts in days.items():
            week = weeks.setdefault(_monday(day), dict.fromkeys(_STATES, 0))
            for name in _STATES:
                week[name] += counts[name]
        days = weeks
    series = {name: [counts[name] for counts in days.values()] for name in _STATES}
    return columns(list(days), series, "Messages over time")


def _monday(day: str) -> str:
    at = date.fromisoformat(day)
    return (at - timedelta(days=at.weekday())).isoformat()
