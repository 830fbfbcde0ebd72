"""Comparisons and calculations of values that do not go together: what always fails, or never holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from jinja2 import nodes

from dripline.language.constraints import constant_of
from dripline.language.grammar import dotted_path
from dripline.language.value_types import Kind, Kinds, Types, calculated, equal, ordered

TEXT: frozenset[Kind] = frozenset({"text"})
LIST: frozenset[Kind] = frozenset({"list"})
_WORDS: dict[Kind, str] = {
    "text": "a text",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date",
    "datetime": "a time",
    "list": "a list",
    "length": "a length of time",
}
_WANTED: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(("lower", "upper", "trim"), ("text",)),
    "length": ("text", "list"),
    **dict.fromkeys(("first", "last"), ("text", "list")),
    **dict.fromkeys(("round", "number", "money", "percent"), ("number",)),
    "date": ("date", "datetime"),
    **dict.fromkeys(("time", "datetime"), ("datetime",)),
    "join": ("list",),
}
"""What filters take; those that are not here take anything."""
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "floordiv": "//", "mod": "%"}


@dataclass(frozen=True)
class Misfit:
    """What does not go together."""

    code: Literal["cannot-compare", "never-equal", "cannot-calculate"]
    message: str
    hint: str
    path: str | None
    """The path that it is about."""
    line: int

    @property
    def severity(self) -> Literal["error", "warning"]:
        """What is never equal does not hold; the rest stops the run."""
        return "warning" if self.code == "never-equal" else "error"


def misfits(tree: nodes.Node, types: Types) -> Iterator[Misfit]:
    """Everything in the expression, or the template, that does not go together."""
    for node in (tree, *tree.find_all(nodes.Node)):
        if isinstance(node, nodes.Compare):
            left: nodes.Node = node.expr
            for operand in node.ops:
                yield from _compared(left, operand.op, operand.expr, types)
                left = operand.expr
        elif isinstance(node, nodes.BinExpr) and not isinstance(node, (nodes.And, nodes.Or)):
            yield from _calculated(node, types)
        elif isinstance(node, nodes.Filter) and node.node is not None and node.name in _WANTED:
            yield from _filtered(node, node.node, types)


def _compared(left: nodes.Node, operator: str, right: nodes.Node, types: Types) -> Iterator[Misfit]:
    one, other = types.of(left), types.of(right)
    if operator in ("in", "notin"):
        yield from _contained(left, right, one, other, types)
        return
    if not one or not other:  # not known, or told already
        return
    path = _path(left) or _path(right)
    if operator in ("eq", "ne"):
        if not any(equal(a, b) for a in one for b in other):
            message = f"{_said(left, one)}, {_said(right, other)}: they are never equal"
            yield Misfit("never-equal", message, _cure(left, right, one, other), path, left.lineno)
    elif not any(ordered(a, b) for a in one for b in other):
        message = f"{_said(left, one)}, {_said(right, other)}: neither is more or less than the other"
        yield Misfit("cannot-compare", message, _cure(left, right, one, other), path, left.lineno)


def _contained(
    left: nodes.Node, right: nodes.Node, one: Kinds, other: Kinds, types: Types
) -> Iterator[Misfit]:
    path = _path(left) or _path(right)
    if other is not None and not other & {"text", "list"}:
        message = f"{_said(right, other)}: nothing can be in it"
        yield Misfit("cannot-compare", message, "compare it by `==`", path, left.lineno)
    elif one is not None and other == TEXT and "text" not in one:
        message = f"{_said(left, one)}, {_said(right, other)}: only a text can be in a text"
        yield Misfit("cannot-compare", message, _cure(left, right, one, other), path, left.lineno)
    elif one is not None and isinstance(right, (nodes.List, nodes.Tuple)):
        for item in right.items:
            kinds = types.of(item)
            if kinds is not None and not any(equal(a, b) for a in one for b in kinds):
                message = f"{_said(left, one)}, {_said(item, kinds)}: they are never equal"
                yield Misfit("never-equal", message, _cure(left, item, one, kinds), path, left.lineno)
    elif one is not None and dotted_path(right) is not None and other == LIST and "text" not in one:
        message = f"{_said(left, one)}, and `{dotted_path(right)}` a list of texts: it is never in it"
        yield Misfit("never-equal", message, _cure(left, right, one, TEXT), path, left.lineno)


def _calculated(node: nodes.BinExpr, types: Types) -> Iterator[Misfit]:
    one, other = types.of(node.left), types.of(node.right)
    if one and other and not calculated(node.operator, one, other):
        message = (
            f"{_said(node.left, one)}, {_said(node.right, other)}: there is no `{node.operator}` of them"
        )
        hint = "texts in a row are written with `~`" if node.operator == "+" and "text" in one | other else ""
        hint = hint or ("add `days(2)` or `hours(3)`" if {"date", "datetime"} & (one | other) else "")
        yield Misfit("cannot-calculate", message, hint, _path(node.left) or _path(node.right), node.lineno)


def _filtered(node: nodes.Filter, inner: nodes.Node, types: Types) -> Iterator[Misfit]:
    kinds, wanted = types.of(inner), _WANTED[node.name]
    if kinds and not kinds & set(wanted):
        words = " or ".join(_WORDS[kind] for kind in wanted)
        message = f"{_said(inner, kinds)}: `{node.name}` wants {words}"
        yield Misfit("cannot-calculate", message, "", _path(inner), node.lineno)


def _path(node: nodes.Node) -> str | None:
    path = dotted_path(node)
    if path is None and isinstance(node, nodes.Filter) and node.node is not None:
        path = _path(node.node)
    return path


def _said(node: nodes.Node, kinds: Kinds) -> str:
    """`event.seats` is a number."""
    words = " or ".join(_WORDS[kind] for kind in sorted(kinds or ()))
    constant, path = constant_of(node), dotted_path(node)
    if path is not None:
        return f"`{path}` is {words}"
    if isinstance(constant, bool):
        return f"`{str(constant).lower()}` is {words}"
    return f"`{constant!r}` is {words}" if constant is not None else f"the other is {words}"


def _cure(left: nodes.Node, right: nodes.Node, one: Kinds, other: Kinds) -> str:
    for node, kinds in ((left, other), (right, one)):
        constant = constant_of(node)
        if constant is None or kinds is None:
            continue
        if isinstance(constant, str) and kinds == frozenset[Kind]({"number"}):
            number = constant.strip()
            is_number = number.replace(".", "", 1).lstrip("-").isdigit()
            return f"write `{number}` without quotation marks" if is_number else "compare it with a number"
        if isinstance(constant, str) and kinds == frozenset[Kind]({"boolean"}):
            word = constant.strip().lower()
            return f"write `{word}` without quotation marks" if word in ("true", "false") else "write `true`"
        if isinstance(constant, str) and kinds & {"date", "datetime"}:
            path = dotted_path(right if node is left else left)
            return f"compare it with `today` or `now`, or its text: `({path} ~ '')`" if path else ""
        if not isinstance(constant, str) and kinds == TEXT:
            return f"write `'{str(constant).lower() if isinstance(constant, bool) else constant}'`"
    if {"date", "datetime"} <= (one or frozenset()) | (other or frozenset()):
        return "compare a date with `today`, a time with `now`"
    return ""
