"""Templates with what is filled in covered up, character for character: what stays has its line and column."""

from __future__ import annotations

import re

FILLED = "\ue000"
"""Stands for every character of a `{{ … }}`: a letter of nobody's alphabet."""

_JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_TAG = re.compile(r"<(style|mj-style|mj-head|head)\b.*?</\1>|<[/a-z][^>]*>", re.DOTALL | re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def masked(text: str, filled: str = FILLED) -> str:
    """The text with `filled` for every character of what is filled in, and spaces for `{% … %}` and `{# … #}`."""

    def cover(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", filled if match[0].startswith("{{") else " ", match[0])

    return _JINJA.sub(cover, text)


def uncommented(text: str) -> str:
    """The text with spaces for `<!-- … -->`."""
    return _blanked(_COMMENT, text)


def untagged(text: str) -> str:
    """The text with spaces for tags, styles and comments: what readers see stays."""
    return _blanked(_TAG, uncommented(text))


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def place_in(text: str, offset: int) -> tuple[int, int]:
    """Line and column (from 1) of a character."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
