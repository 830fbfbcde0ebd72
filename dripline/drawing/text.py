"""Text in a picture: how wide it will about be, broken into lines, and nothing in it that XML cannot hold."""

from __future__ import annotations

import re
import unicodedata

_WIDE = {"W": 1.0, "F": 1.0}
_NARROW = frozenset("iljtfrI.,:;|!'`()[]{} /")
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """The text on one line, without characters that XML 1.0 cannot hold."""
    return " ".join(_UNWRITABLE.sub("\ufffd", text).split())


BOLD = 1.14
"""How much wider a bold text is."""


def width(text: str, size: float) -> float:
    """About how wide a text is in a common sans-serif face of that size; rather too wide than too narrow."""
    return sum(_share(character) for character in text) * size


def shorten(text: str, most: int) -> str:
    """The text on one line, in so many characters at most, cut between words where that leaves enough."""
    text = clean(text)
    if len(text) <= most:
        return text
    cut = text[: most - 1]
    at = cut.rfind(" ")
    return (cut[:at] if at >= most // 2 else cut).rstrip() + "…"


def wrap(text: str, size: float, room: float, lines: int) -> list[str]:
    """The text in at most so many lines, none wider than `room`; the last ends in … where there was more."""
    made: list[str] = []
    for word in _pieces(clean(text), size, room):
        if made and width(f"{made[-1]} {word}", size) <= room:
            made[-1] += f" {word}"
        else:
            made.append(word)
    if len(made) > lines:
        last = made[lines - 1]
        while last and width(f"{last}…", size) > room:
            last = last[:-1]
        made = [*made[: lines - 1], f"{last}…"]
    return made


def _pieces(text: str, size: float, room: float) -> list[str]:
    """Its words; one that is too wide for a line is cut."""
    pieces = []
    for word in text.split():
        while width(word, size) > room:
            cut = len(word) - 1
            while cut > 1 and width(word[:cut], size) > room:
                cut -= 1
            at = max(word.rfind(mark, 0, cut) for mark in "/._-,") + 1
            cut = at if at > cut // 2 else cut
            pieces.append(word[:cut])
            word = word[cut:]  # noqa: PLW2901 - what is left of it
        pieces.append(word)
    return pieces


def _share(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if character in _NARROW:
        return 0.36
    wide = _WIDE.get(unicodedata.east_asian_width(character))
    if wide is not None:
        return wide
    if character in "mwMW@%—":
        return 0.92
    return 0.72 if character.isupper() or ord(character) > 0x24F else 0.61
