"""Who was asked what, and what they said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from dripline.engine.effects import OpenSurvey
from dripline.store.database import insert_into
from dripline.store.schema import messages, survey_asks

_ASKS = survey_asks.c
_LOAD = select(survey_asks).where(_ASKS.id == bindparam("ask"))
_OPEN = (
    select(survey_asks, messages.c.plan_hash, messages.c.channel)
    .join(messages, messages.c.id == _ASKS.id)
    .where(
        _ASKS.lead_id == bindparam("lead"),
        _ASKS.answered_at.is_(None),
        messages.c.accepted_at.is_not(None) | messages.c.uncertain_at.is_not(None),
    )
    .order_by(_ASKS.asked_at.desc(), _ASKS.id.desc())
    .limit(20)
)
_RIPE = (
    select(_ASKS.id, _ASKS.lead_id)
    .where(_ASKS.settle_at.is_not(None), _ASKS.settle_at <= bindparam("now", type_=_ASKS.settle_at.type))
    .order_by(_ASKS.settle_at)
    .limit(bindparam("most"))
)

Pick = tuple[str, datetime]
"""An answer that was clicked, and when (house time)."""


def open_ask(connection: Connection, run: Row[Any], asked: OpenSurvey) -> None:
    """Take answers to the survey that a message asks; a turn that is taken again changes nothing."""
    row = {
        "id": asked.message,
        "survey": asked.survey,
        "kind": asked.kind,
        "lead_id": run.lead_id,
        "run_id": run.id,
        "journey": run.journey,
        "step": asked.step,
        "visit": asked.visit,
        "asked_at": asked.at,
        "closes_at": asked.closes_at,
        "about": dict(asked.about),
    }
    connection.execute(insert_into(connection, survey_asks).values(row).on_conflict_do_nothing())


def load_ask(connection: Connection, ask: str) -> Row[Any] | None:
    """What was asked by the message of that id."""
    return connection.execute(_LOAD, {"ask": ask}).one_or_none()


def lock_ask(connection: Connection, ask: str) -> Row[Any] | None:
    """The same, locked; the caller has locked the lead."""
    return connection.execute(_LOAD.with_for_update(), {"ask": ask}).one_or_none()


def unanswered(connection: Connection, lead: str) -> list[Row[Any]]:
    """What the lead was asked by messages that have left, and has not answered, the newest first."""
    return list(connection.execute(_OPEN, {"lead": lead}))


def keep_picks(connection: Connection, ask: str, picks: Sequence[Pick], settle_at: datetime | None) -> None:
    """Remember what was clicked, and when it is decided who clicked it."""
    told = [[answer, at.isoformat()] for answer, at in picks]
    values = {"picks": told or None, "settle_at": settle_at}
    connection.execute(update(survey_asks).where(_ASKS.id == ask).values(values))


def picks_of(row: Row[Any]) -> list[Pick]:
    """What was clicked, in order."""
    return [(answer, datetime.fromisoformat(at)) for answer, at in row.picks or ()]


def ripe(connection: Connection, now: datetime, most: int) -> list[Row[Any]]:
    """Asks of which it is time to say whether a person has answered: `id` and `lead_id`."""
    return list(connection.execute(_RIPE, {"now": now, "most": most}))


def keep_answer(connection: Connection, ask: str, at: datetime, **said: Any) -> bool:
    """Write the answer down, once; whether it is the first."""
    statement = update(survey_asks).where(_ASKS.id == ask, _ASKS.answered_at.is_(None))
    done = connection.execute(statement.values(answered_at=at, picks=None, settle_at=None, **said))
    return done.rowcount == 1


def keep_unasked(connection: Connection, ask: str, lead: str, at: datetime, **said: Any) -> None:
    """Write down the answer of a lead who was not asked by a message of ours."""
    row = {"id": ask, "lead_id": lead, "asked_at": at, "answered_at": at, **said}
    connection.execute(insert(survey_asks).values(row))


def keep_comment(connection: Connection, ask: str, comment: str) -> None:
    """Write down what a lead has added to its answer."""
    connection.execute(update(survey_asks).where(_ASKS.id == ask).values(comment=comment))


__all__ = [
    "Pick",
    "keep_answer",
    "keep_comment",
    "keep_picks",
    "keep_unasked",
    "load_ask",
    "lock_ask",
    "open_ask",
    "picks_of",
    "ripe",
    "unanswered",
]
