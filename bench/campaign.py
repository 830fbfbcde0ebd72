"""`python -m bench.campaign [--leads 100000]`: a campaign while events come in, and a kill in the middle of it.

Held to what it must keep: from an event to its message takes less than twice as long (p95) as without the campaign,
the worker's memory stays flat, and every lead is let in exactly once whatever was killed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import func, select

from bench.asking import mailed, resting, until
from bench.crowd import Caller, Crowd, Lead
from bench.latency import Times, accepted, times
from bench.machine import Load, load
from bench.programs import Installation
from dripline.clock import machine_clock
from dripline.ingest.campaigns.starting import Wanted, start_campaign
from dripline.language.workspace import load_workspace
from dripline.store.campaigns import Progress, count_leads, load_campaign
from dripline.store.schema import mailbox, messages, runs

EVERY = 0.25
"""Seconds from one event to the next."""
SLICE = 5_000
"""Leads that are put into the store at once."""
FLAT = 1.25
"""How much of its memory a quarter into the campaign the worker may have at its end."""
WARM = 20
"""Events that go before the measured ones, so that nothing is measured that happens once."""


@dataclass(frozen=True)
class Outcome:
    """What a campaign came to. Latencies are in milliseconds, memory in megabytes."""

    leads: int
    seconds: float
    a_second: float
    idle: Times
    beside: Times
    memory_early: float
    memory_late: float
    killed_at: int
    """Leads that were in when the worker was killed; 0: it was not."""
    entered_once: int
    doubled: int
    lost: int
    mailed_once: int
    load_before: Load
    load_after: Load

    @property
    def slower(self) -> float:
        """How many times as long an event takes to its message (p95)."""
        return self.beside.p95 / self.idle.p95

    def kept(self) -> list[tuple[str, bool]]:
        """What it is held to, and whether it kept it."""
        return [
            (f"p95 beside it below twice the idle one ({self.slower:.2f}×)", self.slower < 2),
            (
                f"memory flat ({self.memory_early:.0f} to {self.memory_late:.0f} MB)",
                self.memory_late < FLAT * self.memory_early,
            ),
            (
                f"everybody once ({self.doubled} doubled, {self.lost} lost, {self.mailed_once} mails to one each)",
                not self.doubled and not self.lost and self.mailed_once == self.leads,
            ),
        ]


class Events:
    """Leads that answer one after the other, and how long each message takes."""

    def __init__(self, at: Installation, crowd: Crowd) -> None:
        self._at, self._crowd = at, crowd
        self._caller = Caller(at.web_port)

    def measure(self, number: int, stop: threading.Event | None = None) -> Times:
        """So many events (at most, where it is stopped before), each from before it is said to its message."""
        leads = self._crowd.take(number)
        for start in range(0, number, 100):
            self._caller.say_in_batches("bench.waits", leads[start : start + 100])
        until(lambda: resting(self._at, "answer") >= number)
        time.sleep(2.0)
        said = self._say(leads, stop or threading.Event())
        until(lambda: len(accepted(self._at, "offer").keys() & said.keys()) == len(said))
        reached = accepted(self._at, "offer")
        return times([reached[lead] - at for lead, at in list(said.items())[min(WARM, len(said) // 4) :]])

    def _say(self, leads: list[Lead], stop: threading.Event) -> dict[str, float]:
        said: dict[str, float] = {}
        self._caller = Caller(self._at.web_port)  # the server lets idle connections go
        for lead in leads:
            if stop.is_set():
                break
            said[lead.id] = time.time()
            self._caller.say("bench.answered", lead, score=7)
            time.sleep(EVERY)
        return said


def campaign(at: Installation, leads: int, events: int, *, kill: bool) -> Outcome:
    """Measure events alone, then beside a campaign of so many leads; half of them are let in after a kill."""
    crowd, before = Crowd(at.store), load()
    beside, told = Events(at, crowd), Console()
    told.say("events alone")
    idle = beside.measure(events)
    waiting = crowd.take(events)  # they answer while the campaign goes on
    caller = Caller(at.web_port)
    caller.say_in_batches("bench.waits", waiting)
    until(lambda: resting(at, "answer") >= events)
    for start in range(0, leads, SLICE):
        audience(crowd, min(SLICE, leads - start))
    told.say(f"a campaign of {leads:,} leads, beside events")
    began, mails, killed_at = time.monotonic(), mailed(at), 0
    id_ = _start(at)
    until(lambda: _progress(at, id_).done >= min(leads // 4, 200), patience=3_600)
    early = at.worker.memory()
    said = beside._say(waiting, threading.Event())
    until(lambda: len(accepted(at, "offer").keys() & said.keys()) == len(said), patience=600)
    reached = accepted(at, "offer")
    while _state(at, id_) == "running":
        done = _progress(at, id_).done
        told.say(f"{done:,} of {leads:,}", once=False)
        if kill and not killed_at and done >= leads // 2:
            killed_at = done
            told.say(f"killing the worker at {done:,} of {leads:,}")
            at.worker.kill()
            at.worker.start()
        time.sleep(2.0)
    until(lambda: mailed(at) >= mails + leads + len(said), patience=600)
    seconds = time.monotonic() - began
    counts = _runs(at)
    once = sum(number == 1 for number in counts.values())
    return Outcome(
        leads=leads,
        seconds=round(seconds, 1),
        a_second=round(leads / seconds, 1),
        idle=idle,
        beside=times([reached[lead] - moment for lead, moment in list(said.items())[WARM:]]),
        memory_early=early / 2**20,
        memory_late=at.worker.memory() / 2**20,
        killed_at=killed_at,
        entered_once=once,
        doubled=len(counts) - once,
        lost=leads - len(counts),
        mailed_once=sum(number == 1 for number in _mails(at).values()),
        load_before=before,
        load_after=load(),
    )


def audience(crowd: Crowd, number: int) -> None:
    """Leads that the campaign's audience has."""
    crowd.take(number, company="Sevan")


