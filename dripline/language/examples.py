"""What a template comes to with values of usual length: for counting, never for sending."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_decimal
from jinja2 import nodes

from dripline.language.constraints import constant_of
from dripline.language.grammar import dotted_path
from dripline.language.value_types import Types

_MOMENT = datetime(2026, 9, 23, 22, 45, tzinfo=UTC)
"""A Wednesday in September: few dates are longer."""
_ITEMS = 3
_LETTERS = {"url": 40, "link": 40, "email": 24, "phone": 12, "code": 11, "currency": 3, "name": 10}
"""How long texts usually are, by what their names have in them."""
_OTHERS = 16
_WIDTHS = ("short", "medium", "long", "full")


@dataclass
class Example:
    """Fills a template with values of usual length, the longer way wherever there are two."""

    types: Types
    locale: Locale
    currency: str
    given: dict[str, str] = field(default_factory=dict)
    """What the template has set itself."""

    def body(self, body: list[nodes.Node]) -> str:
        """Nodes in a row."""
        return "".join(self.node(node) for node in body)

    def node(self, node: nodes.Node) -> str:
        """What a part of the template comes to."""
        match node:
            case nodes.Output():
                return "".join(
                    part.data if isinstance(part, nodes.TemplateData) else self.value(part)
                    for part in node.nodes
                )
            case nodes.If():
                ways = [node.body, *(elif_.body for elif_ in node.elif_), node.else_]
                return max((self.body(way) for way in ways), key=len)
            case nodes.For():  # of whatever it goes through
                if isinstance(node.target, nodes.Name):
                    self.given[node.target.name] = "x" * _LETTERS["name"]
                return max(self.body(node.body) * _ITEMS, self.body(node.else_), key=len)
            case nodes.Assign() if isinstance(node.target, nodes.Name):
                self.given[node.target.name] = self.value(node.node)
        return ""

    def value(self, node: nodes.Node) -> str:
        """What an expression prints."""
        path, constant = dotted_path(node), constant_of(node)
        if path is not None:
            return self.given.get(path) or self._of_path(path)
        if constant is not None:
            return str(constant)
        match node:
            case nodes.Filter() if node.node is not None:
                return self._filtered(node, node.node)
            case nodes.Concat():
                return "".join(self.value(part) for part in node.nodes)
            case nodes.CondExpr() if node.expr2 is not None:
                return max(self.value(node.expr1), self.value(node.expr2), key=len)
            case nodes.Or() | nodes.And():
                return max(self.value(node.left), self.value(node.right), key=len)
            case nodes.Add():
                if self.types.of(node) == frozenset({"text"}):
                    return self.value(node.left) + self.value(node.right)
        return "12345"

    def _of_path(self, path: str) -> str:
        kinds = self.types.of_path(path) or frozenset({"text"})
        if "datetime" in kinds:
            return str(format_datetime(_MOMENT, "medium", locale=self.locale))
        if "date" in kinds:
            return str(format_date(_MOMENT, "long", locale=self.locale))
        if kinds <= {"number", "boolean", "length"}:
            return "12345"
        last = path.rpartition(".")[2]
        return "x" * next((length for word, length in _LETTERS.items() if word in last), _OTHERS)

    def _filtered(self, node: nodes.Filter, inner: nodes.Node) -> str:
        said: list[Any] = [constant_of(argument) for argument in node.args]
        width = said[0] if said and said[0] in _WIDTHS else None
        match node.name:
            case "date":
                return str(format_date(_MOMENT, width or "long", locale=self.locale))
            case "time":
                return str(format_time(_MOMENT, width or "short", locale=self.locale))
            case "datetime":
                return str(format_datetime(_MOMENT, width or "medium", locale=self.locale))
            case "number":
                return str(format_decimal(12345.5, locale=self.locale))
            case "money":
                currency = said[0] if said and isinstance(said[0], str) else self.currency
                return str(format_currency(12345.5, currency, locale=self.locale))
            case "percent" | "length" | "round" | "int" | "float":
                return "12.5%"
            case "join":
                return ", ".join(["x" * _LETTERS["name"]] * _ITEMS)
            case "default" if node.args:
                return max(self.value(inner), self.value(node.args[0]), key=len)
        return self.value(inner)


def locale_of(tag: str) -> Locale:
    """The locale of a template, as far as it is known."""
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
