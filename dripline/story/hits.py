"""Who opened a message and followed which of its links, in words: people and machines apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.store import hits
from dripline.tracking.machines import KINDS

_DID = {"open": "opened", "click": "clicked"}


@dataclass(frozen=True)
class HitLine:
    """The same open, or the same link, by the same kind of whoever it was. `at` is when it came first."""

    message: str
    what: str
    """`opened` or `clicked`."""
    link: str | None
    by: str
    """`a person`, or what kind of machine."""
    is_person: bool
    times: int
    at: datetime

    @property
    def said(self) -> str:
        """`was clicked (https://example.com/) 3 times`."""
        where = f" ({self.link})" if self.link else ""
        times = f" {self.times} times" if self.times > 1 else ""
        if self.is_person:
            return f"was {self.what}{where}{times}"
        return f"was {self.what} by a machine{where}{times}, which counts for nothing: {self.by}"


def hits_of(connection: Connection, messages: Sequence[str]) -> list[HitLine]:
    """Everything that came for these messages, opens before clicks, each in order."""
    return [_line(row) for row in hits.of_messages(connection, messages)]


def _line(row: Row[Any]) -> HitLine:
    is_person = row.machine is None
    by = "a person" if is_person else KINDS.get(row.machine, row.machine)
    return HitLine(row.message_id, _DID[row.kind], row.link, by, is_person, row.times, row.at)


def summary(lines: Sequence[HitLine]) -> Iterator[tuple[str, str]]:
    """`opened`: `2 by people, 1 by machines`; nothing of what never happened."""
    for what in _DID.values():
        of_kind = [line for line in lines if line.what == what]
        if of_kind:
            people = sum(line.times for line in of_kind if line.is_person)
            machines = sum(line.times for line in of_kind if not line.is_person)
            yield what, f"{people} by people, {machines} by machines"


__all__ = ["HitLine", "hits_of", "summary"]
