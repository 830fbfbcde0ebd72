"""What happened in a simulated life, in order: plain data that tests compare and people are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from dripline.composing import MessageContent

Fate = Literal["queued", "sent", "skipped", "held"]


@dataclass
class Letter:
    """A message as the ledger would have it. `at` (UTC) is when its step was entered."""

    id: str
    run: str
    journey: str
    step: str
    channel: str
    template: str
    topic: str | None
    transactional: bool
    context: Mapping[str, Any]
    at: datetime
    to: str | None = None
    """The colleague whom a notice is for; None: the lead."""
    expires_at: datetime | None = None
    """After this it must not leave any more."""
    fate: Fate = "queued"
    reason: str | None = None
    """Why it was skipped, or is held for a person."""
    content: MessageContent | None = None
    """What it says, once it was sent."""


@dataclass(frozen=True)
class Entry:
    """One thing that happened, at its own instant (UTC)."""

    at: datetime
    kind: Literal["event", "step", "message", "deed"]
    what: str
    """The event's name, the kind of the run's note, the message's channel, or the verb of what else was done."""
    journey: str | None = None
    run: str | None = None
    step: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    letter: Letter | None = None
