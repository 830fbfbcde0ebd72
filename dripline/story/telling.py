"""Telling the story of a lead out of the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, select

from dripline.clock import HouseClock
from dripline.language.labels import CHANNELS
from dripline.language.plan import Plan
from dripline.store.campaigns import campaigns_of
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from dripline.store.schema import events, inbound, messages, runs, step_log
from dripline.story.hits import hits_of
from dripline.story.lines import standing
from dripline.story.merging import names_besides, told_of_merges
from dripline.story.words import describe, event_said


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `text` says it; `detail` has the same for programs. `at` is house time (UTC)."""

    at: datetime
    kind: str
    """`event`, `step`, `message` or `merge`."""
    text: str
    journey: str | None = None
    run: str | None = None
    step: str | None = None
    what: str = ""
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RunLine:
    """One run in a line: where it stands, or how it ended."""

    id: str
    journey: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    text: str


@dataclass(frozen=True)
class Story:
    """A lead, its runs, and all that happened, oldest first."""

    lead: Mapping[str, Any]
    runs: tuple[RunLine, ...]
    entries: tuple[Entry, ...]
    besides: tuple[str, ...] = ()
    """By what it is found, too: `anonymous id 5f2c…`."""


def tell(connection: Connection, lead: Row[Any], clock: HouseClock, where: tzinfo) -> Story:
    """The story of a lead. `where` is the zone in which times within the texts are said."""
    of_lead = {lead.id}  # what became of this one by merging has given it all that it had
    run_rows = connection.execute(
        select(runs).where(runs.c.lead_id.in_(of_lead)).order_by(runs.c.started_at, runs.c.id)
    ).all()
    by_id = {run.id: run for run in run_rows}
    plans = {run.plan_hash: load_plan(connection, run.plan_hash) for run in run_rows}
    found = [
        *((entry.at, 0, number, entry) for number, entry in enumerate(_events(connection, of_lead))),
        *(
            (entry.at, 1, number, entry)
            for number, entry in enumerate(_steps(connection, by_id, plans, where))
        ),
        *((entry.at, 2, number, entry) for number, entry in enumerate(_messages(connection, of_lead, clock))),
        *((entry.at, 3, number, entry) for number, entry in enumerate(_written(connection, of_lead))),
        *((entry.at, -1, number, entry) for number, entry in enumerate(_merges(connection, lead.id))),
        *((entry.at, -1, number, entry) for number, entry in enumerate(_campaigns(connection, lead.id))),
    ]
    entries = tuple(entry for _, _, _, entry in sorted(found, key=lambda one: one[:3]))
    lines = tuple(
        RunLine(
            run.id,
            run.journey,
            run.started_at,
            run.ended_at,
            run.outcome,
            standing(run, where, plans[run.plan_hash]),
        )
        for run in run_rows
    )
    return Story({**facts(lead), "tracking": lead.tracking}, lines, entries, names_besides(connection, lead))


def _merges(connection: Connection, lead_id: str) -> Iterator[Entry]:
    for at, what, text, detail in told_of_merges(connection, lead_id):
        yield Entry(at, "merge", text, what=what, detail=detail)


def _campaigns(connection: Connection, lead_id: str) -> Iterator[Entry]:
    for row in campaigns_of(connection, lead_id):
        if row.at is None:
            continue
        text = f"is let into {row.journey} by the campaign “{row.name}”"
        if row.state == "refused":
            text = (
                f"is not let into {row.journey} by the campaign “{row.name}”: it {row.reason or 'was erased'}"
            )
        elif row.state == "held-out":
            text += ", as one of its control group"
        detail = {"campaign": row.campaign_id, "state": row.state}
        yield Entry(row.at, "step", text, row.journey, row.run_id, what="campaign", detail=detail)


