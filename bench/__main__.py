"""`python -m bench [--quick] [--only PART …] [--json PATH]`: measure, print a table, write JSON."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.asking import Tell, not_accepted
from bench.burst import burst
from bench.crowd import Crowd
from bench.events import heard, unheard
from bench.latency import event_to_message, lateness
from bench.machine import load
from bench.programs import Installation
from bench.report import KINDS, Figures, table
from bench.sizes import FULL, QUICK, Sizes
from bench.sleeping import after_restart, sleeping

RESULTS = Path(__file__).parent / "results.json"
PARTS = ("burst", "latency", "timers", "events", "sleep", "restart")
Step = tuple[str, Callable[[Tell], None]]


def main() -> None:
    """Run the bench; ends with 1 where a target was missed and --strict was said."""
    given = _arguments().parse_args()
    sizes = _sizes(given)
    figures = Figures(sizes, load())
    console = Console(width=None if sys.stdout.isatty() else 140)
    console.print(f"Load before: {figures.load_before}  (1, 5 and 15 minutes; {os.cpu_count()} cores)")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dripline-bench-") as folder, Installation(Path(folder)) as at:
        crowd = Crowd(at.store)
        steps = [step for part in PARTS if part in given.only for step in _steps(part, at, crowd, figures)]
        _run(console, steps)
        time.sleep(1.0)  # the outcome is written after the message is in the mailbox
        figures.not_accepted = not_accepted(at)
    figures.load_after, figures.seconds = load(), time.monotonic() - began
    console.print(table(figures))
    console.print(
        f"Load after: {figures.load_after}; {figures.seconds:.0f} seconds;"
        f" messages that did not go out: {figures.not_accepted}"
    )
    figures.write(given.json)
    console.print(f"Written to {given.json}")
    missed = [line.name for line in figures.lines() if line.met is False]
    sys.stdout.flush()
    os._exit(1 if given.strict and (missed or figures.not_accepted) else 0)  # Temporal's threads still run


def _steps(part: str, at: Installation, crowd: Crowd, figures: Figures) -> list[Step]:
    sizes = figures.sizes
    if part == "burst":
        return _bursts(at, crowd, figures)
    if part == "latency":

        def latency(tell: Tell) -> None:
            ours, theirs = event_to_message(at, crowd, sizes.answers, tell)
            figures.latency = {"dripline": ours, "by-hand": theirs}

        return [("event to message", latency)]
    if part == "timers":

        def timers(tell: Tell) -> None:
            figures.lateness = lateness(at, crowd, sizes.timers, tell)

        return [("timers", timers)]
    if part == "events":
        return _events(at, crowd, figures)
    if part == "sleep":
        return [_sleeping(at, crowd, figures, kind) for kind in KINDS[:2]]
    return [_restart(at, crowd, figures, kind) for kind in KINDS[:2]]


def _bursts(at: Installation, crowd: Crowd, figures: Figures) -> list[Step]:
    def one(kind: str) -> Callable[[Tell], None]:
        def do(tell: Tell) -> None:
            figures.bursts.setdefault(kind, []).append(burst(at, crowd, kind, figures.sizes.burst, tell))

        return do

    def warm_up(tell: Tell) -> None:
        with ThreadPoolExecutor(len(KINDS)) as pool:
            for _ in pool.map(lambda kind: burst(at, crowd, kind, 20, tell), KINDS):
                pass

    rounds = [
        (f"burst {number + 1}, {kind}", one(kind)) for number in range(figures.sizes.rounds) for kind in KINDS
    ]
    return [("warming up", warm_up), *rounds]


def _events(at: Installation, crowd: Crowd, figures: Figures) -> list[Step]:
    def nobody(tell: Tell) -> None:
        single, batched = unheard(at, crowd, figures.sizes.single, figures.sizes.batched, tell)
        figures.events["one by one"] = single
        figures.events["in batches of 100"] = batched

    def somebody(tell: Tell) -> None:
        single, batched = heard(at, crowd, figures.sizes.heard, tell)
        figures.events["one by one, listened for"] = single
        figures.events["in batches of 100, listened for"] = batched

    return [("events, not listened for", nobody), ("events, listened for", somebody)]


def _sleeping(at: Installation, crowd: Crowd, figures: Figures, kind: str) -> Step:
    def do(tell: Tell) -> None:
        figures.sleep[kind] = sleeping(at, crowd, kind, figures.sizes.sleepers, tell)

    return f"falling asleep, {kind}", do


def _restart(at: Installation, crowd: Crowd, figures: Figures, kind: str) -> Step:
    def do(tell: Tell) -> None:
        figures.restart[kind] = after_restart(at, crowd, kind, figures.sizes.restarts, tell)

    return f"restarting, {kind}", do


def _run(console: Console, steps: list[Step]) -> None:
    columns = (TextColumn("{task.description:<28}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        whole = progress.add_task("all", total=len(steps))
        for name, do in steps:
            task = progress.add_task(name, total=1.0)
            do(lambda done, task=task: progress.update(task, completed=min(done, 1.0)))  # type: ignore[misc]
            progress.update(task, completed=1.0)
            progress.stop_task(task)
            progress.advance(whole)


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ends within 2 minutes; its figures say less")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="these parts alone")
    parser.add_argument("--json", type=Path, default=RESULTS, help="where the figures are written")
    parser.add_argument("--strict", action="store_true", help="end with 1 where a target was missed")
    for size in fields(Sizes):
        parser.add_argument(
            f"--{size.name}", type=int, metavar="N", help=f"{getattr(FULL, size.name)} in full"
        )
    return parser


def _sizes(given: argparse.Namespace) -> Sizes:
    said = {size.name: getattr(given, size.name) for size in fields(Sizes)}
    return replace(QUICK if given.quick else FULL, **{name: n for name, n in said.items() if n is not None})


if __name__ == "__main__":
    main()
