"""A journey that is wrong in places, mended there, so that the rest can be checked in the same pass.

What is mended is never compiled: it only serves to find the other problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from dripline.language.model import Journey
from dripline.language.positions import Document, Loc

_VALUES = {"bad-expression": "true", "bad-duration": "1 day", "bad-limit": "1 per day"}
_STEP = {"delay": "1 day"}
_STEP_LISTS = ("steps", "then", "else")
_NEEDED: Mapping[str, Any] = {"journey": "mended", "trigger": {"event": "lead.created"}, "steps": [_STEP]}
_TRIES = 5


def mended(document: Document) -> tuple[Journey | None, bool]:
    """The journey, mended; and whether only values were (all that it names is still there).

    None where nothing sensible is left.
    """
    content = document.plain()
    only_values = True
    for _ in range(_TRIES if isinstance(content, dict) else 0):
        try:
            return Journey.model_validate(content), only_values
        except ValidationError as error:
            errors = error.errors(include_url=False)
        for details in errors:
            only_values = _mend(content, details) and only_values
    return None, False


def _mend(content: Any, details: ErrorDetails) -> bool:
    """Mend one place; whether it was a value."""
    kind, loc = details["type"], _in_file(content, tuple(details["loc"]))
    if kind in _VALUES:
        _put(content, loc, _VALUES[kind])
        return True
    if kind == "too_short" and _at(content, loc):
        return True  # its items are wrong, and each is mended by itself
    own_key = kind == "extra_forbidden" or details.get("ctx", {}).get("key") == ""
    if own_key and loc[-1:] == details["loc"][-1:]:
        del _at(content, loc[:-1])[loc[-1]]
        return False
    for end in range(len(loc), 1, -1):
        if isinstance(loc[end - 1], int) and loc[end - 2] in _STEP_LISTS:
            _put(content, loc[:end], dict(_STEP))
            return False
    top = str(details["loc"][0])
    if top in _NEEDED:
        content[top] = _NEEDED[top]
    else:
        content.pop(top, None)
    return False


def _in_file(content: Any, loc: Loc) -> Loc:
    """The place without the levels that only pydantic knows."""
    real: Loc = ()
    for step in loc:
        with suppress(KeyError, IndexError, TypeError):
            content = content[step]
            real = (*real, step)
    return real


def _at(content: Any, loc: Loc) -> Any:
    for step in loc:
        content = content[step]
    return content


def _put(content: Any, loc: Loc, value: Any) -> None:
    with suppress(KeyError, IndexError, TypeError):
        _at(content, loc[:-1])[loc[-1]] = value
