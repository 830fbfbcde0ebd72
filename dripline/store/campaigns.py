"""Campaigns: their rows, who is in them, and how far they have come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, or_, select, update

from dripline.store.database import insert_into
from dripline.store.schema import campaign_leads, campaigns, messages, runs

_ONE = select(campaigns).where(campaigns.c.id == bindparam("campaign"))
_NEXT = (
    select(campaign_leads.c.found_as, campaign_leads.c.lead_id)
    .where(campaign_leads.c.campaign_id == bindparam("campaign"), campaign_leads.c.state == "waiting")
    .order_by(campaign_leads.c.number)
    .limit(bindparam("limit"))
)
# By the lead alone: asked for the campaign too, SQLite reads through everybody whom that has let in.
_OF_LEAD = select(campaign_leads.c.campaign_id, campaign_leads.c.found_as, campaign_leads.c.state).where(
    campaign_leads.c.lead_id == bindparam("lead")
)
_WHO = select(campaign_leads).where(
    campaign_leads.c.campaign_id == bindparam("campaign"), campaign_leads.c.found_as == bindparam("found_as")
)


@dataclass(frozen=True)
class Progress:
    """How many leads of a campaign are where."""

    waiting: int = 0
    entered: int = 0
    held_out: int = 0
    refused: int = 0

    @property
    def found(self) -> int:
        """Everybody who is in its audience."""
        return self.waiting + self.entered + self.held_out + self.refused

    @property
    def done(self) -> int:
        """Those of whom it is decided."""
        return self.found - self.waiting


def add_campaign(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Insert a campaign; False where its journey has one of that occasion already."""
    statement = insert_into(connection, campaigns).values(**row).on_conflict_do_nothing()
    return connection.execute(statement.returning(campaigns.c.id)).one_or_none() is not None


def load_campaign(connection: Connection, campaign_id: str, *, lock: bool = False) -> Row[Any] | None:
    """A campaign by its id, or None. Locked, it is so until the transaction ends: always after leads and runs."""
    query = _ONE.with_for_update() if lock else _ONE
    return connection.execute(query, {"campaign": campaign_id}).one_or_none()


def list_campaigns(connection: Connection, journey: str | None = None, limit: int = 50) -> Sequence[Row[Any]]:
    """The newest campaigns, of a journey or of all; those of schedules that found nobody are left out."""
    somebody = select(campaign_leads.c.campaign_id).where(campaign_leads.c.campaign_id == campaigns.c.id)
    told = or_(campaigns.c.occasion.is_(None), campaigns.c.state != "finished", somebody.exists())
    query = select(campaigns).where(told).order_by(campaigns.c.created_at.desc(), campaigns.c.id.desc())
    if journey is not None:
        query = query.where(campaigns.c.journey == journey)
    return connection.execute(query.limit(limit)).all()


def by_start(connection: Connection, start: str) -> list[str]:
    """The ids of the campaigns that are called so, or whose id begins so; two at most."""
    query = select(campaigns.c.id).where(
        or_(campaigns.c.name == start, campaigns.c.id.startswith(start, autoescape=True))
    )
    return list(connection.execute(query.order_by(campaigns.c.created_at.desc()).limit(2)).scalars())


def change_campaign(connection: Connection, campaign_id: str, **values: Any) -> None:
    """Set these columns."""
    connection.execute(update(campaigns).where(campaigns.c.id == campaign_id).values(**values))


def want_move(connection: Connection, campaign_id: str) -> None:
    """Let its workflow be started, or woken."""
    change_campaign(connection, campaign_id, wake_wanted=campaigns.c.wake_wanted + 1)


def wanted_moves(connection: Connection) -> list[tuple[str, int]]:
    """Campaigns whose workflow is to be started or woken, each with which wish that is."""
    query = select(campaigns.c.id, campaigns.c.wake_wanted).where(
        campaigns.c.state == "running", campaigns.c.wake_wanted > campaigns.c.wake_done
    )
    return [(row.id, row.wake_wanted) for row in connection.execute(query)]


def moves_done(connection: Connection, done: Iterable[tuple[str, int]]) -> None:
    """These wishes were fulfilled; later ones remain."""
    for campaign_id, wanted in done:
        connection.execute(
            update(campaigns)
            .where(campaigns.c.id == campaign_id, campaigns.c.wake_done < wanted)
            .values(wake_done=wanted)
        )


def want_all_moves(connection: Connection) -> None:
    """Let the workflow of every running campaign be started: nobody remembers them."""
    is_running = campaigns.c.state == "running"
    connection.execute(update(campaigns).where(is_running).values(wake_wanted=campaigns.c.wake_wanted + 1))


def stalled(connection: Connection, before: datetime, now: datetime, limit: int) -> list[str]:
    """Running campaigns that have not moved since then (machine time), though there is something to do."""
    query = _to_do(now).where(campaigns.c.moved_at < before)
    return list(connection.execute(query.limit(limit)).scalars())


def not_moved(connection: Connection, now: datetime) -> list[str]:
    """Running campaigns that have something to do by that moment."""
    return list(connection.execute(_to_do(now)).scalars())


