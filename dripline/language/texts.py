"""Texts of a journey that are filled in when their step is reached: addresses, headers, bodies, arguments.

A text that is one `{{ … }}` from end to end is the value itself (a number stays a number, what is lacking becomes
null); within a longer text, what is lacking is an error, as in any template.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from jinja2 import Template

from dripline.language.expressions import Expression, compile_expression
from dripline.language.parsing import ExpressionError
from dripline.language.positions import Loc
from dripline.language.sandbox import plain_text
from dripline.language.template_grammar import BUDGET, FORMATS, MAX_PASSES, Read, TemplateSandbox
from dripline.language.values import Empty, EvaluationError

MAX_FILLED = 256 * 1024
"""Bytes that a filled text may have."""

_WHOLE = re.compile(r"\s*\{\{((?:(?!\}\}|\{\{).)*)\}\}\s*", re.DOTALL)
_SECRET = re.compile(r"\{\{\s*secret\.([a-z][a-z0-9_]*)\s*\}\}")


def _sandbox() -> TemplateSandbox:
    sandbox = TemplateSandbox(links=False, finalize=plain_text)
    sandbox.recommends = False  # nobody looks what there is
    for name in FORMATS:  # formats are for readers in a language; here programs read
        del sandbox.filters[name]
        del sandbox.arguments[name]
    return sandbox


_SANDBOX = _sandbox()


def reads(text: str) -> list[Read]:
    """The names that a text reads. Raises TemplateError or ExpressionError."""
    found = _SANDBOX.read(text)[1]
    _whole(text)
    return found


def fill(text: str, scope: Mapping[str, Any]) -> Any:
    """The text filled in, as JSON; the value itself where the text is one expression. Raises EvaluationError."""
    whole = _whole(text)
    if whole is not None:
        return as_json(whole.evaluate(scope))
    return fill_text(text, scope)


def fill_text(text: str, scope: Mapping[str, Any]) -> str:
    """The text filled in; what it prints must be there. Raises EvaluationError."""
    template = _compiled(text)
    values = {name: value for name, value in scope.items() if value is not None}
    parts: list[str] = []
    size = 0
    try:
        for part in template.root_render_func(template.new_context({**values, BUDGET: [MAX_PASSES]})):
            parts.append(part)
            size += len(part)
            if size > MAX_FILLED:
                raise EvaluationError("too-long")
    except EvaluationError:
        raise
    except Exception:  # whatever Python says may quote the data: only our code leaves
        raise EvaluationError("cannot-evaluate") from None
    return "".join(parts)


def fill_tree(tree: Any, scope: Mapping[str, Any]) -> Any:
    """Mappings and lists with every text in them filled in. Raises EvaluationError."""
    if isinstance(tree, Mapping):
        return {key: fill_tree(value, scope) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [fill_tree(value, scope) for value in tree]
    return fill(tree, scope) if isinstance(tree, str) else tree


def texts_of(tree: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Every text in mappings and lists, with where it stands."""
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from texts_of(value, (*loc, key))
    elif isinstance(tree, (list, tuple)):
        for number, value in enumerate(tree):
            yield from texts_of(value, (*loc, number))
    elif isinstance(tree, str):
        yield loc, tree


def split_secrets(text: str) -> list[tuple[str, str]]:
    """The text in pieces: `("text", …)` to be filled in, and `("secret", NAME)` which only the sender knows."""
    pieces: list[tuple[str, str]] = []
    for number, piece in enumerate(_SECRET.split(text)):
        if number % 2:
            pieces.append(("secret", piece))
        elif piece:
            pieces.append(("text", piece))
    return pieces


def as_json(value: Any) -> Any:
    """A value as JSON: times in ISO 8601, Empty as null. Raises EvaluationError for what has no such form."""
    if value is Empty or value is None:
        return None
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Mapping):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (str, int, float)):
        return value
    raise EvaluationError("not-a-text")


def _whole(text: str) -> Expression | None:
    match = _WHOLE.fullmatch(text)
    try:
        return compile_expression(match[1].strip()) if match else None
    except ExpressionError:
        return None  # something like `{{ "}}" }}`: a template, if at all


@lru_cache(maxsize=1_024)
def _compiled(text: str) -> Template:
    return _SANDBOX.from_string(_SANDBOX.read(text)[0])
