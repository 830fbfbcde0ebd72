"""A storm: people come while processes are killed and providers misbehave; then a quiet period, then the account."""

from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path

from sqlalchemy import func, select

from dripline.store.schema import messages, runs
from tests.crash.account import OPEN, Account, take_account
from tests.crash.people import live, people
from tests.crash.stack import Stack
from tests.sink import Behaviour, Sink, Webhooks, accept_and_drop, drop, fail, refuse, slow, throttle

VICTIMS = ["worker", "worker", "web", "temporal"]

SETTINGS = {
    "DRIPLINE_HTTP_TIMEOUT": "2",
    "DRIPLINE_LEASE": "6",
    "DRIPLINE_SWEEP_EVERY": "3",
    "DRIPLINE_OVERDUE_AFTER": "5",
    "DRIPLINE_STALLED_AFTER": "15",
}


def mix() -> tuple[tuple[float, object], ...]:
    """What providers do to a request, beside taking it."""
    return (
        (0.03, throttle(1)),
        (0.02, refuse(401)),
        (0.03, slow(3.0)),
        (0.02, drop()),
        (0.03, accept_and_drop()),
        (0.01, fail(500)),
        (0.01, fail(503, taken=True)),
    )


def storm(
    folder: Path, store_url: str, *, count: int, kills: int, seconds: float, webhooks: bool, seed: int
) -> Account:
    """Run it and take the account. Everything random comes from the seed."""
    say(
        f"seed {seed}: {count} runs, {kills} kills in {seconds:.0f} s, webhooks {'on' if webhooks else 'off'}"
    )
    everyone = people(count, seed)
    behaviour = Behaviour(mix=mix(), seed=seed)  # type: ignore[arg-type]
    settings = {
        **SETTINGS,
        "DRIPLINE_UNCERTAIN_AFTER": "20" if webhooks else "12",
        "DRIPLINE_UNCERTAIN_MARKETING": "send-again" if webhooks else "hold",
    }
    with Sink(behaviour=behaviour) as sink, Stack(folder, store_url, sink, settings=settings) as stack:
        sink.webhooks = Webhooks(
            on=webhooks,
            sendgrid_url=f"{stack.url}/webhooks/sendgrid",
            delay=(0.0, 4.0),
            doubled=True,
            shuffled=True,
            retry_every=0.5,
            tries=120,
        )
        stop = threading.Event()
        killer = threading.Thread(target=kill_often, args=(stack, kills, seconds, seed, stop), daemon=True)
        killer.start()
        try:
            for _ in live(stack.url, everyone, seconds):
                pass
        finally:
            stop.set()
            killer.join()
        wait_until_quiet(stack, patience=240)
        sink.settle(60)
        return take_account(stack.store, sink, everyone)


def kill_often(stack: Stack, kills: int, seconds: float, seed: int, stop: threading.Event) -> None:
    """Kill so many times, at random moments of the given seconds; at least one of each."""
    draw = random.Random(seed)
    moments = sorted(draw.uniform(0.5, seconds) for _ in range(kills))
    began = time.monotonic()
    done = 0
    for moment in moments:
        time.sleep(max(0.0, began + moment - time.monotonic()))
        victim = draw.choice(VICTIMS)
        stack.kill(victim)
        done += 1
    say(f"killed {done} times")


def wait_until_quiet(stack: Stack, patience: float) -> None:
    """Wait until every run has ended and every message is settled, or patience ends."""
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        with stack.store.read() as connection:
            open_runs = connection.execute(select(func.count()).where(runs.c.ended_at.is_(None))).scalar_one()
            open_messages = connection.execute(
                select(func.count()).where(messages.c.state.in_(OPEN))
            ).scalar_one()
        if not open_runs and not open_messages:
            return
        time.sleep(1)
    say(f"not quiet: {open_runs} runs and {open_messages} messages are still open")


def say(line: str) -> None:
    """Tell, even while pytest keeps output to itself."""
    sys.stderr.write(f"[storm] {line}\n")
