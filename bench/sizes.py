"""How much of everything a bench does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """The numbers that a bench is made of."""

    rounds: int
    """Bursts of each kind; they take turns, so that a disturbance of the machine hits all alike."""
    burst: int
    """Runs of one burst."""
    answers: int
    """Events whose way to their message is timed at low load, of each kind."""
    timers: int
    """Runs whose timer is watched at low load, of each kind."""
    single: int
    """Events recorded one by one."""
    batched: int
    """Events recorded in batches that nobody listens for."""
    heard: int
    """Events recorded that a run listens for; half of them one by one, half in batches."""
    sleepers: int
    """Runs that sleep while bytes are counted, of each kind."""
    restarts: int
    """Times that a worker is killed and started again, of each kind."""


FULL = Sizes(
    rounds=4,
    burst=200,
    answers=150,
    timers=60,
    single=1500,
    batched=30_000,
    heard=1000,
    sleepers=5000,
    restarts=3,
)
"""Ends within 15 minutes."""

QUICK = Sizes(
    rounds=1, burst=100, answers=25, timers=10, single=200, batched=6000, heard=100, sleepers=150, restarts=1
)
"""Ends within 2 minutes; its figures say less."""