def _to_do(now: datetime) -> Select[*tuple[Any, ...]]:
    waits = select(campaign_leads.c.found_as).where(
        campaign_leads.c.campaign_id == campaigns.c.id, campaign_leads.c.state == "waiting"
    )
    return select(campaigns.c.id).where(
        campaigns.c.state == "running",
        or_(campaigns.c.look_at <= now, campaigns.c.looking_at.is_not(None), waits.exists()),
    )


# -- who is in it --------------------------------------------------------------------------------------------


def add_leads(connection: Connection, campaign_id: str, found: Mapping[str, int]) -> None:
    """Add leads, each with the number by which it waits; those that are in it already stay as they are."""
    if found:
        rows = [
            {
                "campaign_id": campaign_id,
                "found_as": lead_id,
                "lead_id": lead_id,
                "number": number,
                "state": "waiting",
            }
            for lead_id, number in found.items()
        ]
        connection.execute(insert_into(connection, campaign_leads).on_conflict_do_nothing(), rows)


def next_leads(connection: Connection, campaign_id: str, limit: int) -> list[Row[Any]]:
    """Who is let in next: `found_as` and `lead_id`."""
    return list(connection.execute(_NEXT, {"campaign": campaign_id, "limit": limit}))


def load_lead_of(connection: Connection, campaign_id: str, found_as: str) -> Row[Any] | None:
    """How it stands with one of its leads."""
    return connection.execute(_WHO, {"campaign": campaign_id, "found_as": found_as}).one_or_none()


def set_lead(connection: Connection, campaign_id: str, found_as: str, **values: Any) -> None:
    """Say what became of one of its leads."""
    connection.execute(
        update(campaign_leads)
        .where(campaign_leads.c.campaign_id == campaign_id, campaign_leads.c.found_as == found_as)
        .values(**values)
    )


def is_in(connection: Connection, campaign_id: str, lead_id: str, besides: str) -> bool:
    """Whether the lead was let in by it already, as another that it was merged with."""
    own = connection.execute(_OF_LEAD, {"lead": lead_id})
    others = (row for row in own if row.campaign_id == campaign_id and row.found_as != besides)
    return any(row.state in ("entered", "held-out") for row in others)


def let_in_first(connection: Connection, campaign_id: str, limit: int) -> int:
    """How many were let in or held out, counted to `limit`."""
    one = select(campaign_leads.c.found_as).where(
        campaign_leads.c.campaign_id == campaign_id, campaign_leads.c.state.in_(("entered", "held-out"))
    )
    return connection.execute(select(func.count()).select_from(one.limit(limit).subquery())).scalar_one()


def under_way(connection: Connection, run_ids: Sequence[str]) -> int:
    """How many of these runs have not taken their first turn, or have a message that is about to leave."""
    if not run_ids:
        return 0
    begins = select(runs.c.id).where(runs.c.id.in_(run_ids), runs.c.turn == 0, runs.c.ended_at.is_(None))
    sends = select(messages.c.run_id).where(
        messages.c.run_id.in_(run_ids), messages.c.state.in_(("queued", "sending"))
    )
    return len(set(connection.execute(begins.union(sends)).scalars()))


def newest_runs(connection: Connection, limit: int) -> list[str]:
    """The runs that campaigns have let in last, of any campaign."""
    query = (
        select(campaign_leads.c.run_id)
        .where(campaign_leads.c.run_id.is_not(None))
        .order_by(campaign_leads.c.run_id.desc())
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def count_leads(connection: Connection, campaign_ids: Sequence[str]) -> dict[str, Progress]:
    """How far these campaigns have come."""
    table = campaign_leads
    query = (
        select(table.c.campaign_id, table.c.state, func.count().label("number"))
        .where(table.c.campaign_id.in_(campaign_ids))
        .group_by(table.c.campaign_id, table.c.state)
    )
    found: dict[str, dict[str, int]] = {one: {} for one in campaign_ids}
    for row in connection.execute(query):
        found[row.campaign_id][row.state.replace("-", "_")] = row.number
    return {one: Progress(**counts) for one, counts in found.items()}


def count_reasons(connection: Connection, campaign_id: str) -> dict[str, int]:
    """Why leads were refused, and how many."""
    table = campaign_leads
    query = (
        select(table.c.reason, func.count().label("number"))
        .where(table.c.campaign_id == campaign_id, table.c.state == "refused")
        .group_by(table.c.reason)
        .order_by(func.count().desc())
    )
    return {row.reason or "erased": row.number for row in connection.execute(query)}


def campaigns_of(connection: Connection, lead_id: str) -> Sequence[Row[Any]]:
    """The campaigns that a lead is in, oldest first, each with its name and journey."""
    query = (
        select(campaign_leads, campaigns.c.name, campaigns.c.journey, campaigns.c.occasion)
        .join(campaigns, campaigns.c.id == campaign_leads.c.campaign_id)
        .where(campaign_leads.c.lead_id == lead_id)
        .order_by(campaigns.c.created_at)
    )
    return connection.execute(query).all()


__all__ = [
    "Progress",
    "add_campaign",
    "add_leads",
    "by_start",
    "campaigns_of",
    "change_campaign",
    "count_leads",
    "count_reasons",
    "is_in",
    "let_in_first",
    "list_campaigns",
    "load_campaign",
    "load_lead_of",
    "moves_done",
    "newest_runs",
    "next_leads",
    "not_moved",
    "set_lead",
    "stalled",
    "under_way",
    "want_all_moves",
    "want_move",
    "wanted_moves",
]
