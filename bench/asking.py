"""What the store and Temporal say of runs, while a bench waits and when it counts."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from bench.crowd import Lead
from bench.programs import ROOT, Installation
from dripline.store.schema import mailbox, messages, runs

Tell = Callable[[float], None]
"""Told how much of a part is done, from 0 to 1."""


class Stuck(Exception):
    """What was waited for did not come."""


def until(done: Callable[[], bool], patience: float = 300.0, every: float = 0.1) -> None:
    """Wait for it; raises Stuck after so many seconds."""
    give_up = time.monotonic() + patience
    while not done():
        if time.monotonic() > give_up:
            raise Stuck(f"not done after {patience:.0f} seconds")
        time.sleep(every)


def mailed(at: Installation) -> int:
    """How many messages are in the mailbox."""
    with at.store.read() as connection:
        return connection.execute(select(func.count()).select_from(mailbox)).scalar_one()


def still_open(at: Installation, journey: str) -> int:
    """How many runs of the journey have not ended."""
    query = select(func.count()).where(runs.c.journey == journey, runs.c.ended_at.is_(None))
    with at.store.read() as connection:
        return connection.execute(query).scalar_one()


def resting(at: Installation, journey: str) -> int:
    """How many runs of the journey rest in a wait, with all their messages gone."""
    query = select(func.count()).where(
        runs.c.journey == journey, runs.c.ended_at.is_(None), runs.c.until.is_not(None)
    )
    with at.store.read() as connection:
        return connection.execute(query).scalar_one()


def not_accepted(at: Installation) -> int:
    """Messages of the ledger that did not go out: none, in a bench."""
    with at.store.read() as connection:
        return connection.execute(
            select(func.count()).select_from(messages).where(messages.c.state != "accepted")
        ).scalar_one()


def run_ids(at: Installation, journey: str, leads: Sequence[Lead]) -> list[str]:
    """The ids of these leads' runs of the journey."""
    found: list[str] = []
    with at.store.read() as connection:
        for start in range(0, len(leads), 500):
            ids = [lead.id for lead in leads[start : start + 500]]
            query = select(runs.c.id).where(runs.c.journey == journey, runs.c.lead_id.in_(ids))
            found += connection.execute(query).scalars()
    return found


class Starter:
    """The program that starts runs of another contender; it is ready, as a program that takes events in would be."""

    def __init__(self, at: Installation) -> None:
        self._plan = at.plans["burst"].hash
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.beside.start"],
            env=at.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            raise RuntimeError(self._process.communicate()[1].decode()[-2000:])

    def start(self, kind: str, leads: Sequence[Lead], wait: float) -> float:
        """Start a run for each lead, and end; the seconds of CPU that starting them took."""
        wanted = {"kind": kind, "leads": [lead.id for lead in leads], "wait": wait, "plan": self._plan}
        said, problems = self._process.communicate(json.dumps(wanted).encode())
        if self._process.returncode:
            raise RuntimeError(problems.decode()[-2000:])
        return float(json.loads(said)["cpu"])


def start_beside(at: Installation, kind: str, leads: Sequence[Lead], wait: float) -> float:
    """Start a run of another contender for each lead; the seconds of CPU that starting them took."""
    return Starter(at).start(kind, leads, wait)


@dataclass(frozen=True)
class Histories:
    """What Temporal kept of some finished runs: tasks and events of each, on average and at most."""

    tasks: float
    most_tasks: int
    events: float
    most_events: int
    bytes: float


async def histories(client: Client, ids: Sequence[str]) -> Histories:
    """Read the histories of these workflows."""
    tasks, events, size = [], [], []
    for workflow_id in ids:
        history = await client.get_workflow_handle(workflow_id).fetch_history()
        kinds = [event.event_type for event in history.events]
        events.append(len(kinds))
        tasks.append(kinds.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED))
        size.append(sum(event.ByteSize() for event in history.events))
    count = len(ids)
    return Histories(sum(tasks) / count, max(tasks), sum(events) / count, max(events), sum(size) / count)
