"""How an SMS is counted (3GPP TS 23.038): what one text costs."""

from __future__ import annotations

from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€\f")  # each takes two places


@dataclass(frozen=True)
class SmsLength:
    """The encoding (GSM-7 or UCS-2), the places that the text takes, and the segments that are paid for."""

    encoding: str
    places: int
    segments: int


def measure(text: str) -> SmsLength:
    """Count a text. One character beyond GSM-7 makes all of it UCS-2, with less than half the room."""
    if all(character in _BASIC or character in _EXTENDED for character in text):
        places = [2 if character in _EXTENDED else 1 for character in text]
        return SmsLength("GSM-7", sum(places), _segments(places, 160, 153))
    places = [2 if ord(character) > 0xFFFF else 1 for character in text]
    return SmsLength("UCS-2", sum(places), _segments(places, 70, 67))


def _segments(places: list[int], alone: int, joined: int) -> int:
    """A pair (an escape and its character, a surrogate pair) is never cut in two."""
    if sum(places) <= alone:
        return 1
    segments, used = 1, 0
    for width in places:
        if used + width > joined:
            segments, used = segments + 1, 0
        used += width
    return segments
