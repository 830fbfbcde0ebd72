"""The grammar of templates: texts with `{{ … }}`, `{% if %}`, `{% for %}` and `{% set %}`; no more of Jinja2."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateSyntaxError, nodes, pass_context
from jinja2.runtime import Context

from dripline.language.grammar import Reading, asked_paths, beginnings, dotted_path
from dripline.language.links import DYNAMIC, FUNCTIONS, LINKS, LinkCall, LinkFunction
from dripline.language.parsing import ExpressionError
from dripline.language.sandbox import Sandbox
from dripline.language.values import EvaluationError, or_empty

MAX_LOOPS = 2
"""Loops within each other."""
MAX_PASSES = 1_000
"""Passes of all loops of one rendering together."""
BUDGET = "_passes"
"""The name under which a rendering keeps how many passes are left."""

FORMATS: Mapping[str, tuple[int, int]] = {
    "date": (0, 1),
    "time": (0, 1),
    "datetime": (0, 1),
    "number": (0, 1),
    "money": (0, 1),
    "percent": (0, 1),
    "join": (0, 1),
}
"""Filters that only templates have, with how many arguments they take at least and at most."""


_TAG = re.compile(r"(?P<sign>\{\{|\{%).*?(?:\}\}|%\}|$)")
_NOT_CLOSED = re.compile(r"needs to be closed is '(if|for)'")
_BLOCK = re.compile(r"\{%[-+]?\s*(?P<end>end)?(?:if|for)\b")


@dataclass(frozen=True, order=True)
class Read:
    """A name that a template reads, and where."""

    path: str
    line: int
    column: int
    guarded: bool
    """Whether the template only asks if it is there."""


class TemplateError(Exception):
    """A text that is no template of the language; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, hint: str = "", column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.hint = hint
        self.column = column


class TemplateSandbox(Sandbox):
    """Where templates are read and rendered. `formats` has what the names in FORMATS do.

    With `links` a template may ask for links; whoever renders it says under LINKS who makes them.
    """

    def __init__(
        self, formats: Mapping[str, Callable[..., Any]] | None = None, *, links: bool = True, **options: Any
    ) -> None:
        super().__init__(keep_trailing_newline=True, **options)
        if links:
            self.links = frozenset(FUNCTIONS)
            self.globals |= FUNCTIONS
        self.filters |= formats if formats is not None else dict.fromkeys(FORMATS, str)
        self.filters["_counted"] = _counted
        self.arguments |= FORMATS

    def read(self, source: str) -> tuple[nodes.Template, list[Read]]:
        """The template as a tree whose loops count their passes, and the names that it reads."""
        tree, walk = self._walked(source)
        return tree, walk.reads

    def links_in(self, source: str) -> list[LinkCall]:
        """The links that the template asks for."""
        return self._walked(source)[1].links if "_link" in source else []

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 (as the base class)
        """Make a link, or call `days` or `hours`."""
        if not isinstance(__obj, LinkFunction):
            return super().call(__context, __obj, *args, **kwargs)
        make = __context.get(LINKS)
        if make is None:
            raise EvaluationError("no-links")
        return make(__obj.link(*args, **kwargs))

    def _walked(self, source: str) -> tuple[nodes.Template, _Walk]:
        try:
            tree = self.parse(source)
            walk = _Walk(self, source)
            walk.block(tree.body, _Known(), 0)
        except TemplateError as error:
            line, column = _stumbled(self, source, error.line)
            raise TemplateError(str(error), line, error.hint, column) from None
        except TemplateSyntaxError as error:
            message, hint = _words(error.message or "")
            opened = _left_open(source) if _NOT_CLOSED.search(error.message or "") else None
            line, column = opened or _stumbled(self, source, error.lineno)
            raise TemplateError(message, line, hint, column) from None
        except (RecursionError, ValueError, OverflowError, AssertionError):
            raise TemplateError("the template cannot be understood", 1) from None
        tree.set_environment(self)
        return tree, walk


@pass_context
def _counted(context: Context, items: Any) -> Iterator[Any]:
    """The items of a list, taken from what the rendering may still pass through."""
    if not isinstance(items, (list, tuple)):
        raise EvaluationError("empty-value" if not items else "not-a-list")
    budget = context.get(BUDGET)
    for item in items:
        budget[0] -= 1
        if budget[0] < 0:
            raise EvaluationError("too-many-passes")
        yield or_empty(item)


@dataclass(frozen=True)
class _Known:
    """What a part of a template may rely on."""

    bound: frozenset[str] = frozenset()
    """Names of its own, by `set` and `for`."""
    asked: frozenset[str] = frozenset()
    """Paths that are there, as an `if` around it has asked."""

    def with_bound(self, *names: str) -> _Known:
        return _Known(self.bound.union(names), self.asked)

    def with_asked(self, paths: frozenset[str]) -> _Known:
        return _Known(self.bound, self.asked | paths)

    def asks(self, path: str) -> bool:
        return not self.asked.isdisjoint(beginnings(path))


