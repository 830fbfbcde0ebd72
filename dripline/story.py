"""The story of a lead: everything that happened to it and every decision, in order, each with its reason.

The one place that has the words: `dripline why`, the lead's page and the API tell the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, select

from dripline.clock import HouseClock
from dripline.store.leads import facts
from dripline.store.schema import events, leads, messages, runs, step_log


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `text` says it; `detail` has the same for programs. `at` is house time (UTC)."""

    at: datetime
    kind: str
    """`event`, `step` or `message`."""
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


def tell(connection: Connection, lead: Row[Any], clock: HouseClock, where: tzinfo) -> Story:
    """The story of a lead. `where` is the zone in which times within the texts are said."""
    of_lead = {lead.id, *_merged_into(connection, lead.id)}
    run_rows = connection.execute(
        select(runs).where(runs.c.lead_id.in_(of_lead)).order_by(runs.c.started_at, runs.c.id)
    ).all()
    by_id = {run.id: run for run in run_rows}
    found = [
        *((entry.at, 0, number, entry) for number, entry in enumerate(_events(connection, of_lead))),
        *((entry.at, 1, number, entry) for number, entry in enumerate(_steps(connection, by_id, where))),
        *((entry.at, 2, number, entry) for number, entry in enumerate(_messages(connection, of_lead, clock))),
    ]
    entries = tuple(entry for _, _, _, entry in sorted(found, key=lambda one: one[:3]))
    lines = tuple(
        RunLine(run.id, run.journey, run.started_at, run.ended_at, run.outcome, standing(run, where))
        for run in run_rows
    )
    return Story(facts(lead), lines, entries)


def standing(run: Any, where: tzinfo) -> str:
    """Where a run stands, in words: what it waits for, or how it ended; and whether it is of the control group."""
    return _stands(run, where) + (" (control group)" if run.holdout else "")


def _stands(run: Any, where: tzinfo) -> str:
    if run.ended_at is not None:
        return f"{run.outcome}: {run.outcome_reason}" if run.outcome_reason else str(run.outcome)
    if run.parked_reason:
        return f"stopped at {run.step} for a person to look at: {run.parked_reason}"
    if run.step is None:
        return "about to begin"
    if run.wait is None:
        return f"at {run.step}"
    waits = "is held" if run.wait.get("held") else "waits"
    return f"{waits} at {run.step}" + (
        f" until {say_time(run.until, where)}" if run.until else ", for an event"
    )


def say_time(at: datetime, where: tzinfo) -> str:
    """A time for people: `2026-03-02 10:00` in that zone, with seconds where there are any."""
    local = at.astimezone(where)
    return local.strftime("%Y-%m-%d %H:%M:%S" if local.second else "%Y-%m-%d %H:%M")


def _merged_into(connection: Connection, lead_id: str) -> list[str]:
    """The leads that have become this one."""
    return list(connection.execute(select(leads.c.id).where(leads.c.merged_into == lead_id)).scalars())


def _events(connection: Connection, of_lead: set[str]) -> Iterator[Entry]:
    query = select(events).where(events.c.lead_id.in_(of_lead)).order_by(events.c.received_at, events.c.seq)
    for row in connection.execute(query):
        said = ", ".join(f"{name}: {_value(value)}" for name, value in row.properties.items())
        text = f"event {row.name}" + (f" ({said})" if said else "") + (", history" if row.historical else "")
        yield Entry(
            row.received_at, "event", text, what=row.name, detail={"id": row.id, "properties": row.properties}
        )


def _steps(connection: Connection, by_id: Mapping[str, Any], where: tzinfo) -> Iterator[Entry]:
    query = select(step_log).where(step_log.c.run_id.in_(list(by_id))).order_by(step_log.c.at, step_log.c.id)
    for row in connection.execute(query):
        text = describe(row.what, row.step, row.detail, where)
        run = by_id[row.run_id]
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
    for row in connection.execute(query):
        for column, what, words in _FACTS:
            at = getattr(row, column)
            if at is None or (what == "uncertain" and row.state != "uncertain"):
                continue
            at = clock.to_house(at) if what == "uncertain" else at
            said = words.format(
                provider=row.provider or "the provider", reason=row.reason or "no reason given"
            )
            text = f"{row.channel} {row.template} {said}"
            yield Entry(at, "message", text, row.journey, row.run_id, row.step, what, {"message": row.id})
        if row.state == "queued" and row.reason:
            text = f"{row.channel} {row.template} has not left yet: {row.reason}; it is tried again"
            at = clock.to_house(row.progress_at)
            yield Entry(
                at, "message", text, row.journey, row.run_id, row.step, "delayed", {"message": row.id}
            )


