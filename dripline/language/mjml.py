"""MJML to HTML by MRML, which is written in Rust: what goes wrong in it is one error here."""

from __future__ import annotations

from typing import Any

import mrml


class BadMjml(Exception):
    """A text that MRML cannot read. It quotes nothing: the text may have a lead's data in it."""


def to_html(body: str, **options: Any) -> Any:
    """What MRML makes of it: `content` and `warnings`. Raises BadMjml."""
    try:
        return mrml.to_html(body, **options)
    except Exception:  # the binding raises OSError and others by what is wrong
        raise BadMjml from None
    except (
        BaseException
    ) as problem:  # a panic of Rust is no Exception: seen with U+2028 where a tag may begin
        if type(problem).__name__ != "PanicException":
            raise
        raise BadMjml from None
