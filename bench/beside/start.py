"""Starts the workflows of a contender: `python -m bench.beside.start`, a JSON object on standard input.

It does what a program that takes events in does at least: writes the event and the run, then starts the workflow.
Prints `ready` when it could begin, and one line of JSON: the seconds of CPU that it spent from then on.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import Any

import uuid_utils
from sqlalchemy import insert
from temporalio.client import Client

from bench.beside import shell, workflow
from dripline.clock import machine_clock
from dripline.settings import Settings
from dripline.stack.connection import connect
from dripline.store.database import Store
from dripline.store.schema import events, runs
from dripline.waker import CONCURRENCY
from dripline.wire import RunRef, workflow_id

BATCH = 100


async def start() -> float:
    """Start a run for each of the leads; the seconds of CPU that it took."""
    store, client = Store(Settings().store_url()), await connect()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    wanted = json.loads(sys.stdin.read())
    before = time.process_time()
    leads: list[str] = wanted["leads"]
    limit = asyncio.Semaphore(CONCURRENCY)

    async def one(run: str, lead: str) -> None:
        async with limit:
            await _start(client, wanted, run, lead)

    for at in range(0, len(leads), BATCH):
        batch = {str(uuid_utils.uuid7()): lead for lead in leads[at : at + BATCH]}
        _write(store, wanted, batch)
        await asyncio.gather(*(one(run, lead) for run, lead in batch.items()))
    return time.process_time() - before


async def _start(client: Client, wanted: dict[str, Any], run: str, lead: str) -> None:
    by_hand = wanted["kind"] in (workflow.QUEUE, workflow.ORDINARY)
    await client.start_workflow(
        "ByHand" if by_hand else "JourneyRun",
        workflow.Way(run, lead, wanted["wait"]) if by_hand else RunRef(run),
        id=workflow_id(wanted["kind"], lead),
        task_queue=wanted["kind"] if by_hand else shell.QUEUE,
    )


def _write(store: Store, wanted: dict[str, Any], batch: dict[str, str]) -> None:
    now = machine_clock()
    ids = {lead: str(uuid_utils.uuid7()) for lead in batch.values()}
    with store.write() as connection:
        connection.execute(
            insert(events),
            [
                {
                    "id": ids[lead],
                    "lead_id": lead,
                    "name": "bench.started",
                    "properties": {},
                    "received_at": now,
                }
                for lead in batch.values()
            ],
        )
        connection.execute(
            insert(runs),
            [
                {
                    "id": run,
                    "lead_id": lead,
                    "journey": wanted["kind"],
                    "plan_hash": wanted["plan"],
                    "trigger_event": ids[lead],
                    "variables": {},
                    "visits": {},
                    "accepted": [],
                    "started_at": now,
                    "last_at": now,
                }
                for run, lead in batch.items()
            ],
        )


def main() -> None:
    sys.stdout.write(json.dumps({"cpu": asyncio.run(start())}) + "\n")
    sys.stdout.flush()
    os._exit(0)  # a client's threads may crash an interpreter that ends in the usual way


if __name__ == "__main__":
    main()
