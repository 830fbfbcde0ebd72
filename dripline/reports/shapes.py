"""What reports say: one model a row, each figure with its name and unit, for tables, CSV and the API alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Unit = Literal[
    "text", "count", "number", "share", "points", "lift", "money", "days", "hours", "day", "chance"
]
"""`share` is between 0 and 1, `points` the difference of two, `lift` a part of another; `money` is in major units."""


class Line(BaseModel):
    """A row of a report. What is null is not known, or is not to be had of nothing."""

    model_config = ConfigDict(frozen=True, json_schema_serialization_defaults_required=True)


def figure(unit: Unit, title: str, description: str, example: Any, between: str = "") -> Any:
    """A column: its unit, its heading, what it counts, and an example of it.

    Without a heading it is for programs. `between` names two columns that tell between what the true figure is.
    """
    told: dict[str, Any] = {"unit": unit, "between": between}
    return Field(title=title, description=description, examples=[example], json_schema_extra=told)


Row = TypeVar("Row", bound=Line)


class Report(BaseModel, Generic[Row]):
    """A report: what it is about, its rows, and what must be known to read them."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    report: str = Field(description="Its name.", examples=["sources"])
    title: str = Field(description="What it is about, in words.", examples=["Leads by source"])
    by: str | None = Field(description="What `key` is; null: not divided.", examples=["source"])
    since: date | None = Field(
        description="Its first day; null: from the beginning.", examples=["2026-01-01"]
    )
    until: date = Field(description="Its last day.", examples=["2026-03-31"])
    zone: str = Field(description="In whose days it counts.", examples=["Asia/Yerevan"])
    currency: str | None = Field(description="Of its amounts (ISO 4217).", examples=["AMD"])
    rows: list[Row]
    totals: Row | None = Field(description="Everything together, where that says something.", examples=[None])
    notes: list[str] = Field(description="What must be known to read it.", examples=[[]])


@dataclass(frozen=True)
class Column:
    """A column of a report."""

    name: str
    title: str
    unit: Unit
    description: str
    between: tuple[str, ...] = ()
    """The columns that tell between what the true figure is, if any do."""


def columns_of(report: Report[Any]) -> list[Column]:
    """The columns of a report, in their order."""
    row = type(report).model_fields["rows"].annotation
    model: type[Line] = row.__args__[0]  # type: ignore[union-attr]
    return list(_columns(model, report.by))


def told_columns(report: Report[Any]) -> list[Column]:
    """Those that say something in some row, to people: tables leave the others out."""
    rows: Sequence[Line] = report.rows
    return [
        column
        for number, column in enumerate(columns_of(report))
        if column.title and (number == 0 or any(getattr(row, column.name) not in (None, "") for row in rows))
    ]


def _columns(model: type[Line], by: str | None) -> Iterator[Column]:
    for name, field in model.model_fields.items():
        more = field.json_schema_extra
        told: dict[str, Any] = dict(more) if isinstance(more, dict) else {}
        title = (by or "") if field.title == "by" else field.title
        yield Column(name, title or "", told["unit"], field.description or "", tuple(told["between"].split()))