def _start(at: Installation) -> str:
    workspace, problems = load_workspace(Path(at.environment["DRIPLINE_WORKSPACE"]))
    assert workspace is not None, problems
    with at.store.write() as connection:
        wanted = Wanted("greeting", "lead.company == 'Sevan'", "bench")
        return start_campaign(connection, workspace, wanted, machine_clock(), "bench")


def _progress(at: Installation, id_: str) -> Progress:
    with at.store.read() as connection:
        return count_leads(connection, [id_])[id_]


def _state(at: Installation, id_: str) -> str:
    with at.store.read() as connection:
        row = load_campaign(connection, id_)
    assert row is not None
    return str(row.state)


def _runs(at: Installation) -> Counter[str]:
    query = select(runs.c.lead_id, func.count().label("number")).where(runs.c.journey == "greeting")
    with at.store.read() as connection:
        rows = connection.execute(query.group_by(runs.c.lead_id))
        return Counter({row.lead_id: row.number for row in rows})


def _mails(at: Installation) -> Counter[str]:
    query = (
        select(messages.c.lead_id, func.count().label("number"))
        .join(mailbox, mailbox.c.key == messages.c.id)
        .join(runs, runs.c.id == messages.c.run_id)
        .where(runs.c.journey == "greeting")
        .group_by(messages.c.lead_id)
    )
    with at.store.read() as connection:
        return Counter({row.lead_id: row.number for row in connection.execute(query)})


class Console:
    """Says on the terminal how far it is."""

    def say(self, text: str, *, once: bool = True) -> None:
        """One line; `once`, or over the one before."""
        if once or sys.stderr.isatty():
            sys.stderr.write(f"{text}\n" if once else f"\r{text}        ")
            sys.stderr.flush()


def main() -> None:
    """Measure, and end with 1 where it did not keep what it is held to and --strict was said."""
    parser = argparse.ArgumentParser(prog="python -m bench.campaign")
    parser.add_argument("--leads", type=int, default=100_000, help="how many the campaign lets in")
    parser.add_argument("--events", type=int, default=200, help="how many events come in meanwhile")
    parser.add_argument("--no-kill", action="store_true", help="let the worker live")
    parser.add_argument("--strict", action="store_true", help="fail where a target was missed")
    parser.add_argument("--json", type=Path, help="write the figures there")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="dripline-bench-") as folder,
        Installation(Path(folder), beside=False) as at,
    ):
        found = campaign(at, given.leads, given.events, kill=not given.no_kill)
    for name, value in asdict(found).items():
        sys.stdout.write(f"{name:14} {value}\n")
    for name, kept in found.kept():
        sys.stdout.write(f"{'kept  ' if kept else 'MISSED'} {name}\n")
    if given.json:
        given.json.write_text(json.dumps(asdict(found), indent=2) + "\n")
    sys.stdout.flush()
    os._exit(1 if given.strict and not all(kept for _, kept in found.kept()) else 0)


if __name__ == "__main__":
    main()
