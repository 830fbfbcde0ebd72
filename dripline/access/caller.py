"""Who asks: a program by its key, a person who has logged in, or somebody at this very machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dripline.access.scopes import EVERYTHING


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may do."""

    kind: Literal["key", "user", "here"]
    id: str | None
    name: str
    scopes: frozenset[str] = frozenset()
    role: str | None = None
    """What a person may do on the pages: viewer, author, publisher or admin."""

    @property
    def said(self) -> str:
        """How the audit log names them."""
        return f"key {self.name}" if self.kind == "key" else self.name

    def may(self, scope: str) -> bool:
        """Whether that scope is theirs."""
        return scope in self.scopes or "admin" in self.scopes


HERE = Caller("here", None, "this machine", EVERYTHING, "admin")
"""Somebody at this very machine, while no login is asked of them."""

HOUSE_KEY = Caller("key", "settings", "DRIPLINE_API_KEY", EVERYTHING, "admin")
"""Who has the key of the settings."""
