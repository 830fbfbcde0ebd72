"""Writing what happened into a file of scenarios, as what is expected from now on; comments stay."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from dripline.engine.calendar import add
from dripline.language.durations import say_duration
from dripline.language.plan import Duration
from dripline.simulate.comparing import Row
from dripline.simulate.playing import Played
from dripline.simulate.seen import Seen


def accept(source: str, changed: Mapping[int, Played]) -> str:
    """The file with the lists of `expect` rewritten of the scenarios that begin in these lines.

    Everything else stays as it is, to the letter.
    """
    lines = source.splitlines(keepends=True)
    scenarios: CommentedSeq = _yaml().load(source)
    ends = [scenario.lc.line for scenario in scenarios[1:]] + [len(lines)]
    for scenario, end in reversed(list(zip(scenarios, ends, strict=True))):
        played = changed.get(scenario.lc.line + 1)
        if played is not None:
            _rewrite(lines, scenario, end, played)
    return "".join(lines)


def _rewrite(lines: list[str], scenario: CommentedMap, end: int, played: Played) -> None:
    """Put what was seen in the place of the scenario's list, item by item."""
    expect: CommentedSeq = scenario["expect"]
    key_line, key_column = scenario.lc.key("expect")
    later = [scenario.lc.key(key)[0] for key in scenario if scenario.lc.key(key)[0] > key_line]
    end = min([*later, end])
    flow = not expect or bool(expect.fa.flow_style())
    starts = [] if flow else [expect.lc.item(number)[0] for number in range(len(expect))]
    margin = " " * (key_column + 2 if flow else lines[starts[0]].index("-"))
    numbers = {id(expectation): number for number, expectation in enumerate(played.scenario.expect)}
    pieces: list[str] = []
    for row in played.rows:
        number = numbers.get(id(row.expected))
        if row.seen is not None and (flow or not row.fine):
            kept = expect[number] if number is not None else CommentedMap()
            remark = "" if flow or number is None else _remark(lines[starts[number]])
            pieces += _dumped(kept if row.fine else _line(kept, row, row.seen, played), margin, remark)
        if number is not None and not flow:
            item, gap = _item(lines, starts, number, end)
            pieces += (item if row.fine else []) + gap
    if flow:
        after = _trimmed(lines, key_line + 1, end)
        lines[key_line:after] = [f"{' ' * key_column}expect:{'' if pieces else ' []'}\n", *pieces]
    else:
        if not any(row.seen for row in played.rows):
            lines[key_line] = lines[key_line].replace("expect:", "expect: []", 1)
        lines[starts[0] : end] = pieces


def _item(lines: list[str], starts: list[int], number: int, end: int) -> tuple[list[str], list[str]]:
    """An item's own lines, and the comments and empty lines behind it."""
    begin, behind = starts[number], starts[number + 1] if number + 1 < len(starts) else end
    last = _trimmed(lines, begin + 1, behind)
    return lines[begin:last], lines[last:behind]


def _trimmed(lines: list[str], begin: int, end: int) -> int:
    """`end` without the comments and empty lines before it."""
    while end > begin and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    return end


def _remark(line: str) -> str:
    """The comment behind an item that stands on one line."""
    rest = line.rpartition("}")[2].rstrip()
    return rest if "}" in line and rest.lstrip().startswith("#") else ""


def _dumped(item: CommentedMap, margin: str, remark: str) -> list[str]:
    written = io.StringIO()
    _yaml().dump([item], written)
    dumped = [f"{margin}{line}" for line in written.getvalue().splitlines() if line.strip()]
    return [f"{line}\n" for line in [*dumped[:-1], dumped[-1] + remark]]


def _yaml() -> YAML:
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def _line(kept: CommentedMap, row: Row, seen: Seen, played: Played) -> CommentedMap:
    if not kept:
        kept.fa.set_flow_style()
        kept.update({**_when(seen.at, played), seen.kind: seen.name})
        if seen.kind == "update":
            kept["update"] = dict(seen.facts)
        elif seen.facts.get("reason"):
            kept["reason"] = seen.facts["reason"]
        return kept
    for name in row.differences:
        if name == "time":
            when = _when(seen.at, played)
            old = "after" if "after" in kept else "at"
            [(new, value)] = when.items()
            if new == old:
                kept[old] = value
            else:
                del kept[old]
                kept.insert(0, new, value)
        elif row.expected is not None and name in (row.expected.update or {}):
            kept["update"][name] = seen.facts.get(name, "")
        else:
            kept[name] = seen.name if name == seen.kind else seen.facts.get(name, "")
    return kept


def _when(at: datetime, played: Played) -> dict[str, Any]:
    """`after` the start where words can say it exactly, else `at`, in the lead's zone."""
    at = at.replace(microsecond=0)
    after = _since(played.start, at, played.where)
    if add(played.start, after, played.where) == at:
        return {"after": say_duration(after) if after != Duration() else "0s"}
    return {"at": at.astimezone(played.where).replace(tzinfo=None).isoformat(timespec="minutes")}


def _since(start: datetime, at: datetime, where: ZoneInfo) -> Duration:
    days = (at.astimezone(where).date() - start.astimezone(where).date()).days
    while days and add(start, Duration(days=days), where) > at:
        days -= 1
    rest: timedelta = at - add(start, Duration(days=days), where)
    return Duration(days=days, seconds=int(rest.total_seconds()))
