"""Looking through an audience: who is in a campaign, found in bounded batches that go on where the last one ended.

A campaign is looked through once, when it begins. Where each lead is due by its own clock it is so again whenever
another zone's clocks come round, and takes in those for whom it is time then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, select

from dripline.engine.calendar import zone_of
from dripline.engine.draw import draw
from dripline.engine.scheduling import on_clock
from dripline.ingest.audience import BadAudience, next_of, read_audience
from dripline.language.membership import compile_segments
from dripline.language.workspace import Workspace
from dripline.store.campaigns import add_leads, change_campaign
from dripline.store.schema import leads

_NUMBERS = 2**31 - 1


@dataclass(frozen=True)
class Look:
    """One batch of looking through an audience, not yet written down."""

    at: datetime
    """For which moment (house time)."""
    found: tuple[str, ...]
    reached: str | None
    """The lead looked at last; None: there are no more."""
    ahead: datetime | None
    """When it is looked through again."""


def look(connection: Connection, workspace: Workspace, campaign: Row[Any], now: datetime) -> Look:
    """One batch of the look that is under way or due. Raises BadAudience."""
    at = campaign.looking_at or now
    members = read_audience(workspace, campaign.audience)
    found, reached = next_of(connection, compile_segments(workspace), members, campaign.reached, at)
    if campaign.own_zone:
        found = _due(connection, workspace, campaign, found, at)
    again = reached is None and campaign.own_zone
    ahead = _next_look(connection, workspace, campaign, at) if again else None
    return Look(at, tuple(found), reached, ahead)


def keep_look(connection: Connection, campaign: Row[Any], seen: Look) -> None:
    """Write down what was found. Who goes first is drawn, so that a test group is like the others.

    The campaign is locked, and where it was when it was looked.
    """
    numbers = {one: int(draw("campaign", campaign.id, one) * _NUMBERS) for one in seen.found}
    add_leads(connection, campaign.id, numbers)
    if seen.reached is None:
        change_campaign(connection, campaign.id, looking_at=None, reached=None, look_at=seen.ahead)
    else:
        change_campaign(connection, campaign.id, looking_at=seen.at, reached=seen.reached)


def _due(
    connection: Connection, workspace: Workspace, campaign: Row[Any], found: Sequence[str], at: datetime
) -> list[str]:
    """Those for whom it is time by `at`, and was not before the schedule was there."""
    query = select(leads.c.id, leads.c.timezone, leads.c.country).where(leads.c.id.in_(found))
    due = []
    for row in connection.execute(query):
        moment = on_clock(campaign.occasion, zone_of(row.timezone, row.country, workspace.timezone))
        if moment <= at and (campaign.since is None or moment > campaign.since):
            due.append(row.id)
    return due


def _next_look(
    connection: Connection, workspace: Workspace, campaign: Row[Any], at: datetime
) -> datetime | None:
    """When it is time next in a zone in which there are leads."""
    moments = [on_clock(campaign.occasion, where) for where in _zones(connection, workspace)]
    return min((moment for moment in moments if moment > at), default=None)


def _zones(connection: Connection, workspace: Workspace) -> set[ZoneInfo]:
    """The zones in which there are leads, and the workspace's."""
    there = (leads.c.merged_into.is_(None), leads.c.erased_at.is_(None))
    rows = connection.execute(select(leads.c.timezone, leads.c.country).where(*there).distinct())
    return {workspace.zone, *(zone_of(row.timezone, row.country, workspace.timezone) for row in rows)}


__all__ = ["BadAudience", "Look", "keep_look", "look"]
