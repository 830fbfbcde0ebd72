"""YAML 1.2 read as text: no tags, no merge keys, few aliases, nothing twice, nothing without its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML, events
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from dripline.language.positions import Document, Mapping, Node, Scalar, Sequence
from dripline.language.problems import Problem
from dripline.language.yaml_words import QUOTE, bent_braces, bent_value, syntax_problem

MAX_BYTES = 256 * 1024
"""Size of a file."""
MAX_DEPTH = 50
"""Lists and mappings within each other."""
MAX_ALIASES = 10
"""Uses of `*anchor` in a file."""
MAX_NODES = 20_000
"""Values in a file, those that aliases repeat counted again."""


def read_yaml(path: str, content: bytes, first_line: int = 1) -> tuple[Document | None, list[Problem]]:
    """The content of the file that problems call `path`; None where it cannot be read at all.

    `first_line` is the line of the file at which the content begins.
    """
    shift = "\n" * (first_line - 1)
    if len(content) > MAX_BYTES:
        size = f"the file is larger than {MAX_BYTES // 1024} KB"
        return None, [Problem(path, 1, 1, "too-large", "error", size, "split it")]
    try:
        text = shift + content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [not_utf8(path, error, first_line)]
    reader = _Reader(path, text)
    root = reader.read()
    document = Document(path, tuple(text.splitlines()), root) if root is not None else None
    return document, reader.problems


def not_utf8(path: str, error: UnicodeDecodeError, first_line: int = 1) -> Problem:
    """The first byte that is none of UTF-8, where an editor shows it."""
    before = error.object[: error.start].decode("utf-8")
    line, column = first_line + before.count("\n"), len(before) - before.rfind("\n")
    return Problem(path, line, column, "not-utf8", "error", "the file is not UTF-8", "save it as UTF-8")


class _Stop(Exception):
    """The file cannot be read on."""


class _Reader:
    """Builds the tree from the parser's events; problems that leave the rest readable do not stop it."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.lines = text.split("\n")
        self.problems: list[Problem] = []
        self.anchors: dict[str, Node] = {}
        self.aliases = 0
        self.nodes = 0
        self.events: Iterator[Any] = iter(())

    def read(self) -> Node | None:
        """The one document of the file."""
        try:
            self.events = YAML(typ="safe", pure=True).parse(self.text)
            next(self.events)
            start = next(self.events)
            if not isinstance(start, events.DocumentStartEvent):
                self.stop(start, "empty-file", "the file is empty", "")
            root = self.node(next(self.events), 0)
            next(self.events)
            more = next(self.events)
            if isinstance(more, events.DocumentStartEvent):
                self.stop(more, "two-documents", "a second document begins here", "one file, one document")
            return root
        except _Stop:
            return None
        except MarkedYAMLError as error:
            self.problems.append(syntax_problem(self.path, self.lines, error))
        except YAMLError:
            self.problems.append(self.unprintable())
        except (ValueError, OverflowError):
            self.problems.append(
                Problem(
                    self.path, 1, 1, "bad-yaml", "error", "the file is no YAML", "look for odd characters"
                )
            )
        return None

    def node(self, event: Any, depth: int) -> Node:
        """The value that begins with the event."""
        self.nodes += 1
        if depth > MAX_DEPTH:
            self.stop(event, "too-deep", f"more than {MAX_DEPTH} levels within each other", "make it flatter")
        if self.nodes > MAX_NODES:
            self.stop(event, "too-large", f"more than {MAX_NODES} values in one file", "split it")
        if isinstance(event, events.AliasEvent):
            return self.alias(event)
        if event.tag is not None:
            self.tag(event)
        node = self.new(event, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = node
        return node

    def new(self, event: Any, depth: int) -> Node:
        """A value that is written out."""
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, events.MappingStartEvent):
            return self.mapping(line, column, depth)
        if isinstance(event, events.SequenceStartEvent):
            items = []
            while not isinstance(following := next(self.events), events.SequenceEndEvent):
                items.append(self.node(following, depth + 1))
                self.not_nothing(items[-1], line, column, "an item of the list")
            return Sequence(line, column, tuple(items))
        return self.scalar(event)

    def mapping(self, line: int, column: int, depth: int) -> Mapping:
        """Keys and values until the end of the mapping."""
        mapping = Mapping(line, column, {}, {})
        while not isinstance(event := next(self.events), events.MappingEndEvent):
            if not isinstance(event, events.ScalarEvent):
                self.odd_key(event)
            key = self.scalar(event)
            value = self.node(next(self.events), depth + 1)
            self.key(mapping, key)
            self.not_nothing(value, *key.place(), f"`{key.text}:`")
            mapping.keys.setdefault(key.text, key)
            mapping.values.setdefault(key.text, value)
        return mapping

    def key(self, mapping: Mapping, key: Scalar) -> None:
        """Refuse a merge key and a key that is there already."""
        if key.text == "<<" and key.plain:
            self.tell(*key.place(), "merge-key", "`<<` is not of this language", "write the keys out")
        elif key.text in mapping.keys:
            before = mapping.keys[key.text].line
            self.tell(
                *key.place(),
                "duplicate-key",
                f"`{key.text}` stands here twice, first in line {before}",
                "keep one of the two",
            )

    def scalar(self, event: Any) -> Scalar:
        """A text as it was written."""
        start, end = event.start_mark, event.end_mark
        column = start.column + (2 if event.style in ("'", '"') else 1)
        line = self.lines[start.line] if start.line < len(self.lines) else ""
        literal = start.line == end.line and line[column - 1 : column - 1 + len(event.value)] == event.value
        plain = event.style is None and event.tag is None
        missing = event.style is None and not event.value
        place = (start.line + 1, column if literal else start.column + 1)
        scalar = Scalar(*place, event.value, plain, literal, missing)
        rest = self.lines[end.line][end.column :] if end.line < len(self.lines) else ""
        after = rest.strip()
        if scalar.plain and scalar.text and after.startswith("#") and after[1:2].strip("# !-=") != "":
            self.tell(
                end.line + 1,
                end.column + 1 + len(rest) - len(rest.lstrip()),
                "unquoted",
                f"YAML reads only `{scalar.text}` here: ` #` begins a comment",
                f"{QUOTE}; a comment wants a space after its `#`",
            )
        return scalar

    def alias(self, event: Any) -> Node:
        """The value that an alias repeats."""
        self.aliases += 1
        line = self.lines[event.start_mark.line]
        if event.anchor not in self.anchors:
            self.stop(
                event, "unquoted", f"YAML takes `*{event.anchor}` for an alias", bent_value(line) or QUOTE
            )
        if self.aliases > MAX_ALIASES:
            self.stop(event, "too-many-aliases", f"more than {MAX_ALIASES} aliases", "write the values out")
        node = self.anchors[event.anchor]
        self.nodes += _size(node)
        return node

    def tag(self, event: Any) -> None:
        """Refuse a tag."""
        line = self.lines[event.start_mark.line]
        self.tell(
            event.start_mark.line + 1,
            event.start_mark.column + 1,
            "unquoted",
            f"YAML takes `{str(event.tag)[:40]}` for a tag",
            bent_value(line) or QUOTE,
        )

    def odd_key(self, event: Any) -> None:
        """Refuse a key that is no text: mostly `{{ x }}` without quotes."""
        line = self.lines[event.start_mark.line]
        if "{{" in line:
            at = line.index("{{") + 1
            cure = bent_braces(line) or bent_value(line) or QUOTE
            self.tell(event.start_mark.line + 1, at, "unquoted", "YAML takes `{{` for a mapping", cure)
            raise _Stop
        self.stop(event, "bad-key", "a key must be a plain word", "write `key: value`")

    def not_nothing(self, node: Node, line: int, column: int, what: str) -> None:
        """Refuse a value that is not there."""
        if isinstance(node, Scalar) and node.plain and not node.text:
            self.tell(
                line, column, "missing-value", f"nothing stands after {what}", "write a value or remove it"
            )

    def tell(self, line: int, column: int, code: str, message: str, hint: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(self.path, line, column, code, "error", message, hint))

    def stop(self, event: Any, code: str, message: str, hint: str) -> None:
        """Note a problem after which nothing can be read."""
        self.tell(event.start_mark.line + 1, event.start_mark.column + 1, code, message, hint)
        raise _Stop

    def unprintable(self) -> Problem:
        """The first character that YAML does not allow."""
        for number, line in enumerate(self.lines, 1):
            for column, character in enumerate(line, 1):
                if not (character.isprintable() or character in "\t\r\u00a0\u200b\ufeff"):
                    return Problem(
                        self.path,
                        number,
                        column,
                        "bad-character",
                        "error",
                        f"the character U+{ord(character):04X} cannot stand in a file",
                        "remove it",
                    )
        return Problem(self.path, 1, 1, "bad-character", "error", "a character cannot be read", "remove it")


def _size(node: Node) -> int:
    if isinstance(node, Scalar):
        return 1
    return 1 + sum(map(_size, node.items if isinstance(node, Sequence) else node.values.values()))
