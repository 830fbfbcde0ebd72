"""The grammar of expressions: Jinja2's, less what the language has not; and the names that one reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from dripline.language.problems import did_you_mean, listed
from dripline.language.sandbox import Sandbox

MAX_SOURCE = 1_000
"""Characters of an expression."""
MAX_NODES = 200
"""Names, operators and values of an expression."""
MAX_DEPTH = 25
"""Brackets within brackets, and operators within operators."""

CALLS = frozenset({"days", "hours"})
_RESERVED = frozenset({"self", "super", "caller", "varargs", "kwargs", "namespace"})
_OPERATORS: tuple[type[nodes.Node], ...] = (
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Neg,
    nodes.Pos,
    nodes.Concat,
    nodes.CondExpr,
    nodes.List,
    nodes.Tuple,
    nodes.Getattr,
    nodes.Getitem,
)
_RIGHT_SIGNS = {"&&": "and", "||": "or", "!": "not", "=": "==", "&": "and", "?": "A if CONDITION else B"}
_SIGNS = {"pow": "`**`", "slice": "`[from:to]`", "dict": "`{…}`"}
SANDBOX = Sandbox()


class ExpressionError(Exception):
    """A text that is no expression of the language; `offset` (from 0) is the character that it goes wrong at."""

    def __init__(self, message: str, offset: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.hint = hint


class Reading:
    """Reads a tree once: refuses what the language has not, and gathers the names that it reads."""

    def __init__(
        self,
        environment: Sandbox,
        places: Mapping[str, int],
        bound: frozenset[str] = frozenset(),
    ) -> None:
        self.environment = environment
        self.places = places
        self.bound = bound
        self.names: set[str] = set()
        self.guarded: set[str] = set()
        self.unguarded: set[str] = set()
        self.seen: list[nodes.Node] = []
        self.printed = False

    def expression(self, node: nodes.Node, printed: bool = False) -> None:
        """Read an expression; one that is `printed` must have a value."""
        self.printed = printed
        self._read(node, 0, guarded=False)
        self.guarded -= self.unguarded

    def _read(self, node: nodes.Node, depth: int, guarded: bool) -> None:
        self.seen.append(node)
        if depth > MAX_DEPTH:
            raise ExpressionError("the expression is too deep", hint="split it in two")
        path = dotted_path(node)
        if path is not None:
            self._name(path, guarded or ("." not in path and not self.printed))
            return
        match node:
            case nodes.Const():
                if node.value is None:
                    raise ExpressionError("there is no `none`", hint="write `x is empty`, or `x is defined`")
            case nodes.Call():
                self._call(node, depth)
            case nodes.Filter() | nodes.Test():
                self._filter_or_test(node, depth)
            case nodes.CondExpr(expr2=None):
                raise ExpressionError("`if` wants an `else`", hint="write `A if CONDITION else B`")
            case _ if isinstance(node, _OPERATORS):
                for child in node.iter_child_nodes():
                    self._read(child, depth + 1, guarded=False)
            case _:
                word = type(node).__name__.lower()
                raise ExpressionError(f"an expression cannot have {_SIGNS.get(word, word)}")

    def _name(self, path: str, guarded: bool) -> None:
        root = path.split(".")[0]
        if root in self.bound:
            return
        offset = self.places.get(path, self.places.get(root, 0))
        if root in CALLS:
            raise ExpressionError(f"`{root}` wants a number", offset, f"write `{root}(2)`")
        if root in _RESERVED or root.startswith("_"):
            raise ExpressionError(f"`{root}` cannot be read", offset)
        self.names.add(path)
        (self.guarded if guarded else self.unguarded).add(path)

    def _call(self, node: nodes.Call, depth: int) -> None:
        called = node.node
        plain = len(node.args) == 1 and not (node.kwargs or node.dyn_args or node.dyn_kwargs)
        if isinstance(called, nodes.Name) and called.name in CALLS and plain:
            self._read(node.args[0], depth + 1, guarded=False)
            return
        name = dotted_path(called) or "this"
        last = name.split(".")[-1]
        hint = "only `days(n)` and `hours(n)` can be called"
        if last in SANDBOX.filters:
            hint = f"write `| {last}`"
        elif last in SANDBOX.tests:
            hint = f"write `is {last}(…)`"
        raise ExpressionError(f"`{name}` cannot be called", self.places.get(name, 0), hint)

    def _filter_or_test(self, node: nodes.Filter | nodes.Test, depth: int) -> None:
        known: Mapping[str, Any] = self.environment.filters
        word = "filter"
        if isinstance(node, nodes.Test):
            known, word = self.environment.tests, "test"
        if node.name not in known:
            hint = did_you_mean(node.name, known) or f"there are {listed(sorted(known))}"
            raise ExpressionError(f"there is no {word} `{node.name}`", self.places.get(node.name, 0), hint)
        least, most = self.environment.arguments.get(node.name, (0, 0))
        if node.kwargs or node.dyn_args or node.dyn_kwargs or not least <= len(node.args) <= most:
            count = str(least) if least == most else f"{least} to {most}"
            raise ExpressionError(
                f"`{node.name}` takes {count} value(s) in its brackets", self.places.get(node.name, 0)
            )
        for child in node.iter_child_nodes():
            asks = child is node.node and node.name in ("default", "defined", "empty")
            self._read(child, depth + 1, guarded=asks)


def dotted_path(node: nodes.Node) -> str | None:
    """The path that the node reads (`lead.consent.email`), if it is one."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        before = dotted_path(node.node)
        return before and f"{before}.{node.attr}"
    if (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Const)
        and isinstance(node.arg.value, str)
    ):
        before = dotted_path(node.node)
        return before and f"{before}.{node.arg.value}"
    return None


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    offset: int


