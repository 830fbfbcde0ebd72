"""A forecast, told to people, to programs, and as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from rich.console import Console
from rich.text import Text

from dripline.cli.showing import add, count, new_table
from dripline.language.durations import say_duration
from dripline.language.plan import Duration, Plan
from dripline.language.workspace import Workspace
from dripline.simulate.chart import COLOURS, columns
from dripline.simulate.crowd import Crowd
from dripline.simulate.forecast import Ending, Forecast, Peak, over_time
from dripline.simulate.rates import Rate

_STYLES = ("cyan", "yellow", "blue", "magenta", "green", "bright_magenta", "white", "red")
_BAR = 48


def tell(journey: str, said_before: Sequence[str], forecast: Forecast, workspace: Workspace) -> None:
    """In the terminal: tables, a chart, and a line for each thing that is to be paid or kept."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 120
    for line in said_before:
        console.print(Text(line))
    console.print()
    table = new_table("How it ends", "runs", "", "days", "9 of 10 by")
    for column in table.columns[1:]:
        column.justify = "right"
    for ending in forecast.endings:
        add(
            table,
            said(journey, ending),
            f"{ending.count:,}",
            f"{ending.share:.1%}",
            _days(ending.days),
            _days(ending.latest),
        )
    console.print(table)
    table = new_table("Message", "sent")
    table.columns[1].justify = "right"
    for (of, step), number in forecast.by_message.items():
        add(table, step if of == journey else f"{of}: {step}", f"{number:,}")
    for (step, reason), number in forecast.skipped.items():
        add(table, f"{step}, not sent: {reason}", f"{number:,}")
    for (step, reason), number in forecast.held.items():
        add(table, f"{step}, held for a person: {reason}", f"{number:,}")
    console.print(table)
    for bar in _bars(forecast):
        console.print(bar)
    for line in facts(forecast, workspace):
        console.print(Text(line))


def about(crowd: Crowd) -> Iterator[str]:
    """What was reckoned with."""
    where = ZoneInfo(crowd.plans[crowd.journey].timezone)
    first, last = (at.astimezone(where) for at in (crowd.start, crowd.until - timedelta(seconds=1)))
    how = f"entering over {_span(crowd.over)}" if crowd.over else "entering all at once"
    yield (
        f"{crowd.journey}: {count(crowd.count, 'lead')} {how}, from {first:%Y-%m-%d} to {last:%Y-%m-%d}"
        f" (seed {crowd.seed})"
    )
    rates = ", ".join(f"{name} {_rate(rate)}" for name, rate in crowd.rates.items())
    yield f"Who answers: {rates}." if rates else "Nobody answers: say who does with --rate, or --learn it."


def facts(forecast: Forecast, workspace: Workspace) -> Iterator[str]:
    """What is to be paid or kept, a line each."""
    if forecast.kept_out:
        yield f"Never entered: {count(forecast.kept_out, 'lead')}."
    if forecast.control:
        yield f"Control group: {count(forecast.control, 'run')}."
    if forecast.converted:
        worth = f", worth {_money(forecast.value, workspace.currency)}" if forecast.value else ""
        yield f"Goal reached: {share(forecast.converted, forecast.runs)} of the runs ({forecast.converted:,}){worth}."
    for peak in forecast.peaks:
        yield f"Busiest in {peak.journey}: {_peak(peak, workspace)}."
    if forecast.segments:
        by_locale = ", ".join(f"{locale} {number:,}" for locale, number in forecast.segments.items())
        cost = forecast.cost(workspace.sms_cost)
        paid = (
            f": {_money(cost, workspace.currency)}"
            if cost is not None
            else "; say `sms_cost` in dripline.yaml for its cost"
        )
        yield f"SMS: {count(sum(forecast.segments.values()), 'segment')} ({by_locale}){paid}."
    for one in forecast.discounts:
        at_most = f", at most {_money(one.amount, one.currency)}" if one.amount is not None else ""
        yield f"Discounts of {one.worth}: {one.count:,}{at_most}."
    if forecast.notices:
        yield f"Colleagues are told {forecast.notices:,} times."


def said(journey: str, ending: Ending) -> str:
    """How a run ended, in words."""
    what = f"{ending.outcome}: {ending.reason}" if ending.reason else ending.outcome
    return what if ending.journey == journey else f"{ending.journey}: {what}"


def share(part: int, whole: int) -> str:
    """A share of a hundred, with a decimal."""
    return f"{part / whole * 100:.1f}%" if whole else ""


