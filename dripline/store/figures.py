"""Journeys in numbers: what became of their runs and messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, String, column, func, or_, select, true

from dripline.store.schema import journeys, messages, runs

# Each is answered by an index alone: the rows themselves are large.
_RUNS = (
    select(runs.c.journey, runs.c.outcome, runs.c.holdout, func.count().label("number"))
    .group_by(runs.c.journey, runs.c.outcome, runs.c.holdout)
    .order_by(runs.c.journey, runs.c.outcome)
)
_CONVERTED = (
    select(
        runs.c.journey,
        runs.c.holdout,
        func.count().label("number"),
        func.sum(runs.c.goal_value).label("value"),
    )
    .where(runs.c.converted_at.is_not(None))
    .group_by(runs.c.journey, runs.c.holdout)
)
_MESSAGES = select(messages.c.journey, messages.c.state, func.count().label("number")).group_by(
    messages.c.journey, messages.c.state
)
_OPENED = (
    select(messages.c.journey, func.count().label("number"))
    .where(messages.c.first_opened_at.is_not(None))
    .group_by(messages.c.journey)
)
_CLICKED = (
    select(messages.c.journey, func.count().label("number"))
    .where(messages.c.first_clicked_at.is_not(None))
    .group_by(messages.c.journey)
)

NEWEST = 5_000
"""How many runs of a journey are looked at for where they have been."""

SENT = ("accepted", "delivered", "bounced")
"""States of messages that a provider has taken."""


@dataclass
class Group:
    """The runs that get the messages, or those of the control group, and how many of them reached the goal."""

    runs: int = 0
    converted: int = 0
    value: float = 0.0
    """The sum of what their goals were worth, in the workspace's currency."""

    @property
    def rate(self) -> float | None:
        """How many of a hundred converted; None of nobody."""
        return 100 * self.converted / self.runs if self.runs else None


@dataclass
class Figures:
    """One journey in numbers."""

    open: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    """How its runs ended, and how many each way."""
    messages: dict[str, int] = field(default_factory=dict)
    """By state."""
    opened: int = 0
    """Messages that a person opened, as far as can be told."""
    clicked: int = 0
    """Messages of which a person followed a link."""
    treated: Group = field(default_factory=Group)
    control: Group = field(default_factory=Group)

    def of(self, holdout: bool) -> Group:
        """The control group, or the others."""
        return self.control if holdout else self.treated

    @property
    def ended(self) -> int:
        """Runs that are over."""
        return sum(self.outcomes.values())

    @property
    def sent(self) -> int:
        """Messages that a provider has taken."""
        return sum(self.messages.get(state, 0) for state in SENT)

    @property
    def waiting(self) -> int:
        """Messages that wait for a person, or to be settled."""
        return self.messages.get("held", 0) + self.messages.get("uncertain", 0)


@dataclass(frozen=True)
class Listing:
    """A journey's row: what it follows since when, and whether it is paused or was taken out."""

    plan_hash: str
    published_at: datetime
    paused_at: datetime | None
    pause_reason: str | None
    frozen: bool
    """Whether its waits stand still as well."""
    retired_at: datetime | None


def read_figures(connection: Connection, journey: str | None = None) -> dict[str, Figures]:
    """By journey, all of them or just one; journeys without a run or a message are left out."""
    found: dict[str, Figures] = {}
    by_run, converted, by_message, opened, clicked = _RUNS, _CONVERTED, _MESSAGES, _OPENED, _CLICKED
    if journey is not None:
        by_run, converted = (query.where(runs.c.journey == journey) for query in (by_run, converted))
        by_message, opened, clicked = (
            query.where(messages.c.journey == journey) for query in (by_message, opened, clicked)
        )
    for row in connection.execute(by_run):
        figures = found.setdefault(row.journey, Figures())
        if row.outcome is None:
            figures.open += row.number
        else:
            figures.outcomes[row.outcome] = figures.outcomes.get(row.outcome, 0) + row.number
        figures.of(row.holdout).runs += row.number
    for row in connection.execute(converted):
        group = found.setdefault(row.journey, Figures()).of(row.holdout)
        group.converted, group.value = row.number, row.value or 0.0
    for row in connection.execute(by_message):
        found.setdefault(row.journey, Figures()).messages[row.state] = row.number
    for row in connection.execute(opened):
        found.setdefault(row.journey, Figures()).opened = row.number
    for row in connection.execute(clicked):
        found.setdefault(row.journey, Figures()).clicked = row.number
    return found


@dataclass(frozen=True)
class Steps:
    """Where the runs of a journey stand, by the ids of steps."""

    here: Mapping[str | None, int]
    """Open runs that stand there now; None: they are about to begin."""
    passed: Mapping[str, int]
    """Runs that were there and stand there no more, of the newest so many."""
    most: int
    """How many of the newest runs were looked at."""


def read_steps(connection: Connection, journey: str) -> Steps:
    """Where the runs of a journey stand, and where they have been."""
    standing = (
        select(runs.c.step, func.count().label("number"))
        .where(runs.c.journey == journey, runs.c.ended_at.is_(None))
        .group_by(runs.c.step)
    )
    newest = (
        select(runs.c.step, runs.c.ended_at, runs.c.visits)
        .where(runs.c.journey == journey)
        .order_by(runs.c.started_at.desc())
        .limit(NEWEST)
        .subquery()
    )
    keys = func.json_each if connection.dialect.name == "sqlite" else func.jsonb_each
    been = keys(newest.c.visits).table_valued(column("key", String))
    gone = or_(newest.c.ended_at.is_not(None), newest.c.step.is_distinct_from(been.c.key))
    passed = select(been.c.key, func.count().label("number")).select_from(newest).join(been, true())
    return Steps(
        {row.step: row.number for row in connection.execute(standing)},
        {row.key: row.number for row in connection.execute(passed.where(gone).group_by(been.c.key))},
        NEWEST,
    )


def count_older(connection: Connection, journey: str, plan_hash: str) -> int:
    """How many open runs of a journey follow another plan than that."""
    query = select(func.count()).where(
        runs.c.journey == journey, runs.c.ended_at.is_(None), runs.c.plan_hash != plan_hash
    )
    return connection.execute(query).scalar_one()


def read_listings(connection: Connection) -> Mapping[str, Listing]:
    """Every journey's row, by id; those that were taken out too."""
    return {
        row.id: Listing(
            row.plan_hash,
            row.published_at,
            row.paused_at,
            row.pause_reason,
            row.frozen_at is not None,
            row.retired_at,
        )
        for row in connection.execute(select(journeys).order_by(journeys.c.id))
    }
