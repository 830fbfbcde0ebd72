"""What happened to a lead, as a timeline for people; with what should have, where something was expected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from rich.text import Text

from dripline.language.plan import Plan
from dripline.simulate.comparing import Row
from dripline.simulate.playing import Played
from dripline.simulate.seen import Seen, say, seen
from dripline.simulate.timeline import Entry
from dripline.story import describe
from dripline.story.words import event_said

_TOLD = frozenset({"queued", "skipped", "held", "ended", "entered", "woke"})
"""Lines of a run that the comparison tells already, or that explain nothing."""


def transcript(played: Played) -> Iterator[Text]:
    """Expected and seen side by side in time, with the events and decisions between them."""
    last = len(played.timeline)
    lines = [(row.at, row.seen.order if row.seen else last, _row(row, played)) for row in played.rows]
    lines += [
        (entry.at, order, _context(entry, played.where, played.plans))
        for order, entry in enumerate(played.timeline)
        if _explains(entry)
    ]
    for _, _, line in sorted(lines, key=lambda one: one[:2]):
        yield line
    for trouble in played.trouble:
        yield Text(f"! {trouble}", style="bold red")


def story(timeline: Sequence[Entry], where: tzinfo, plans: Mapping[str, Plan]) -> Iterator[Text]:
    """Everything that happened to one lead, with its reasons."""
    lines = [
        (entry.at, order, _context(entry, where, plans))
        for order, entry in enumerate(timeline)
        if _explains(entry) or (entry.what == "held" and "until" in entry.detail)
    ]
    for one in seen(list(timeline)):
        line = Text(f"{_time(one.at, where)}  {one.kind} {one.name}", style="bold")
        rest = one.facts.get("reason") or one.facts.get("subject") or one.facts.get("text", "")
        lines.append(
            (one.at, one.order, line.append(f"   {_short(' '.join(rest.split()))}", style="not bold"))
        )
    for _, _, line in sorted(lines, key=lambda one: one[:2]):
        yield line


def story_as_json(timeline: Sequence[Entry], where: tzinfo) -> list[dict[str, Any]]:
    """The same for programs."""
    happened: dict[int, dict[str, Any]] = {
        one.order: {one.kind: one.name, "journey": one.journey, **one.facts} for one in seen(list(timeline))
    }
    found = []
    for order, entry in enumerate(timeline):
        at = entry.at.astimezone(where).isoformat()
        if order in happened:
            found.append({"at": at, **happened[order]})
        elif entry.kind == "event":
            found.append({"at": at, "event": entry.what, **entry.detail})
    return found


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
        return f"expected at {_time(row.expected_at, played.where)}"
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
    line = Text(f"{mark}{_time(row.at, played.where)}  {said}", style=style)
    if not row.fine:
        line.append(f"   ← {why(row, played)}", style="bold")
    return line


def _explains(entry: Entry) -> bool:
    return entry.kind == "event" or (entry.kind == "step" and entry.what not in _TOLD)


def _context(entry: Entry, where: tzinfo, plans: Mapping[str, Plan]) -> Text:
    if entry.kind == "event":
        text = event_said(entry.what, entry.detail)
    else:
        text = describe(entry.what, entry.step, entry.detail, where, plans.get(entry.journey or ""))
    return Text(f"  {_time(entry.at, where)}    {text}", style="dim")


def _time(at: datetime, where: tzinfo) -> str:
    local = at.astimezone(where)
    return local.strftime("%a %Y-%m-%d %H:%M:%S" if local.second else "%a %Y-%m-%d %H:%M")
