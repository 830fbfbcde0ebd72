"""Which reports there are, and what may be asked of each: the same on the command line, in the API and on the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from babel.numbers import is_currency
from sqlalchemy import Connection

from dripline.language.plan import Duration
from dripline.language.problems import did_you_mean
from dripline.language.workspace import Workspace
from dripline.reports import cohorts, discounts, experiments, funnel, messages, owners, recycling, revenue
from dripline.reports.period import BEGINNING, read_period
from dripline.reports.shapes import Report
from dripline.store.discounts import OF_PROGRAM
from dripline.store.figures import read_listings
from dripline.store.plans import load_plan


@dataclass(frozen=True)
class About:
    """A report: what it answers, and by what it can be asked (the first is usual)."""

    title: str
    answers: str
    by: tuple[str, ...] = ()
    since: str | None = None
    """From when it counts where nobody says it; None: as all others."""


REPORTS: Mapping[str, About] = {
    "funnel": About(
        "Funnel", "How far leads come: to their second order, or through a journey step by step."
    ),
    "sources": About(
        "Sources", "What became of leads by where they came from, and what they cost.", get_args(cohorts.By)
    ),
    "orders": About("Orders", "What was bought, and what of it is left.", ("week", "day", "month")),
    "revenue": About("Revenue", "What led to orders: first, last, and each its part.", get_args(revenue.By)),
    "channels": About(
        "Channels", "What became of messages, and whom they reached.", get_args(messages.Kinds)
    ),
    "experiments": About(
        "Experiments", "Which arm did better, how sure that is, and when it will be.", since=BEGINNING
    ),
    "deliverability": About("Deliverability", "How well messages arrive.", get_args(messages.Ways)),
    "owners": About("Owners", "What became of the leads and tasks that each person was given."),
    "recycling": About(
        "Recycling", "Of those lost, how many came back, and what they bought.", get_args(recycling.By)
    ),
    "discounts": About(
        "Discounts", "How many were redeemed, what came off, and of how much.", get_args(discounts.By)
    ),
}
"""By name."""


class NotToBeHad(ValueError):
    """A report that cannot be made as it was asked for: which field of what was said, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


@dataclass(frozen=True)
class Wanted:
    """What is asked of a report; what is None is as usual. `lift` is in percent, `days` before an order."""

    name: str
    since: str | None = None
    until: str | None = None
    by: str | None = None
    journey: str | None = None
    currency: str | None = None
    measure: experiments.Measure | None = None
    lift: float | None = None
    via: revenue.Via | None = None
    days: int | None = None


def make_report(connection: Connection, wanted: Wanted, workspace: Workspace, now: datetime) -> Report[Any]:
    """The report, as things stand `now` (house time). Raises NotToBeHad and PeriodError."""
    about = _about(wanted)
    period = read_period(wanted.since or about.since, wanted.until, now, workspace.zone)
    by: Any = _by(wanted, about)
    usual = workspace.currency
    currency = _currency(wanted.currency)
    match wanted.name:
        case "funnel" if wanted.journey is None:
            return funnel.report_leads(connection, period)
        case "funnel":
            return funnel.report_journey(connection, period, _plan(connection, wanted.journey))
        case "orders":
            return revenue.report_orders(connection, period, by, currency, usual)
        case "revenue":
            via = wanted.via or ("clicked" if _tracks_clicks(workspace) else "sent")
            rules = workspace.reports
            usual_days = _days(rules.messages if by in revenue.OF_MESSAGES else rules.touches)
            back = timedelta(days=wanted.days or usual_days)
            return revenue.report_revenue(connection, period, by, via, back, currency, usual)
        case "channels":
            return messages.report_channels(connection, period, by)
        case "deliverability":
            return messages.report_deliverability(connection, period, by)
        case "experiments":
            if wanted.journey is not None:
                _plan(connection, wanted.journey)
            worth = (wanted.lift or workspace.reports.lift) / 100
            return experiments.report_experiments(
                connection, period, now, wanted.journey, wanted.measure, worth, currency, usual
            )
        case "owners":
            return owners.report_owners(connection, period, currency, usual)
        case "recycling":
            return recycling.report_recycling(connection, period, by, currency, usual)
        case "discounts":
            if wanted.journey is not None and not wanted.journey.startswith(OF_PROGRAM):
                _plan(connection, wanted.journey)
            return discounts.report_discounts(connection, period, now, by, currency, usual, wanted.journey)
        case _:
            return cohorts.report_cohorts(connection, period, by, currency, usual)


def _about(wanted: Wanted) -> About:
    about = REPORTS.get(wanted.name)
    if about is None:
        hint = did_you_mean(wanted.name, REPORTS) or f"there are {', '.join(REPORTS)}"
        raise NotToBeHad("report", f"there is no report `{wanted.name}`, {hint}.")
    return about


def _by(wanted: Wanted, about: About) -> str | None:
    if wanted.by is None:
        return about.by[0] if about.by else None
    if wanted.by not in about.by:
        what = f"there are {', '.join(about.by)}" if about.by else "it is not divided"
        hint = did_you_mean(wanted.by, about.by) or what
        raise NotToBeHad("by", f"the report {wanted.name} is not to be had by `{wanted.by}`: {hint}.")
    return wanted.by


def _plan(connection: Connection, journey: str | None) -> Any:
    listings = read_listings(connection)
    listing = listings.get(journey or "")
    if listing is None:
        hint = did_you_mean(journey or "", listings)
        raise NotToBeHad("journey", f"no journey `{journey}` is published{', ' + hint if hint else ''}.")
    return load_plan(connection, listing.plan_hash)


def _currency(said: str | None) -> str | None:
    if said is not None and not is_currency(said):
        raise NotToBeHad("currency", f"there is no currency `{said}`; write it like AMD (ISO 4217).")
    return said


def _days(length: Duration) -> int:
    return length.months * 30 + length.days + length.seconds // 86_400


def _tracks_clicks(workspace: Workspace) -> bool:
    return workspace.tracking is not None and bool(workspace.tracking.clicks)
