"""Figures as people read them, and reports as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from dripline.reports.shapes import Column, Line, Report, Unit, columns_of

NOTHING = "–"
UNKNOWN = "(not known)"

_SAID: dict[Unit, Callable[[Any], str]] = {
    "count": lambda value: f"{value:,}",
    "number": lambda value: f"{value:,.2f}",
    "share": lambda value: f"{100 * value:.1f}%",
    "points": lambda value: f"{100 * value:+.1f}",
    "lift": lambda value: f"{100 * value:+.0f}%",
    "money": lambda value: f"{value:,}" if isinstance(value, int) else f"{value:,.2f}",
    "days": lambda value: f"{value:,.1f}",
    "hours": lambda value: f"{value:,.1f}",
    "day": str,
    "chance": lambda value: f"{value:.3f}" if value >= 0.001 else "< 0.001",
    "text": str,
}


def say(value: Any, column: Column) -> str:
    """A figure as people read it."""
    return NOTHING if value is None else _SAID[column.unit](value)


def say_cell(row: Line, column: Column) -> str:
    """A figure of a row, with between what the true one is: `12.0% (10.1 to 14.2)`."""
    said, between = say(getattr(row, column.name), column), say_between(row, column)
    return f"{said} ({between})" if between else said


def say_between(row: Line, column: Column) -> str:
    """Between what the true figure is: `10.1 to 14.2`; nothing where that is not known."""
    bounds = [getattr(row, name) for name in column.between]
    if not bounds or None in bounds:
        return ""
    return " to ".join(say(bound, column).removesuffix("%") for bound in bounds)


def say_key(value: str | None, report: Report[Any]) -> str:
    """The first cell of a row: what the row is about."""
    return value if value is not None else UNKNOWN if report.by else ""


def say_days(report: Report[Any]) -> str:
    """Which days it is about: `2026-01-01 to 2026-03-31, in USD`."""
    days = f"up to {report.until}" if report.since is None else f"{report.since} to {report.until}"
    return f"{days}, in {report.currency}" if report.currency else days


def is_number(column: Column) -> bool:
    """Whether it stands on the right."""
    return column.unit not in ("text", "day")


def as_csv(report: Report[Any]) -> str:
    """The rows, with the names of the columns above them (RFC 4180). Shares are between 0 and 1, as in JSON.

    A text that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    written, columns = io.StringIO(), columns_of(report)
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([column.name for column in columns])
    for row in report.rows:
        writer.writerow([_cell(getattr(row, column.name)) for column in columns])
    return written.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{value}"
    return "" if value is None else value
