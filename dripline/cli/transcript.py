"""A scenario that went otherwise than expected, as a timeline for people."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from dripline.simulate.comparing import Row
from dripline.simulate.playing import Played
from dripline.simulate.seen import Seen, say
from dripline.simulate.timeline import Entry
from dripline.story import describe

_TOLD = frozenset({"queued", "skipped", "held", "ended", "entered", "woke"})
"""Lines of a run that the comparison tells already, or that explain nothing."""


def transcript(played: Played) -> Iterator[Text]:
    """Expected and seen side by side in time, with the events and decisions between them."""
    last = len(played.timeline)
    lines = [(row.at, row.seen.order if row.seen else last, _row(row, played)) for row in played.rows]
    lines += [
        (entry.at, order, _context(entry, played))
        for order, entry in enumerate(played.timeline)
        if _explains(entry)
    ]
    for _, _, line in sorted(lines, key=lambda one: one[:2]):
        yield line
    for trouble in played.trouble:
        yield Text(f"! {trouble}", style="bold red")


def why(row: Row, played: Played) -> str:
    """What is wrong with a row, in words; empty where nothing is."""
    if row.seen is None:
        return "expected, but did not happen"
    if row.expected is None or row.expected_at is None:
        return "happened, but was not expected"
    return "; ".join(_difference(name, row, row.seen, played) for name in row.differences)


def _difference(name: str, row: Row, seen: Seen, played: Played) -> str:
    assert row.expected is not None
    assert row.expected_at is not None
    if name == "time":
        return f"expected at {_time(row.expected_at, played)}"
    if name == row.expected.kind:
        return f"expected {row.expected.name}"
    found = " ".join(seen.facts.get(name, "").split())
    wanted = (row.expected.update or {}).get(name) or getattr(row.expected, name)
    return f"{name} is {_short(found)!r}, expected {say(wanted)!r}"


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:159] + "…"


def _row(row: Row, played: Played) -> Text:
    if row.seen is not None:
        said = f"{row.seen.kind} {row.seen.name}"
        if row.seen.kind in ("skipped", "held"):
            said += f": {row.seen.facts.get('reason')}"
    else:
        assert row.expected is not None
        said = f"{row.expected.kind} {row.expected.name}"
    mark, style = ("  ", "") if row.fine else ("- ", "red") if row.seen is None else ("+ ", "yellow")
    if row.expected is not None and row.seen is not None and not row.fine:
        mark = "~ "
    line = Text(f"{mark}{_time(row.at, played)}  {said}", style=style)
    if not row.fine:
        line.append(f"   ← {why(row, played)}", style="bold")
    return line


def _explains(entry: Entry) -> bool:
    return entry.kind == "event" or (entry.kind == "step" and entry.what not in _TOLD)


def _context(entry: Entry, played: Played) -> Text:
    if entry.kind == "event":
        said = ", ".join(f"{name}: {value}" for name, value in entry.detail.items())
        text = f"event {entry.what}" + (f" ({said})" if said else "")
    else:
        plan = played.plans.get(entry.journey or "")
        text = describe(entry.what, entry.step, entry.detail, played.where, plan)
    return Text(f"  {_time(entry.at, played)}    {text}", style="dim")


def _time(at: datetime, played: Played) -> str:
    local = at.astimezone(played.where)
    return local.strftime("%a %Y-%m-%d %H:%M:%S" if local.second else "%a %Y-%m-%d %H:%M")