def _bars(forecast: Forecast) -> Iterator[Text]:
    labels, series, unit = over_time(forecast)
    heights = [sum(values[place] for values in series.values()) for place in range(len(labels))]
    most = max(heights, default=0)
    if not most:
        return
    legend = Text(f"Messages a {unit}: ")
    for number, name in enumerate(series):
        legend.append(f"█ {name}  ", style=_STYLES[number % len(_STYLES)])
    yield legend
    for place, label in enumerate(labels):
        line, drawn, below = Text(f"{label:<10} "), 0, 0
        for number, values in enumerate(series.values()):
            below += values[place]
            end = round(below / most * _BAR)
            line.append("█" * (end - drawn), style=_STYLES[number % len(_STYLES)])
            drawn = end
        yield line.append(f" {heights[place]:,}", style="dim")


def crowd_as_json(crowd: Crowd) -> dict[str, Any]:
    """What was reckoned with, for programs."""
    return {
        "journey": crowd.journey,
        "leads": crowd.count,
        "start": crowd.start,
        "until": crowd.until,
        "over_seconds": crowd.over.total_seconds(),
        "seed": crowd.seed,
        "rates": {
            name: {"share": one.share, "within_seconds": _seconds(one)} for name, one in crowd.rates.items()
        },
    }


def as_json(reckoned_with: Mapping[str, Any], forecast: Forecast, workspace: Workspace) -> dict[str, Any]:
    """For programs; money is in the workspace's currency where nothing else is said."""
    return {
        **reckoned_with,
        "runs": forecast.runs,
        "kept_out": forecast.kept_out,
        "control": forecast.control,
        "endings": [asdict(one) for one in forecast.endings],
        "sent": forecast.sent,
        "messages": [
            {"day": day.isoformat(), "channel": channel, "locale": locale, "count": number}
            for (day, channel, locale), number in forecast.messages.items()
        ],
        "steps": _pairs(forecast.by_message, "journey", "step"),
        "skipped": _pairs(forecast.skipped, "step", "reason"),
        "held": _pairs(forecast.held, "step", "reason"),
        "notices": forecast.notices,
        "peaks": [{**asdict(one), "per": one.per.total_seconds()} for one in forecast.peaks],
        "segments": forecast.segments,
        "sms_cost": forecast.cost(workspace.sms_cost),
        "currency": workspace.currency,
        "discounts": [asdict(one) for one in forecast.discounts],
        "converted": forecast.converted,
        "value": forecast.value,
    }


def page(plan: Plan, said_before: Sequence[str], forecast: Forecast, workspace: Workspace) -> str:
    """The whole forecast as a page that needs nothing else."""
    environment = Environment(
        loader=PackageLoader("dripline.web"), autoescape=True, undefined=StrictUndefined
    )
    css = resources.files("dripline.web").joinpath("templates/style.css").read_text("utf-8")
    labels, series, unit = over_time(forecast)
    chart = columns(labels, series, f"Messages a {unit}") if labels else ""
    rendered: str = environment.get_template("forecast.html").render(
        journey=plan.journey,
        title=plan.title,
        forecast=forecast,
        about=said_before,
        facts=list(facts(forecast, workspace)),
        endings=[
            (said(plan.journey, one), one.count, one.share * 100, _days(one.days), _days(one.latest))
            for one in forecast.endings
        ],
        chart=Markup(chart),  # noqa: S704 - drawn by us, its words escaped
        legend=[
            (name, COLOURS[number % len(COLOURS)], sum(values))
            for number, (name, values) in enumerate(series.items())
        ],
        unit=unit,
        css=Markup(css),  # noqa: S704 - our own file
    )
    return rendered


def _pairs(counted: Mapping[tuple[str, str], int], first: str, second: str) -> list[dict[str, Any]]:
    return [{first: one, second: other, "count": number} for (one, other), number in counted.items()]


def _seconds(rate: Rate) -> float | None:
    return rate.within.total_seconds() if rate.within else None


def _rate(rate: Rate) -> str:
    text = f"{rate.share * 100:.3g}%"
    return f"{text} within {_span(rate.within)}" if rate.within else text


def _peak(one: Peak, workspace: Workspace) -> str:
    at = f" from {one.at.astimezone(workspace.zone):%Y-%m-%d %H:%M}" if one.at else ""
    text = f"{count(one.count, 'message')} within {_span(one.per)}{at}"
    return f"{text}; its throttle lets through {one.most:,}" if one.most else text


def _span(length: timedelta) -> str:
    if length > timedelta(days=2):
        length = timedelta(hours=round(length / timedelta(hours=1)))
    return say_duration(Duration(days=length.days, seconds=length.seconds))


def _days(days: float | None) -> str:
    return "" if days is None else f"{days:.1f}"


def _money(amount: float, currency: str | None) -> str:
    text = f"{amount:,.0f}" if amount == round(amount) else f"{amount:,.2f}"
    return f"{text} {currency}" if currency else text