def describe(what: str, step: str | None, detail: Mapping[str, Any], where: tzinfo) -> str:
    """A line of a run's log, in words. One that is not known is told as it stands."""
    words = _WORDS.get(what)
    if words is not None:
        return words(step or "?", _Detail(detail), where)
    rest = ", ".join(f"{name}: {_value(value)}" for name, value in detail.items() if value is not None)
    return " ".join(part for part in (what, step, f"({rest})" if rest else "") if part)


class _Detail(dict[str, Any]):
    """A line's detail; what it lacks is `?`, so that an old line can always be told."""

    def __missing__(self, key: str) -> str:
        return "?"


_Words = Callable[[str, _Detail, tzinfo], str]


def _waits(step: str, detail: _Detail, where: tzinfo) -> str:
    events_named = detail.get("events") or ([detail["event"]] if detail.get("event") else [])
    text = f"waits at {step}"
    if events_named:
        text += f" for {' or '.join(events_named)}"
    until = detail.get("until")
    return f"{text}, until {say_time(datetime.fromisoformat(until), where)}" if until else text


def _ended(_step: str, detail: _Detail, _where: tzinfo) -> str:
    reason = detail.get("reason")
    return f"the run ends, {detail['outcome']}" + (f": {reason}" if reason else "")


def _branch(step: str, detail: _Detail, _where: tzinfo) -> str:
    if detail.get("arm") is None:
        return f"no arm of {step} holds: goes on"
    when = detail.get("when")
    because = "nothing before it holds" if when in (None, "else") else f"{when} holds"
    return f"takes arm {detail['arm']} of {step}: {because}"


def _outside(detail: _Detail) -> str:
    return "another system" if detail["kind"] == "webhook" else f"the function {detail['of']}"


def _answered(step: str, detail: _Detail, _where: tzinfo) -> str:
    status = f" ({detail['status']})" if detail.get("status") else ""
    if detail.get("ok"):
        return f"the answer came at {step}{status}"
    return f"no good answer came at {step}{status}: {detail['reason']}"


def _goal(_step: str, detail: _Detail, _where: tzinfo) -> str:
    value = detail.get("value")
    return f"goal reached by {detail['event']}" + (f", worth {_value(value)}" if value is not None else "")


def _entered(_step: str, detail: _Detail, _where: tzinfo) -> str:
    return "enters the journey" + (f" by {detail['event']}" if detail.get("event") else "")


def _if_false(step: str, detail: _Detail, _where: tzinfo) -> str:
    return f"passes over {step}: {detail['if']} does not hold" if detail.get("if") else f"passes over {step}"


def _held(step: str, detail: _Detail, where: tzinfo) -> str:
    until = detail.get("until")
    if until is None:
        return f"holds {step} for a person to look at: {detail['reason']}"
    return f"holds {step} until {say_time(datetime.fromisoformat(until), where)}: {detail['reason']}"


def _no_wait(step: str, detail: _Detail, _where: tzinfo) -> str:
    does = {"exit": "ends the run", "skip": f"skips to {detail['to']}"}.get(detail["do"], "goes on")
    return f"does not wait at {step}, {detail['reason']}: {does}"


def _pass(step: str, detail: _Detail, _where: tzinfo) -> str:
    return (
        f"begins pass {detail['pass']}" + (f" of {detail['of']}" if detail.get("of") else "") + f" of {step}"
    )


def _updated(step: str, detail: _Detail, _where: tzinfo) -> str:
    changed = detail.get("changed")
    return (
        f"changes {_value(changed)} at {step}" if changed else f"changes nothing at {step}: it is so already"
    )


