"""What the sink was asked to send, and what of it it took."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True)
class Posted:
    """One request to send a message, as it came in."""

    provider: str
    key: str
    to: str
    sender: str
    subject: str | None
    text: str
    html: str | None = None
    sender_name: str | None = None
    callback: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    reply_to: str | None = None
    untouched: bool = False
    """Whether the provider was told to track neither clicks nor opens."""
    nth: int = 1
    """The how-manieth request with this key it is, from 1."""


@dataclass(frozen=True)
class Taken:
    """A message that the sink accepted: a real provider would deliver it."""

    posted: Posted
    id: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def key(self) -> str:
        return self.posted.key

    @property
    def to(self) -> str:
        return self.posted.to

    @property
    def subject(self) -> str | None:
        return self.posted.subject

    @property
    def text(self) -> str:
        return self.posted.text


class Book:
    """Everything asked and everything taken, in order. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken: list[Taken] = []
        self._asked: list[Posted] = []
        self._tries: Counter[str] = Counter()

    def asked(self) -> list[Posted]:
        with self._lock:
            return list(self._asked)

    def taken(self) -> list[Taken]:
        with self._lock:
            return list(self._taken)

    def ask(self, posted: Posted) -> Posted:
        """The request with its number."""
        with self._lock:
            self._tries[posted.key] += 1
            numbered = Posted(**{**posted.__dict__, "nth": self._tries[posted.key]})
            self._asked.append(numbered)
            return numbered

    def take(self, posted: Posted) -> Taken:
        prefix = "SM" if posted.provider == "twilio" else ""
        taken = Taken(posted, prefix + uuid.uuid4().hex)
        with self._lock:
            self._taken.append(taken)
        return taken

    def doubled(self) -> dict[str, int]:
        """How often each key was taken that was taken more than once."""
        counts = Counter(taken.key for taken in self.taken())
        return {key: count for key, count in counts.items() if count > 1}

    def clear(self) -> None:
        with self._lock:
            self._taken.clear()
            self._asked.clear()
            self._tries.clear()
