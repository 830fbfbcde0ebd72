"""Figures as people read them, and reports as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from dripline.reports.shapes import Column, Report, Unit, columns_of

NOTHING = "–"
UNKNOWN = "(not known)"

_SAID: dict[Unit, Callable[[Any], str]] = {
    "count": lambda value: f"{value:,}",
    "number": lambda value: f"{value:,.2f}",
    "share": lambda value: f"{100 * value:.1f}%",
    "points": lambda value: f"{100 * value:+.1f}",
    "money": lambda value: f"{value:,}" if isinstance(value, int) else f"{value:,.2f}",
    "days": lambda value: f"{value:,.1f}",
    "day": str,
    "chance": lambda value: f"{value:.3f}" if value >= 0.001 else "< 0.001",
    "text": str,
}


def say(value: Any, column: Column) -> str:
    """A figure in words; of a row's first column, what nothing is known of."""
    return NOTHING if value is None else _SAID[column.unit](value)


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