def _enrolled(_step: str, detail: _Detail, _where: tzinfo) -> str:
    reason = detail.get("reason")
    return (
        f"does not enter {detail['journey']}: {reason}" if reason else f"enters {detail['journey']} as well"
    )


def _unenrolled(_step: str, detail: _Detail, _where: tzinfo) -> str:
    return f"leaves {detail['journey']}" + ("" if detail.get("ended") else ": it was not in it")


def _by(detail: _Detail) -> str:
    return f" by {detail['by']}" + (f": {detail['why']}" if detail.get("why") else "")


def _moved(step: str, detail: _Detail, where: tzinfo) -> str:
    because = f": {detail['why']}" if detail.get("why") else ""
    until = detail.get("until")
    there = f"goes on at {step}" if detail.get("from") != step else f"stays at {step}"
    wait = f", until {say_time(datetime.fromisoformat(until), where)}" if until else ""
    return f"the journey was changed, {there}{wait}{because}"


_WORDS: Mapping[str, _Words] = {
    "split": lambda step, detail, _: f"goes the way {detail['arm']} of {step}, by lot",
    "set": lambda step, detail, _: f"sets {_value(detail['names'])}",
    "included": lambda step, detail, _: f"begins the block {detail['block']}",
    "pass": _pass,
    "loop-over": lambda step, detail, _: (
        f"leaves {step} after {detail['passes']} passes: {detail['because']}"
    ),
    "updated": _updated,
    "enrolled": _enrolled,
    "unenrolled": _unenrolled,
    "entered": _entered,
    "queued": lambda step, detail, _: f"queues {step}",
    "skipped": lambda step, detail, _: f"does not send {step}: {detail['reason']}",
    "held": _held,
    "holdout": lambda _step, detail, _where: f"is of the control group ({_value(detail['percent'])}%)",
    "no-wait": _no_wait,
    "parked": lambda step, detail, _: f"stops at {step} for a person to look at: {detail['reason']}",
    "released": lambda step, detail, _: f"lets {step} be sent after all",
    "retried": lambda step, detail, _: f"tries {step} again",
    "waits": _waits,
    "woke": lambda step, detail, _: f"the wait at {step} is over",
    "timeout": lambda step, detail, _: f"nothing came in time at {step}",
    "accepted": lambda step, detail, _: f"{detail['event']} ends the wait at {step}",
    "branch": _branch,
    "if-false": _if_false,
    "asks": lambda step, detail, _: f"asks {_outside(detail)} at {step}, and waits for the answer",
    "answered": _answered,
    "not-asked": lambda step, detail, _: f"does not ask at {step}: {detail['reason']}",
    "issued": lambda step, detail, _: (
        f"issues a discount at {step}"
        + (f", valid to {detail['expires_on']}" if detail.get("expires_on") else "")
    ),
    "not-issued": lambda step, detail, _: f"issues nothing at {step}: {detail['reason']}",
    "notifies": lambda step, detail, _: f"tells {detail['to']} about it at {step}",
    "reminds": lambda step, detail, _: f"keeps in touch about {detail['about']}, time {detail['number']}",
    "day-came": lambda step, detail, _: f"the day has come: {detail['about']}",
    "no-day": lambda step, detail, _: f"passes over {step}: there is no date",
    "filter-failed": lambda step, detail, _: (
        f"cannot tell whether {detail['event']} counts at {step}: {detail['when']} ({detail['reason']})"
    ),
    "goal": _goal,
    "exit": lambda step, detail, _: f"leaves by {detail['event']}: {detail['reason']}",
    "ended": _ended,
    "moved": _moved,
    "thawed": lambda step, detail, where: (
        f"the journey goes on after its pause: waits at {step}"
        + (
            f", until {say_time(datetime.fromisoformat(detail['until']), where)}"
            if detail.get("until")
            else ""
        )
    ),
    "put": lambda step, detail, _: f"is put at {step}, from {detail['from']}{_by(detail)}",
    "passed-over": lambda _step, detail, _where: f"passes over {detail['from']}{_by(detail)}",
}


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_value(item) for item in value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_value(item)}" for name, item in value.items()) + "}"
    return str(value)
