"""What is wrong in a file, told so that its author can cure it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong. Lines and columns count from 1, columns in characters."""

    path: str
    line: int
    column: int
    code: str
    severity: Literal["error", "warning"]
    message: str
    hint: str = ""
    """What to do; empty where the message says it all."""

    def __str__(self) -> str:
        told = f"{self.path}:{self.line}:{self.column}: {self.severity}[{self.code}]: {self.message}"
        return f"{told} ({self.hint})" if self.hint else told

    def as_json(self) -> dict[str, str | int]:
        """The problem as `dripline check --format json` gives it."""
        return asdict(self)


def did_you_mean(word: str, known: Iterable[str], form: str = "{}") -> str:
    """The hint that names the known word nearest to `word` (put into `form`), or an empty text."""
    lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=0.6)
    return f"did you mean `{form.format(lower[near[0]])}`?" if near else ""


def listed(words: Iterable[str]) -> str:
    """The words for a sentence: `a`, `b`, `c`."""
    return ", ".join(f"`{word}`" for word in words)
