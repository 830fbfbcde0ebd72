"""What the doctor finds: one thing a line, and for what is wrong also what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How something is."""

    WELL = "well"
    NOTE = "note"
    """Good to know; nothing to do for what it is meant for."""
    MEND = "mend"


@dataclass(frozen=True)
class Finding:
    """How one part is. `cure` says what to do."""

    part: str
    verdict: Verdict
    text: str
    cure: str = ""


def well(part: str, text: str) -> Finding:
    """It is as it should be."""
    return Finding(part, Verdict.WELL, text)


def known(part: str, text: str, cure: str = "") -> Finding:
    """It is good to know."""
    return Finding(part, Verdict.NOTE, text, cure)


def mend(part: str, text: str, cure: str) -> Finding:
    """It is to be mended."""
    return Finding(part, Verdict.MEND, text, cure)