def _events(connection: Connection, of_lead: set[str]) -> Iterator[Entry]:
    query = select(events).where(events.c.lead_id.in_(of_lead)).order_by(events.c.received_at, events.c.seq)
    for row in connection.execute(query):
        text = event_said(row.name, row.properties) + (", history" if row.historical else "")
        yield Entry(
            row.received_at, "event", text, what=row.name, detail={"id": row.id, "properties": row.properties}
        )


def _steps(
    connection: Connection, by_id: Mapping[str, Any], plans: Mapping[str, Plan], where: tzinfo
) -> Iterator[Entry]:
    query = select(step_log).where(step_log.c.run_id.in_(list(by_id))).order_by(step_log.c.at, step_log.c.id)
    for row in connection.execute(query):
        run = by_id[row.run_id]
        text = describe(row.what, row.step, row.detail, where, plans[run.plan_hash])
        yield Entry(row.at, "step", text, run.journey, row.run_id, row.step, row.what, row.detail)


_FACTS = (
    ("accepted_at", "accepted", "was taken by {provider}"),
    ("delivered_at", "delivered", "was delivered"),
    ("first_opened_at", "opened", "was opened"),
    ("first_clicked_at", "clicked", "was clicked"),
    ("bounced_at", "bounced", "came back: {reason}"),
    ("complained_at", "complained", "was reported as spam"),
    ("failed_at", "failed", "failed for good: {reason}"),
    ("uncertain_at", "uncertain", "may or may not have left; to be settled"),
)
"""What a message's times say. Held and skipped ones are told by the run's own lines."""


def _messages(connection: Connection, of_lead: set[str], clock: HouseClock) -> Iterator[Entry]:
    query = select(messages).where(messages.c.lead_id.in_(of_lead)).order_by(messages.c.queued_at)
    rows = connection.execute(query).all()
    came = hits_of(connection, [row.id for row in rows])
    for row in rows:
        told = [line for line in came if line.message == row.id]
        for line in told:
            text = f"{_named(row)} {line.said}"
            what = line.what if line.is_person else "machine"
            yield Entry(
                line.at, "message", text, row.journey, row.run_id, row.step, what, {"message": row.id}
            )
        by_people = {line.what for line in told if line.is_person}
        for column, what, words in _FACTS:
            at = getattr(row, column)
            if what in by_people:  # told above, with which link it was
                continue
            if at is None or (what == "uncertain" and row.state != "uncertain"):
                continue
            at = clock.to_house(at) if what == "uncertain" else at
            said = words.format(
                provider=row.provider or "the provider", reason=row.reason or "no reason given"
            )
            text = f"{_named(row)} {said}"
            yield Entry(at, "message", text, row.journey, row.run_id, row.step, what, {"message": row.id})
        if row.state == "queued" and row.reason:
            text = f"{_named(row)} has not left yet: {row.reason}; it is tried again"
            at = clock.to_house(row.progress_at)
            yield Entry(
                at, "message", text, row.journey, row.run_id, row.step, "delayed", {"message": row.id}
            )


_MEANT = {
    "stop": "asks for no more",
    "start": "asks for more again",
    "help": "asks for help",
    "automatic": "an answer of a program, which counts for nothing",
}


def _written(connection: Connection, of_lead: set[str]) -> Iterator[Entry]:
    """What the lead wrote that was no reply: those are events."""
    query = select(inbound).where(inbound.c.lead_id.in_(of_lead), inbound.c.intent.in_(list(_MEANT)))
    for row in connection.execute(query.order_by(inbound.c.at, inbound.c.id)):
        said = " ".join((row.body or row.subject or "").split())[:80]
        text = f"{CHANNELS[row.channel]} from the lead, “{said}”: {_MEANT[row.intent]}"
        detail = {"inbound": row.id, **({"message": row.message_id} if row.message_id else {})}
        yield Entry(row.at, "message", text[:1].upper() + text[1:], what=row.intent, detail=detail)


def _named(message: Any) -> str:
    if message.notice:
        return f"the {CHANNELS[message.channel]} to {message.addressee or 'a colleague'}"
    return f"the {CHANNELS[message.channel]} {message.template}"
