"""The page by which a lead names the day to come back to it: it works without scripts, and to look changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from babel.dates import format_date
from jinja2 import Environment

from dripline.engine.calendar import add_months
from dripline.ingest.deferring import Deferral
from dripline.rendering.formats import locale_of
from dripline.web.later_words import LATER
from dripline.web.public import ROBOTS, Reader

MONTHS: Mapping[str, int] = {"1": 1, "3": 3, "6": 6}
"""By what the page sends, in how many months."""
OWN = "own"
"""What it sends for a day of the lead's own."""


def chosen(form: Mapping[str, list[str]]) -> Callable[[Deferral], date | None] | None:
    """Takes the day that the page sent; None where nothing was pressed, as by a program that posts to every link."""
    if form.get("do") != ["save"]:
        return None
    when, day = form.get("when", [""])[0], form.get("day", [""])[0]

    def choose(may: Deferral) -> date | None:
        if when in MONTHS:
            return add_months(datetime.combine(may.today, datetime.min.time()), MONTHS[when]).date()
        try:
            return date.fromisoformat(day) if when == OWN else None
        except ValueError:
            return None

    return choose


def render_later(
    templates: Environment,
    deferral: Deferral,
    reader: Reader,
    *,
    said: bool,
) -> str:
    """The page; `said`: after something was sent."""
    words = LATER[reader.language]
    until = deferral.until
    day = format_date(until, "long", locale=locale_of(reader.language) or "en") if until else None
    return templates.get_template("later.html").render(
        words=words,
        language=reader.language,
        sender=reader.sender,
        robots=ROBOTS,
        deferral=deferral,
        months=[(key, words.months[number]) for key, number in MONTHS.items()],
        own=OWN,
        noted=words.noted.format(day=day) if day else None,
        wrong=said and until is None,
    )


__all__ = ["chosen", "render_later"]
