"""How a campaign stands, for the command line, the API and the pages alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select

from dripline.store.campaigns import Progress, count_leads, count_reasons
from dripline.store.house import open_house
from dripline.store.schema import campaign_leads, journeys, runs


@dataclass(frozen=True)
class Told:
    """A campaign, how far it has come, and what holds it up."""

    row: Row[Any]
    progress: Progress
    gathered: bool
    """Whether everybody who is in its audience is known."""
    held_up: str | None
    """Why nobody is let in at present, though it runs."""

    @property
    def stands(self) -> str:
        """In a few words, how it stands."""
        row, left = self.row, self.progress.waiting
        match row.state:
            case "finished":
                return "finished"
            case "cancelled":
                return "cancelled" + (f", {left:,} were not let in" if left else "")
            case "paused":
                return "paused" + (f": {row.pause_reason}" if row.pause_reason else "")
            case "tested":
                return f"the test group is in; {left:,} wait until somebody lets them follow"
        if self.held_up is not None:
            return f"held up: {self.held_up}"
        if row.looking_at is not None or (not self.gathered and not row.own_zone):
            return "looking through its audience"
        if not left and row.own_zone:
            return "waits for the clocks of the next zone"
        return (
            "letting the test group in" if row.test and row.released_at is None else "letting its audience in"
        )

    def left(self, now: datetime) -> timedelta | None:
        """How long it will take until everybody is in, as it has gone so far; None where nobody can tell."""
        row, done = self.row, self.progress.done
        if row.state != "running" or row.started_at is None or not done or not self.progress.waiting:
            return None
        if row.per_hour:
            return timedelta(hours=self.progress.waiting / row.per_hour)
        so_far: timedelta = now - row.started_at
        return so_far / done * self.progress.waiting

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        row, progress = self.row, self.progress
        return {
            "id": row.id,
            "name": row.name,
            "journey": row.journey,
            "audience": row.audience,
            "state": row.state,
            "stands": self.stands,
            "occasion": row.occasion,
            "per_hour": row.per_hour,
            "test": row.test,
            "holdout": row.holdout,
            "found": progress.found,
            "waiting": progress.waiting,
            "entered": progress.entered,
            "held_out": progress.held_out,
            "refused": progress.refused,
            "created_at": row.created_at.isoformat(),
            "created_by": row.created_by,
            "started_at": row.started_at and row.started_at.isoformat(),
            "paused_at": row.paused_at and row.paused_at.isoformat(),
            "finished_at": row.finished_at and row.finished_at.isoformat(),
        }


def tell_campaigns(connection: Connection, rows: Sequence[Row[Any]]) -> list[Told]:
    """How these campaigns stand."""
    counts = count_leads(connection, [row.id for row in rows])
    stopped = open_house(connection).stopped_at is not None
    paused = {
        row.id: "its journey is taken out" if row.retired_at is not None else "its journey is paused"
        for row in connection.execute(
            select(journeys).where(journeys.c.id.in_({row.journey for row in rows}))
        )
        if row.retired_at is not None or row.paused_at is not None
    }
    found = []
    for row in rows:
        held_up = "everything is stopped" if stopped else paused.get(row.journey)
        gathered = row.look_at is None and row.looking_at is None
        found.append(Told(row, counts[row.id], gathered, held_up))
    return found


@dataclass(frozen=True)
class Came:
    """What became of those whom a campaign let in, beside those whom it held out."""

    runs: int = 0
    converted: int = 0
    value: float = 0.0


def outcomes(connection: Connection, campaign_id: str) -> Mapping[str, Came]:
    """By state (entered, held-out): runs, those that reached the goal, and what that was worth."""
    reached = runs.c.converted_at.is_not(None)
    query = (
        select(
            campaign_leads.c.state,
            func.count().label("runs"),
            func.count().filter(reached).label("converted"),
            func.sum(runs.c.goal_value).filter(reached).label("value"),
        )
        .join(runs, runs.c.id == campaign_leads.c.run_id)
        .where(campaign_leads.c.campaign_id == campaign_id)
        .group_by(campaign_leads.c.state)
    )
    return {
        row.state: Came(row.runs, row.converted, float(row.value or 0)) for row in connection.execute(query)
    }


__all__ = ["Came", "Told", "count_reasons", "outcomes", "tell_campaigns"]
