"""A YAML file as text: every scalar as it was written, with the line and column where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Loc = tuple[str | int, ...]


@dataclass(frozen=True)
class Scalar:
    """A text. Lines and columns count from 1."""

    line: int
    column: int
    text: str
    plain: bool
    literal: bool
    """Whether the text stands in the file as it is, on one line, so that its characters have columns."""
    missing: bool = False
    """Whether nothing is written here at all, which the reader has told."""

    def place(self, offset: int = 0) -> tuple[int, int]:
        """Line and column of the character at `offset` (from 0), as near as can be said."""
        return self.line, self.column + offset if self.literal else self.column


@dataclass(frozen=True)
class Sequence:
    """A list."""

    line: int
    column: int
    items: tuple[Node, ...]

    def place(self, offset: int = 0) -> tuple[int, int]:
        """Line and column where the list begins."""
        return self.line, self.column


@dataclass(frozen=True)
class Mapping:
    """Keys and their values, in the order of the file."""

    line: int
    column: int
    keys: dict[str, Scalar]
    values: dict[str, Node]

    def place(self, offset: int = 0) -> tuple[int, int]:
        """Line and column where the mapping begins."""
        return self.line, self.column


Node = Scalar | Sequence | Mapping


@dataclass(frozen=True)
class Document:
    """A file that was read. `path` is how problems name it."""

    path: str
    lines: tuple[str, ...]
    root: Node

    def plain(self) -> Any:
        """The content as dicts, lists and texts."""
        return _plain(self.root)

    def find(self, loc: Loc) -> Node:
        """The value at `loc`; levels that the file does not have are passed over."""
        node = self.root
        for step in loc:
            node = _child(node, step) or node
        return node

    def place(self, loc: Loc, offset: int = 0) -> tuple[int, int]:
        """Line and column of the value at `loc`, and of the character at `offset` in it."""
        return self.find(loc).place(offset)

    def key_place(self, loc: Loc) -> tuple[int, int]:
        """Line and column of the key that `loc` ends with, or of its value where it has none."""
        key = self.key(loc)
        return key.place() if key is not None else self.place(loc)

    def key(self, loc: Loc) -> Scalar | None:
        """The key that `loc` ends with, if it ends with one that stands in the file."""
        parent = self.find(loc[:-1])
        return parent.keys.get(str(loc[-1])) if isinstance(parent, Mapping) else None


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node, Mapping) and isinstance(step, str):
        return node.values.get(step)
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


def _plain(node: Node) -> Any:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    return {key: _plain(value) for key, value in node.values.items()}
