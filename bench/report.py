"""The figures as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from bench.burst import Burst
from bench.events import Rates
from bench.latency import Times
from bench.machine import Load, described
from bench.sizes import Sizes
from bench.sleeping import Sleep
from dripline import __version__

KINDS = ("dripline", "by-hand", "ordinary", "shell")


@dataclass
class Figures:
    """Everything that a bench found out."""

    sizes: Sizes
    load_before: Load
    load_after: Load | None = None
    seconds: float = 0.0
    bursts: dict[str, list[Burst]] = field(default_factory=dict)
    latency: dict[str, Times] = field(default_factory=dict)
    lateness: Times | None = None
    events: dict[str, Rates] = field(default_factory=dict)
    sleep: dict[str, Sleep] = field(default_factory=dict)
    restart: dict[str, list[float]] = field(default_factory=dict)
    not_accepted: int = 0

    def as_json(self) -> dict[str, Any]:
        """All of it, with the ratios."""
        return {
            "version": __version__,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": described(),
            **asdict(self),
            "ratios": {line.name: line.ratio for line in self.lines() if line.ratio is not None},
            "targets": {line.name: line.met for line in self.lines() if line.met is not None},
        }

    def write(self, path: Path) -> None:
        """Write the JSON."""
        path.write_text(json.dumps(self.as_json(), indent=2) + "\n")

    def lines(self) -> list[Line]:
        """The table's lines, as far as the figures are there."""
        return [*_bursts(self.bursts), *_latency(self), *_events(self.events), *_sleep(self)]


@dataclass(frozen=True)
class Line:
    """A measure of each contender; `ratio` is ours to the one by hand (or as the name says)."""

    name: str
    values: Mapping[str, float | None]
    digits: int = 1
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def table(figures: Figures) -> Table:
    """The figures, a line each."""
    drawn = Table(title="Dripline beside the same journey by hand, and its own bare shell", expand=False)
    drawn.add_column("measure")
    for name in ("Dripline", "by hand", "as the SDK comes", "shell", "ratio"):
        drawn.add_column(name, justify="right")
    drawn.add_column("target")
    for line in figures.lines():
        cells = [_number(line.values.get(kind), line.digits) for kind in KINDS]
        met = {True: "[green]met[/]", False: "[red]missed[/]", None: ""}[line.met]
        drawn.add_row(line.name, *cells, _number(line.ratio, 2), f"{line.target} {met}".strip())
    return drawn


def _bursts(bursts: Mapping[str, list[Burst]]) -> list[Line]:
    if not bursts:
        return []
    ours = bursts["dripline"]

    def each(measure: Any) -> dict[str, float | None]:
        return {kind: statistics.median(measure(one) for one in all_) for kind, all_ in bursts.items()}

    def ratio(measure: Any, other: str = "by-hand") -> float:
        pairs = zip(ours, bursts[other], strict=True)
        return float(statistics.median(measure(mine) / measure(theirs) for mine, theirs in pairs))

    def most(kind: str, name: str) -> float:
        return float(max(getattr(one.histories, name) for one in bursts[kind]))

    def rate(one: Burst) -> float:
        return one.runs / one.seconds

    def cpu(one: Burst) -> float:
        return one.cpu / one.runs * 1e3

    faster, price = ratio(rate, "ordinary"), ratio(cpu, "shell")
    tasks, events = most("dripline", "most_tasks"), most("dripline", "most_events")
    return [
        Line("burst: runs a second", each(rate), 1, ratio(rate)),
        Line("burst: runs a second, to as the SDK comes", {}, 2, faster, ">= 1.5", faster >= 1.5),
        Line("burst: CPU a run, ms", each(cpu), 1, ratio(cpu)),
        Line("  of it the server", each(lambda one: one.server / one.runs * 1e3)),
        Line("  of it the worker", each(lambda one: one.worker / one.runs * 1e3)),
        Line("  of it web, or what starts runs", each(lambda one: one.web / one.runs * 1e3)),
        Line("burst: CPU, Dripline to shell", {}, 2, price, "<= 2", price <= 2),
        Line("burst: other programs' cores", each(lambda one: one.others / one.seconds), 2),
        Line(
            "workflow tasks a run, at most",
            {kind: most(kind, "most_tasks") for kind in bursts},
            0,
            None,
            "<= 2 (a wake each)",
            tasks <= 2,
        ),
        Line("workflow tasks a run", each(lambda one: one.histories.tasks), 2),
        Line(
            "history events a run, at most",
            {kind: most(kind, "most_events") for kind in bursts},
            0,
            None,
            "<= 16",
            events <= 16,
        ),
        Line("history events a run", each(lambda one: one.histories.events), 1),
        Line("history bytes a run", each(lambda one: one.histories.bytes), 0),
    ]


def _latency(figures: Figures) -> list[Line]:
    lines = []
    for name in ("p50", "p95", "p99"):
        values = {kind: float(getattr(one, name)) for kind, one in figures.latency.items()}
        if values:
            lines.append(
                Line(f"event to message {name}, ms", values, 0, values["dripline"] / values["by-hand"])
            )
    if figures.lateness:
        for name in ("p50", "p95", "p99"):
            late = float(getattr(figures.lateness, name))
            lines.append(Line(f"timer's lateness {name}, ms", {"dripline": late}, 0))
    return lines


def _events(events: Mapping[str, Rates]) -> list[Line]:
    lines = []
    for name, rates in events.items():
        batch = "in batches" in name
        reached = rates.accepted >= 2000
        target = (">= 2000", reached) if batch else ("", None)
        lines.append(Line(f"events/s accepted, {name}", {"dripline": rates.accepted}, 0, None, *target))
        lines.append(Line("  CPU of web an event, ms", {"dripline": rates.web}, 2))
        if rates.processed is not None:
            lines.append(Line("  events/s processed to the end", {"dripline": rates.processed}))
    return lines


def _sleep(figures: Figures) -> list[Line]:
    lines = []
    for name, words in (
        ("server_file", "bytes in Temporal's file"),
        ("store", "bytes in the store, first message included"),
        ("server_memory", "bytes of the server's memory"),
        ("worker_memory", "bytes of the worker's memory"),
    ):
        values = {kind: float(getattr(one, name)) for kind, one in figures.sleep.items()}
        if values:
            lines.append(Line(f"a sleeping run's {words}", values, 0))
    if figures.restart:
        values = {kind: statistics.median(all_) for kind, all_ in figures.restart.items()}
        lines.append(
            Line(
                "seconds from kill -9 of the worker to a message",
                values,
                2,
                values["dripline"] / values["by-hand"],
            )
        )
    return lines


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"
