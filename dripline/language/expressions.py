"""Conditions and values: Jinja2 expressions over plain data, checked when compiled, bounded when evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any, Literal

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.utils import consume

from dripline.language.grammar import Reading
from dripline.language.parsing import (
    MAX_NODES,
    MAX_SOURCE,
    SANDBOX,
    ExpressionError,
    parse,
    places_of,
    tokenize,
)
from dripline.language.values import Empty, EvaluationError, or_empty


@dataclass(frozen=True)
class Expression:
    """A compiled expression."""

    source: str
    names: frozenset[str]
    """The dotted paths that it reads, each as long as it goes: `lead.consent.email`."""
    guarded: frozenset[str]
    """Those of `names` that it only asks after (`demo`, `demo is defined`, `demo.x | default(…)`)."""
    places: Mapping[str, int] = field(hash=False)
    """Where (from 0) each path, and each beginning of one, stands first."""
    template: Template = field(repr=False, compare=False)
    recommends: bool = False
    """Whether it asks what there is to recommend: that must be looked up before."""

    def evaluate(self, scope: Mapping[str, Any]) -> Any:
        """The value in that scope; Empty where it is lacking. Raises EvaluationError."""
        context = self.template.new_context({k: v for k, v in scope.items() if v is not None})
        try:
            consume(self.template.root_render_func(context))
        except EvaluationError:
            raise
        except Exception:  # whatever Python says may quote the data: only our code leaves
            raise EvaluationError("cannot-evaluate") from None
        return or_empty(context.vars["_result"])

    def holds(self, scope: Mapping[str, Any]) -> bool:
        """Whether the value is true in that scope; Empty, 0, "" and [] are not. Raises EvaluationError."""
        return bool(self.evaluate(scope))


@lru_cache(maxsize=4_096)
def compile_expression(source: str) -> Expression:
    """The expression that the text is, or an ExpressionError."""
    if len(source) > MAX_SOURCE:
        raise ExpressionError(f"the expression is longer than {MAX_SOURCE} characters")
    tokens = tokenize(source)
    tree = parse(source, tokens)
    places = places_of(tokens)
    reading = Reading(SANDBOX, places)
    reading.expression(tree)
    if len(reading.seen) > MAX_NODES:
        raise ExpressionError(f"the expression has more than {MAX_NODES} parts")
    body = nodes.Template([nodes.Assign(nodes.Name("_result", "store"), tree, lineno=1)], lineno=1)
    try:
        template = SANDBOX.from_string(body.set_environment(SANDBOX))  # type: ignore[arg-type] # as compile_expression does
    except (TemplateSyntaxError, SyntaxError, ValueError, RecursionError, MemoryError):
        raise ExpressionError("the expression cannot be understood") from None
    names, guarded = frozenset(reading.names), frozenset(reading.guarded)
    return Expression(source, names, guarded, places, template, reading.recommends)


@lru_cache(maxsize=4_096)
def tree_of(source: str) -> nodes.Expr:
    """The tree of an expression that compiles. It is shared: nobody may change it."""
    return parse(source, tokenize(source))


def reads_only_event(source: str) -> bool:
    """Whether the expression reads nothing but `event`: no lead, no run, no clock."""
    return all(name.split(".")[0] == "event" for name in compile_expression(source).names)


def constants(source: str) -> list[Any]:
    """The values that stand in the expression as such: texts, numbers, true and false, each as often as it does."""
    return [node.value for node in parse(source, tokenize(source)).find_all(nodes.Const)]


def revive(mapping: Mapping[str, Any], times: Mapping[str, Literal["date", "datetime"]]) -> dict[str, Any]:
    """A copy in which the ISO 8601 texts of the named fields are dates and (UTC where unsaid) datetimes.

    A text that is none becomes None.
    """
    revived = dict(mapping)
    for name, kind in times.items():
        value = revived.get(name)
        if isinstance(value, str):
            revived[name] = _time(value, kind)
    return revived


def _time(text: str, kind: Literal["date", "datetime"]) -> date | datetime | None:
    try:
        if kind == "date":
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


__all__ = [
    "Empty",
    "EvaluationError",
    "Expression",
    "ExpressionError",
    "compile_expression",
    "constants",
    "reads_only_event",
    "revive",
    "tree_of",
]
