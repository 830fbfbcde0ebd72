"""What waits for a person: held and uncertain messages, runs that stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    Subquery,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    union_all,
)

from dripline.clock import HouseClock
from dripline.store.schema import Utc, house, journeys, leads, messages, runs

STATES = ("held", "uncertain", "parked")
"""Messages are held or uncertain; runs are parked."""


@dataclass(frozen=True)
class Wanted:
    """Which of them; what is None or empty does not matter."""

    states: tuple[str, ...] = STATES
    journey: str | None = None
    lead_id: str | None = None
    reason: str | None = None
    """Part of the reason, in any case of letters."""
    ids: tuple[str, ...] = ()
    """Beginnings of ids."""


@dataclass(frozen=True)
class Held:
    """One message or run that waits for a person. `since` is house time."""

    id: str
    state: str
    journey: str
    step: str | None
    lead_id: str
    lead: str
    reason: str
    since: datetime
    what: str
    """Channel and template of a message; `run` for a run."""
    may_double: bool
    """Whether it may have left already, so that letting it go may send something twice."""

    @property
    def is_run(self) -> bool:
        """Whether this is a run rather than a message."""
        return self.state == "parked"


def list_held(
    connection: Connection, clock: HouseClock, wanted: Wanted, limit: int | None = None
) -> list[Held]:
    """What waits for a person, the longest waiting first."""
    found = _both(wanted)
    if found is None:
        return []
    query = select(found).order_by(found.c.since, found.c.id).limit(limit)
    return [
        Held(
            id=row.id,
            state=row.state,
            journey=row.journey,
            step=row.step,
            lead_id=row.lead_id,
            lead=row.email or row.phone or row.external_id or row.lead_id,
            reason=row.reason or "no reason was noted",
            since=clock.to_house(row.since) if row.state == "uncertain" else row.since,
            what=row.what,
            may_double=bool(row.may_double),
        )
        for row in connection.execute(query)
    ]


def count_held(connection: Connection) -> dict[str, int]:
    """How many wait in each state; 0 for none."""
    query = select(messages.c.state, func.count().label("number")).where(
        messages.c.state.in_(("held", "uncertain"))
    )
    counts = dict.fromkeys(STATES, 0)
    counts |= {row.state: row.number for row in connection.execute(query.group_by(messages.c.state))}
    parked = select(func.count()).where(runs.c.ended_at.is_(None), runs.c.parked_reason.is_not(None))
    counts["parked"] = connection.execute(parked).scalar_one()
    return counts


@dataclass(frozen=True)
class Alike:
    """Things that wait for a person in one journey, in one state and for one reason."""

    state: str
    journey: str
    reason: str
    number: int
    may_double: bool


def group_held(connection: Connection, wanted: Wanted, limit: int) -> list[Alike]:
    """What waits for a person by state, journey and reason, the most first."""
    found = _both(wanted)
    if found is None:
        return []
    number, doubling = func.count(), func.max(case((found.c.may_double, 1), else_=0))
    kind = (found.c.state, found.c.journey, found.c.reason)
    query = select(*kind, number.label("number"), doubling.label("doubling")).group_by(*kind)
    rows = connection.execute(query.order_by(number.desc(), *kind).limit(limit))
    return [Alike(row.state, row.journey, row.reason or "", row.number, bool(row.doubling)) for row in rows]


def count_reason(connection: Connection, reason: str, journey: str | None = None) -> int:
    """How many messages (of a journey) are held for exactly that reason."""
    query = select(func.count()).where(messages.c.state == "held", messages.c.reason == reason)
    if journey is not None:
        query = query.where(messages.c.journey == journey)
    return connection.execute(query).scalar_one()


def braked(connection: Connection) -> tuple[bool, frozenset[str]]:
    """Whether everything is stopped, and which journeys are paused: what is sent there is held again."""
    stopped = connection.execute(select(house.c.stopped_at)).scalar_one_or_none() is not None
    paused = connection.execute(select(journeys.c.id).where(journeys.c.paused_at.is_not(None))).scalars()
    return stopped, frozenset(paused)


def _both(wanted: Wanted) -> Subquery | None:
    parts = [_messages(wanted)] if {"held", "uncertain"} & set(wanted.states) else []
    if "parked" in wanted.states:
        parts.append(_runs(wanted))
    return union_all(*parts).subquery() if parts else None


def _messages(wanted: Wanted) -> Select[Any]:
    table = messages
    query = (
        select(
            table.c.id,
            table.c.state,
            table.c.journey,
            table.c.step,
            table.c.lead_id,
            leads.c.email,
            leads.c.phone,
            leads.c.external_id,
            table.c.reason,
            case((table.c.state == "held", table.c.held_at), else_=table.c.uncertain_at).label("since"),
            (table.c.channel + " " + table.c.template).label("what"),
            or_(table.c.uncertain_at.is_not(None), table.c.attempt_id.is_not(None)).label("may_double"),
        )
        .join(leads, leads.c.id == table.c.lead_id)
        .where(table.c.state.in_([state for state in wanted.states if state != "parked"]))
    )
    return query.where(*_narrowed(wanted, table.c.id, table.c.journey, table.c.lead_id, table.c.reason))


def _runs(wanted: Wanted) -> Select[Any]:
    table = runs
    query = (
        select(
            table.c.id,
            cast(literal("parked"), String).label("state"),
            table.c.journey,
            table.c.step,
            table.c.lead_id,
            leads.c.email,
            leads.c.phone,
            leads.c.external_id,
            table.c.parked_reason.label("reason"),
            func.coalesce(table.c.held_at, table.c.last_at, type_=Utc()).label("since"),
            cast(literal("run"), String).label("what"),
            table.c.held_at.is_not(None).label(
                "may_double"
            ),  # after a restore: its turns may have been taken
        )
        .join(leads, leads.c.id == table.c.lead_id)
        .where(table.c.ended_at.is_(None), table.c.parked_reason.is_not(None))
    )
    return query.where(
        *_narrowed(wanted, table.c.id, table.c.journey, table.c.lead_id, table.c.parked_reason)
    )


def _narrowed(
    wanted: Wanted,
    by_id: ColumnElement[Any],
    journey: ColumnElement[Any],
    lead_id: ColumnElement[Any],
    reason: ColumnElement[Any],
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.journey is not None:
        conditions.append(journey == wanted.journey)
    if wanted.lead_id is not None:
        conditions.append(lead_id == wanted.lead_id)
    if wanted.reason is not None:
        conditions.append(reason.icontains(wanted.reason, autoescape=True))
    if wanted.ids:
        conditions.append(or_(*(by_id.startswith(one, autoescape=True) for one in wanted.ids)))
    return conditions


__all__ = [
    "STATES",
    "Alike",
    "Held",
    "Wanted",
    "braked",
    "count_held",
    "count_reason",
    "group_held",
    "list_held",
]
