"""What the demo's leads must have got: each life lived again in memory, from what came in and when, and compared.

The simulator lives a life without crash, delay or retry. What it comes to is held against the ledger, and the
ledger against what the providers took. What is late may be overtaken: its lead has left meanwhile, or other journeys
have sent what it takes to reach a cap. Those messages are missing, with that reason, and are counted apart. So are
those that three attempts did not get out, the last without an answer: a person is asked about them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, Table, select

from activities.sweep import SEND_AGAIN
from dripline.language.project import Project
from dripline.simulate.life import Life
from dripline.simulate.state import Run
from dripline.simulate.timeline import Letter
from dripline.stack.demo.behaviour import Act
from dripline.store.database import Store
from dripline.store.leads import facts
from dripline.store.schema import discounts, events, leads, messages, runs
from tests.sink import Sink

SENT = ("accepted", "delivered")
OVERTAKEN = ("run left by", "no consent for", "left the topic")
"""Why a message may be skipped that was queued before its lead left, and would have left after it."""
SAID_BY_NOBODY = {"first_touch", "last_touch", "owner"}
"""What changes without an act of the demo's: a repeated request is another visit where days are so short, and who does
not react in time loses the lead to a colleague.
"""

Place = tuple[str, int]
"""A journey and which of its lead's runs, counted from 0."""


@dataclass
class Reckoning:
    """Every way in which a promise could have been broken, with the cases."""

    leads: int = 0
    runs: int = 0
    sent: int = 0
    discounts: int = 0
    converted: int = 0
    overtaken: int = 0
    given_up: int = 0
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.leads} leads, {self.runs} runs, {self.sent} messages, {self.discounts} discounts,"
            f" {self.converted} converted, {self.overtaken} overtaken, {self.given_up} given up;"
            f" {len(self.doubled)} doubled, {len(self.lost)} lost, {len(self.wrong)} wrong"
        )


@dataclass(frozen=True)
class Books:
    """Everything that the store says of one lead."""

    lead: Row[Any]
    events: list[Row[Any]]
    runs: list[Row[Any]]
    messages: list[Row[Any]]
    discounts: list[Row[Any]]


def books_of(store: Store) -> dict[str, Books]:
    """By external id."""
    with store.read() as connection:

        def by_lead(table: Table, *order: Any) -> Mapping[str, list[Row[Any]]]:
            found: defaultdict[str, list[Row[Any]]] = defaultdict(list)
            for row in connection.execute(select(table).order_by(*order)):
                found[row.lead_id].append(row)
            return found

        of_events, of_runs = by_lead(events, events.c.received_at), by_lead(runs, runs.c.started_at)
        of_messages, of_discounts = by_lead(messages, messages.c.queued_at), by_lead(discounts)
        return {
            lead.external_id: Books(
                lead, of_events[lead.id], of_runs[lead.id], of_messages[lead.id], of_discounts[lead.id]
            )
            for lead in connection.execute(select(leads))
        }


def reckon(store: Store, sink: Sink, project: Project, acts: Iterable[Act]) -> Reckoning:
    """Compare everything with everything."""
    told: defaultdict[str, list[Act]] = defaultdict(list)
    for act in acts:
        told[act.person.external_id].append(act)
    books = books_of(store)
    reckoning = Reckoning(leads=len(books))
    reckoning.lost += [f"lead {missing}" for missing in told.keys() - books.keys()]
    for name, book in books.items():
        compare(reckoning, name, book, live_again(project, book, told[name]))
    _compare_providers(reckoning, sink, [row for book in books.values() for row in book.messages])
    return reckoning


def compare(reckoning: Reckoning, name: str, book: Books, life: Life) -> None:
    """Compare what the store says of a lead with the life that it should have had."""
    _compare_runs(reckoning, name, book, life)
    _compare_messages(reckoning, name, book, life)
    _compare_discounts(reckoning, name, book, life)


# -- what should have been -----------------------------------------------------------------------------------


def live_again(project: Project, book: Books, acts: list[Act]) -> Life:
    """The lead's life in memory: what came in over HTTP, at the times at which it was received."""
    coming = next(act for act in acts if act.does == "comes")
    changes = [act.body for act in acts if act.does == "changes"]
    own = facts(book.lead)
    own |= {"consent": coming.body.get("consent", {}), "topics": {}, "stage": None, "score": 0.0, "tags": []}
    life = Life(project.plans.values(), own, book.lead.created_at)
    for event in book.events:
        if event.depth or event.historical or event.name == "journey.enrolled":
            continue  # what runs did is done again by them
        if event.name == "lead.updated" and not set(event.properties["changed"]) <= SAID_BY_NOBODY:
            assert changes, f"{book.lead.external_id} was changed by nobody: {event.id} {event.properties}"
            said = changes.pop(0)
            own = {**own, **{name: _laid_over(own.get(name), value) for name, value in said.items()}}
            life.changes({name: own[name] for name in said}, event.received_at)
        else:
            life.happens(event.name, event.properties, event.received_at)
    life.live(book.lead.created_at + timedelta(days=2000))
    return life


def _laid_over(before: Any, value: Any) -> Any:
    return {**(before or {}), **value} if isinstance(value, dict) else value


# -- comparisons ---------------------------------------------------------------------------------------------


