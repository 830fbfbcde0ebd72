"""MJML to HTML by MRML, which is written in Rust: what goes wrong in it is one error here."""

from __future__ import annotations

import re
from typing import Any

import mrml

_POSITION = re.compile(r"at position (\d+)")


class BadMjml(Exception):
    """A text that MRML cannot read. It quotes nothing: the text may have a lead's data in it."""

    def __init__(self, offset: int = 0) -> None:
        """`offset` (bytes of UTF-8, from 0) is where MRML stumbled, as far as it says so."""
        super().__init__()
        self.offset = offset


def to_html(body: str, **options: Any) -> Any:
    """What MRML makes of it: `content` and `warnings`. Raises BadMjml."""
    try:
        return mrml.to_html(body, **options)
    except Exception as problem:  # the binding raises OSError and others by what is wrong
        position = _POSITION.search(str(problem))
        raise BadMjml(int(position[1]) if position else 0) from None
    except (
        BaseException
    ) as problem:  # a panic of Rust is no Exception: seen with U+2028 where a tag may begin
        if type(problem).__name__ != "PanicException":
            raise
        raise BadMjml from None