class _Walk:
    """Reads a template's tree: refuses what the language has not, and gathers names with their lines."""

    def __init__(self, environment: TemplateSandbox, source: str) -> None:
        self.environment = environment
        self.lines = source.split("\n")
        self.reads: list[Read] = []
        self.links: list[LinkCall] = []

    def block(self, body: list[nodes.Node], known: _Known, loops: int) -> None:
        """Read nodes in a row; a `set` binds its name for those after it."""
        for node in body:
            match node:
                case nodes.Output():
                    for child in node.nodes:
                        if not isinstance(child, nodes.TemplateData):
                            self.expression(child, known, printed=True)
                case nodes.If():
                    self.condition(node, known, loops)
                case nodes.For():
                    self.loop(node, known, loops)
                case nodes.Assign(target=nodes.Name(name=name)):
                    self.expression(node.node, known)
                    known = known.with_bound(name)
                case _:
                    word = type(node).__name__.lower()
                    raise TemplateError(
                        f"a template cannot have `{{% {word} %}}`",
                        node.lineno,
                        "there are `if`, `for` and `set`",
                    )

    def condition(self, node: nodes.If, known: _Known, loops: int) -> None:
        """Read an `if`; within it, names that it asks after are there."""
        self.expression(node.test, known, asked=True)
        self.block(node.body, known.with_asked(asked_paths(node.test)), loops)
        for elif_ in node.elif_:
            self.condition(elif_, known, loops)
        self.block(node.else_, known, loops)

    def loop(self, node: nodes.For, known: _Known, loops: int) -> None:
        """Read a `for`, and let it count its passes."""
        if node.recursive or node.test is not None or not isinstance(node.target, nodes.Name):
            raise TemplateError("a loop is `{% for ITEM in LIST %}`", node.lineno)
        if loops >= MAX_LOOPS:
            raise TemplateError(f"more than {MAX_LOOPS} loops within each other", node.lineno)
        self.expression(node.iter, known, printed=True)
        self.block(node.body, known.with_bound(node.target.name, "loop"), loops + 1)
        self.block(node.else_, known, loops)
        node.iter = nodes.Filter(node.iter, "_counted", [], [], None, None, lineno=node.lineno)

    def expression(self, node: nodes.Node, known: _Known, printed: bool = False, asked: bool = False) -> None:
        """Read an expression: one that must have a value, or one that only asks."""
        reading = Reading(self.environment, {}, known.bound)
        try:
            reading.expression(node, printed)
        except ExpressionError as error:
            raise TemplateError(str(error), node.lineno, error.hint) from None
        for path in reading.names:
            self.reads.append(
                Read(
                    path,
                    *place_of(self.lines, path, node.lineno),
                    asked or path in reading.guarded or known.asks(path),
                )
            )
        self.links += [self.link(call) for call in reading.links]

    def link(self, call: nodes.Call) -> LinkCall:
        """A link that is asked for, and its constants."""
        name = call.node.name if isinstance(call.node, nodes.Name) else ""
        line, column = place_of(self.lines, name, call.lineno)
        if not call.args and not call.kwargs:
            return LinkCall(name, line, column)
        event = call.args[0].as_const() if call.args else None
        properties = tuple((keyword.key, _constant(keyword.value)) for keyword in call.kwargs)
        paths = (dotted_path(node) for node in call.find_all((nodes.Name, nodes.Getattr, nodes.Getitem)))
        return LinkCall(name, line, column, event, properties, tuple(path for path in paths if path))


def place_of(lines: Sequence[str], path: str | None, line: int) -> tuple[int, int]:
    """Line and column of a name that is read in an expression of that line or the next ones."""
    for number in range(line, min(line + 5, len(lines)) + 1):
        match = re.search(rf"\b{re.escape(path)}\b", lines[number - 1]) if path else None
        if match is not None:
            return number, match.start() + 1
    return line, 1


def _stumbled(sandbox: TemplateSandbox, source: str, line: int) -> tuple[int, int]:
    """Line and column of the tag that cannot be read, as near as can be said: `line` is what Jinja2 tells."""
    lines = source.split("\n")
    line = min(max(line, 1), len(lines))
    tags = list(_TAG.finditer(lines[line - 1]))
    for tag in tags:
        if tag["sign"] == "{{" and not _readable(sandbox, tag[0]):
            return line, tag.start() + 1
    return line, tags[0].start() + 1 if tags else 1


def _left_open(source: str) -> tuple[int, int] | None:
    """Line and column of the last `if` or `for` that is not closed."""
    opened: list[re.Match[str]] = []
    for match in _BLOCK.finditer(source):
        if match["end"] and opened:
            opened.pop()
        elif not match["end"]:
            opened.append(match)
    if not opened:
        return None
    before = source[: opened[-1].start()]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _readable(sandbox: TemplateSandbox, text: str) -> bool:
    try:
        _Walk(sandbox, text).block(sandbox.parse(text).body, _Known(), 0)
    except (TemplateError, TemplateSyntaxError, RecursionError, ValueError, OverflowError, AssertionError):
        return False
    return True


def _constant(node: nodes.Node) -> Any:
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const):
        return -node.node.value
    return DYNAMIC


def _words(message: str) -> tuple[str, str]:
    """What Jinja2 stumbled on, in the author's words, and the cure; else its own sentence, begun as ours begin."""
    left_open = _NOT_CLOSED.search(message)
    if left_open is not None:
        word = left_open[1]
        return f"a `{{% {word} %}}` is not closed", f"end it with `{{% end{word} %}}`"
    if message == "unexpected '}'":
        return "a `}` stands alone: what is filled in is not closed", "end it with `}}`"
    return _own_words(message), ""


def _own_words(message: str) -> str:
    return f"the template cannot be understood here: {message[:1].lower()}{message[1:].rstrip('.')}"