def _compare_runs(reckoning: Reckoning, name: str, book: Books, life: Life) -> None:
    reckoning.runs += len(book.runs)
    reckoning.converted += sum(run.converted_at is not None for run in book.runs)
    expected = Counter(_end(run) for run in life.runs)
    seen = Counter(
        (row.journey, row.outcome, row.outcome_reason, row.converted_at is not None, row.goal_value)
        for row in book.runs
    )
    reckoning.wrong += [f"{name}: not expected: {one}" for one in (seen - expected).elements()]
    reckoning.lost += [f"{name}: expected: {one}" for one in (expected - seen).elements()]
    reckoning.wrong += [f"{name}: stopped, {row.parked_reason}" for row in book.runs if row.parked_reason]


def _end(run: Run) -> tuple[Any, ...]:
    outcome = run.outcome
    kind, reason = (outcome.kind, outcome.reason) if outcome else (None, None)
    return run.plan.journey, kind, reason, run.converted, run.value


def _compare_messages(reckoning: Reckoning, name: str, book: Books, life: Life) -> None:
    places = {run.id: _place(run.journey, run.started_at, book.runs) for run in book.runs}
    seen = {(places[row.run_id], row.step, row.visit): row for row in book.messages}
    if len(seen) != len(book.messages):
        reckoning.doubled.append(f"{name}: a step's message is there twice")
    letters = _letters(life)
    for key, letter in letters.items():
        row = seen.pop(key, None)
        if row is None:
            reckoning.lost.append(f"{name}: {key}")
        elif row.state == "skipped" and letter.fate == "sent" and _overtaken(row, book):
            reckoning.overtaken += 1
        elif row.state == "held" and letter.fate == "sent" and _given_up(row):
            reckoning.given_up += 1
        elif (row.state in SENT) != (letter.fate == "sent") or row.state not in (*SENT, "skipped"):
            reckoning.wrong.append(f"{name}: {key} is {row.state} ({row.reason}), not {letter.fate}")
        elif letter.fate == "skipped" and row.reason != letter.reason:
            reckoning.wrong.append(f"{name}: {key} skipped: {row.reason}, not {letter.reason}")
        elif letter.content is not None and row.subject != letter.content.subject:
            reckoning.wrong.append(f"{name}: {key} says {row.subject}, not {letter.content.subject}")
    reckoning.wrong += [f"{name}: not expected: {key}" for key in seen]


def _given_up(row: Row[Any]) -> bool:
    """Whether its answer stayed away and it had been tried so often that a person is asked."""
    return bool(row.attempts >= SEND_AGAIN and row.reason.startswith("uncertain: "))


def _overtaken(row: Row[Any], book: Books) -> bool:
    """Whether the message would have left in time, and something else came before it because it was late."""
    limit = re.fullmatch(r"limit of (\d+) per (\d+) days", row.reason)
    if limit is None:
        return bool(row.reason.startswith(OVERTAKEN))
    # a cap is never broken: a late turn counts what other journeys have sent since its message was due
    since = row.queued_at - timedelta(days=int(limit[2]))
    counted = [
        one
        for one in book.messages
        if one.state in SENT and one.queued_at > since and not (one.transactional or one.notice)
    ]
    return len(counted) >= int(limit[1]) and any(one.queued_at > row.queued_at for one in counted)


Key = tuple[Place, str, int]
"""A run's place, a step and its visit."""


def _letters(life: Life) -> dict[Key, Letter]:
    places = {run.id: _place(run.plan.journey, run.state.started_at, _started(life)) for run in life.runs}
    found = {}
    for letter in life.letters:
        found[places[letter.run], letter.step, int(letter.id.rpartition("/")[2])] = letter
    return found


class _Started:
    def __init__(self, run: Run) -> None:
        self.journey, self.started_at = run.plan.journey, run.state.started_at


def _started(life: Life) -> list[_Started]:
    return [_Started(one) for one in life.runs]


def _place(journey: str, started: datetime, everyone: Iterable[Any]) -> Place:
    return journey, sum(one.journey == journey and one.started_at < started for one in everyone)


def _compare_discounts(reckoning: Reckoning, name: str, book: Books, life: Life) -> None:
    """Those of journeys; what referral programs gave follows from events that the life was told."""
    issued = [row for row in book.discounts if row.run_id is not None]
    reckoning.discounts += len(issued)
    expected = Counter((entry.journey, entry.step) for entry in life.timeline if entry.what == "discount")
    seen = Counter((row.journey, row.step) for row in issued)
    reckoning.doubled += [f"{name}: discount {one}" for one in (seen - expected).elements()]
    reckoning.lost += [f"{name}: discount {one}" for one in (expected - seen).elements()]


def _compare_providers(reckoning: Reckoning, sink: Sink, ledger: list[Row[Any]]) -> None:
    taken = Counter(one.key for one in sink.accepted)
    said = {row.id for row in ledger if row.state in SENT}
    reckoning.sent = len(taken)
    reckoning.doubled += [f"message {key}: taken {count} times" for key, count in taken.items() if count > 1]
    reckoning.lost += [f"message {key}: sent by the ledger, never taken" for key in said - taken.keys()]
    reckoning.wrong += [f"message {key}: taken, and the ledger does not know" for key in taken.keys() - said]
    subjects = {row.id: (row.recipient, row.subject or row.body) for row in ledger}
    reckoning.wrong += [
        f"message {one.key}: another one was taken than was written"
        for one in sink.accepted
        if one.key in subjects and (one.to, one.subject or one.text) != subjects[one.key]
    ]