def tokenize(source: str) -> list[Token]:
    tokens: list[Token] = []
    offset = depth = 0
    try:
        for _, kind, text in SANDBOX.lexer.tokeniter(source, None, None, "variable"):
            tokens.append(Token(kind, text, offset))
            offset += len(text)
            depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
            if depth > MAX_DEPTH:
                raise ExpressionError("the expression is too deep", offset, "split it in two")
    except TemplateSyntaxError:
        hint = _sign_hint(source[offset : offset + 2])
        raise ExpressionError(_unexpected(source, offset), offset, hint) from None
    return tokens


def parse(source: str, tokens: list[Token]) -> nodes.Expr:
    pulled = 0

    def counted() -> Iterator[Any]:
        nonlocal pulled
        raw = [(1, token.kind, token.text) for token in tokens]
        significant = [token for token in tokens if token.kind != "whitespace"]
        for pulled, token in enumerate(SANDBOX.lexer.wrap(iter(raw)), 1):  # noqa: B007 (read by `where`)
            yield token
        pulled = len(significant) + 1

    def where() -> int:
        significant = [token for token in tokens if token.kind != "whitespace"]
        return significant[pulled - 1].offset if 0 < pulled <= len(significant) else len(source)

    try:
        parser = Parser(SANDBOX, "", state="variable")
        parser.stream = TokenStream(counted(), None, None)
        if parser.stream.eos:
            raise ExpressionError("the expression is empty")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            raise ExpressionError(_unexpected(source, where()), where(), _sign_hint(source[where() :][:2]))
    except (TemplateSyntaxError, RecursionError, ValueError, OverflowError, AssertionError):
        raise ExpressionError(_unexpected(source, where()), where()) from None
    tree.set_environment(SANDBOX)
    return tree


def _unexpected(source: str, offset: int) -> str:
    rest = source[offset:].split()
    if not rest:
        return "the expression is not complete: something is missing at its end"
    if rest[0][0] in "'\"":
        return "a quotation mark is not closed, or a text stands where none can"
    return f"the expression cannot go on with `{rest[0][:20]}`"


def _sign_hint(sign: str) -> str:
    for wrong, right in {
        "&&": "and",
        "||": "or",
        "!": "not",
        "=": "==",
        "&": "and",
        "?": "… if … else …",
    }.items():
        if sign.startswith(wrong):
            return f"write `{right}` for `{wrong}`"
    return ""


def places_of(tokens: list[Token]) -> dict[str, int]:
    """Where each dotted path begins, its shorter beginnings included."""
    places: dict[str, int] = {}
    significant = [token for token in tokens if token.kind != "whitespace"]
    path = ""
    start = 0
    for before, token in zip([Token("", "", 0), *significant], significant, strict=False):
        if token.kind == "name":
            if before.text == "." and path:
                path = f"{path}.{token.text}"
            else:
                path, start = token.text, token.offset
            places.setdefault(path, start)
        elif token.text != ".":
            path = ""
    return places
