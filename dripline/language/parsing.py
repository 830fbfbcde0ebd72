"""From the text of an expression to Jinja2's tree of it, with the place of every name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from dripline.language.sandbox import Sandbox

MAX_SOURCE = 1_000
"""Characters of an expression."""
MAX_NODES = 200
"""Names, operators and values of an expression."""
MAX_DEPTH = 25
"""Brackets within brackets, and operators within operators."""

_RIGHT_SIGNS = {"&&": "and", "||": "or", "!": "not", "=": "==", "&": "and", "?": "A if CONDITION else B"}
_ROUND_QUOTES = tuple("“”„‟‘’‚‛«»")
"""What word processors make of straight ones."""
SANDBOX = Sandbox()


class ExpressionError(Exception):
    """A text that is no expression of the language; `offset` (from 0) is the character that it goes wrong at."""

    def __init__(self, message: str, offset: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.hint = hint


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    offset: int


def tokenize(source: str) -> list[Token]:
    tokens: list[Token] = []
    offset = depth = 0
    braces = source.lstrip()[:2]
    if braces in ("{{", "{%"):
        raise ExpressionError(
            f"an expression stands without `{braces}`", 0, "write it as it is, such as `lead.consent.email`"
        )
    try:
        for _, kind, text in SANDBOX.lexer.tokeniter(source, None, None, "variable"):
            if kind == "operator" and text == "|" and tokens and tokens[-1].text == "|":
                raise ExpressionError(_unexpected(source, offset - 1), offset - 1, _sign_hint("||"))
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
    if sign[:1] in _ROUND_QUOTES:
        return f"write a straight quotation mark (`'`) for `{sign[0]}`"
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
