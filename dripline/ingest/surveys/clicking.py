"""Answers by the links of a message, and by their page: a click counts once it is clear that a person made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Row

from dripline.clock import HouseClock
from dripline.ingest.choosing import Times
from dripline.ingest.recording import record
from dripline.language.surveys.answers import (
    ANSWERED,
    COMMENTED,
    MOST_LETTERS,
    Answer,
    of_choice,
    of_quiz,
    properties,
)
from dripline.language.surveys.picks import of_person
from dripline.language.surveys.questions import Survey
from dripline.links import Claim
from dripline.store import surveys
from dripline.store.events import Event
from dripline.store.leads import load_lead, lock_survivor, survivor_id
from dripline.store.messages import load_message
from dripline.store.plans import load_plan

PATIENCE = timedelta(minutes=2)
"""How long a click waits for another one, or for the page's button (house time)."""
AT_LEAST = timedelta(seconds=10)
"""The same by the clock on the wall: so long it takes to tell a scanner, however fast the house's clock goes."""
MOST = 50
"""Clicks that are remembered of one message."""


@dataclass(frozen=True)
class Asked:
    """What a page shows: the survey, and what has been said."""

    ask: str
    name: str
    survey: Survey
    locale: str | None
    """Of the lead."""
    answer: str | None = None
    """What was answered, once it was."""
    commented: bool = False


@dataclass(frozen=True)
class Said:
    """What the page sent: an answer by question, and words."""

    answers: Mapping[str, str]
    comment: str | None = None


def read_asked(connection: Connection, claim: Claim) -> Asked | None:
    """What the message of a link asks; None where the link has outlived what it was for."""
    row = surveys.load_ask(connection, claim.message)
    return (
        _asked(connection, row, load_lead(connection, survivor_id(connection, row.lead_id))) if row else None
    )


def _asked(connection: Connection, row: Row[Any], lead: Row[Any] | None) -> Asked | None:
    message = load_message(connection, row.id)
    if message is None or lead is None or lead.erased_at is not None:
        return None
    survey = load_plan(connection, message.plan_hash).surveys.get(row.survey)
    if survey is None:
        return None
    return Asked(row.id, row.survey, survey, lead.locale, row.answer, row.comment is not None)


def _locked(connection: Connection, ask: str) -> tuple[Row[Any], Row[Any], Asked] | None:
    """The ask, its lead and what it asks, in the order of locks."""
    seen = surveys.load_ask(connection, ask)
    lead = lock_survivor(connection, seen.lead_id) if seen is not None else None
    row = surveys.lock_ask(connection, ask)
    asked = _asked(connection, row, lead) if row is not None else None
    return None if row is None or lead is None or asked is None else (row, lead, asked)


def pick(connection: Connection, clock: HouseClock, claim: Claim, answer: str, now: Times) -> bool:
    """Remember that an answer was clicked; whether that may come to something. Later clicks take its place."""
    found = _locked(connection, claim.message)
    if found is None:
        return False
    row, _, asked = found
    if row.answered_at is not None or not asked.survey.one_click or of_choice(asked.survey, answer) is None:
        return False
    picks = surveys.picks_of(row)
    if len(picks) < MOST:
        settle_at = max(now.house + PATIENCE, clock.to_house(now.machine + AT_LEAST))
        surveys.keep_picks(connection, row.id, [*picks, (answer, now.house)], settle_at)
    return True


def settle_one(connection: Connection, clock: HouseClock, ask: str, now: Times) -> bool:
    """Take what was clicked for an answer, if a person did it and nothing was said since; whether it is one."""
    found = _locked(connection, ask)
    if found is None:
        surveys.keep_picks(connection, ask, (), None)
        return False
    row, lead, asked = found
    if row.settle_at is None or row.settle_at > now.house:
        return False
    picks = [(answer, clock.to_machine(at)) for answer, at in surveys.picks_of(row)]
    surveys.keep_picks(connection, row.id, (), None)
    message = load_message(connection, ask)
    chosen = of_person(picks, _arrived(message, clock))
    answer = of_choice(asked.survey, chosen) if chosen is not None else None
    if row.answered_at is not None or answer is None or message is None:
        return False
    _tell(connection, ANSWERED, lead.id, asked, answer, message.channel, None, now)
    return True


def _arrived(message: Any, clock: HouseClock) -> Any:
    """When the message had come, in machine time; None where nothing stands between it and its reader."""
    if message is None or message.provider == "mailbox":
        return None
    times = [clock.to_machine(at) for at in (message.accepted_at, message.delivered_at) if at is not None]
    return max(times, default=message.attempted_at)


def say(connection: Connection, claim: Claim, said: Said, now: Times) -> Asked | None:
    """Take what the page sent, at once: a person has pressed its button. What is so then; None as in `read_asked`.

    An answer that was given stays; words may still be added to it, once.
    """
    found = _locked(connection, claim.message)
    if found is None:
        return None
    row, lead, asked = found
    comment = (said.comment or "").strip()[:MOST_LETTERS] or None if asked.survey.comment else None
    if row.answered_at is None:
        answer = _answer(asked.survey, said.answers)
        if answer is None:
            return asked
        _tell(connection, ANSWERED, lead.id, asked, answer, "page", comment, now)
    elif comment and not asked.commented:
        kept = Answer(row.answer or "", row.score, None, row.answers)
        _tell(connection, COMMENTED, lead.id, asked, kept, "page", comment, now)
    again = surveys.load_ask(connection, row.id)
    return _asked(connection, again, lead) if again is not None else None


def _answer(survey: Survey, said: Mapping[str, str]) -> Answer | None:
    if survey.kind == "quiz":
        return of_quiz(survey, said)
    return of_choice(survey, said.get(survey.first.id, ""))


def _tell(
    connection: Connection,
    name: str,
    lead: str,
    asked: Asked,
    answer: Answer,
    via: str,
    comment: str | None,
    now: Times,
) -> None:
    told = properties(asked.name, asked.survey, answer, via, comment, asked.ask)
    event = Event(f"{asked.ask}.{name.partition('.')[2]}", lead, name, told, now.house)
    record(connection, event, now.machine)


__all__ = ["AT_LEAST", "MOST", "PATIENCE", "Asked", "Said", "pick", "read_asked", "say", "settle_one"]
