"""What an e-mail's template holds in whatever markup: links, images, and words, each with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from html.parser import HTMLParser
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

from dripline.language.masking import FILLED, masked, uncommented

_LINKS = ("href", "src", "background", "background-url")
_IMAGES = frozenset({"img", "mj-image", "mj-carousel-image"})
_UNSEEN = frozenset({"mj-head", "head", "style", "script", "title"})
_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """A link, or an image that is not described. Lines and columns count from 1, within the body."""

    what: Literal["link", "image"]
    line: int
    column: int
    text: str = ""
    """A link's address, with FILLED for every character of it that is filled in."""


@dataclass
class Markup:
    """What was found in a template's body."""

    found: list[Found] = field(default_factory=list)
    words: bool = False
    """Whether there is anything to read."""


def markup_of(kind: str, body: str) -> Markup:
    """What the body of a template holds: of MJML, HTML, Markdown or, in an SMS, plain text."""
    text = masked(body)
    if kind == "md":
        return _of_markdown(text)
    if kind == "text":
        return Markup(list(_links_in_text(text)), bool(text.strip()))
    reader = _Reader()
    reader.feed(uncommented(text))
    reader.close()
    return reader.markup


def _links_in_text(text: str) -> Iterator[Found]:
    for number, line in enumerate(text.split("\n"), 1):
        for match in _URL.finditer(line):
            yield Found("link", number, match.start() + 1, match[0])


class _Reader(HTMLParser):
    """Reads HTML and MJML, which nests like it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.markup = Markup()
        self.unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and images of an element."""
        if tag in _UNSEEN:
            self.unseen.append(tag)
        self._note(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """The same of one that is closed at once."""
        self._note(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """Readers see again what comes behind."""
        if tag in self.unseen:
            del self.unseen[self.unseen.index(tag) :]

    def handle_data(self, data: str) -> None:
        """Words, where readers see them."""
        if not self.unseen and any(letter.isalnum() or letter == FILLED for letter in data):
            self.markup.words = True

    def _note(self, tag: str, attributes: dict[str, str | None]) -> None:
        line, column = self.getpos()
        for name in _LINKS:
            if name in attributes:
                place = self._place(name)
                self.markup.found.append(Found("link", *place, (attributes[name] or "").strip()))
        if tag in _IMAGES and "alt" not in attributes:
            self.markup.found.append(Found("image", line, column + 1))

    def _place(self, name: str) -> tuple[int, int]:
        """Where the value of that attribute stands."""
        line, column = self.getpos()
        text = self.get_starttag_text() or ""
        match = re.search(rf"(?<![\w-]){name}\s*=\s*[\"']?", text, re.IGNORECASE)
        before = text[: match.end()] if match else ""
        lines = before.count("\n")
        return line + lines, len(before) - before.rfind("\n") if lines else column + len(before) + 1


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})


def _of_markdown(text: str) -> Markup:
    markup = Markup()
    lines = text.split("\n")
    for block in _markdown().parse(text):
        if block.type in ("fence", "code_block"):
            markup.words = markup.words or bool(block.content.strip())
        first, end = block.map or [0, 1]
        for token in block.children or ():
            found = _of_token(token, lines, first, end)
            if found is not None:
                markup.found.append(found)
            if token.type in ("text", "code_inline") and token.content.strip():
                markup.words = True
    return markup


def _of_token(token: Token, lines: list[str], first: int, end: int) -> Found | None:
    if token.type == "link_open":
        address = str(token.attrGet("href") or "").replace("%EE%80%80", FILLED)
        return Found("link", *_searched(lines, address, first, end), address)
    if token.type == "image":
        source = str(token.attrGet("src") or "").replace("%EE%80%80", FILLED)
        if not token.content.strip():
            return Found("image", *_searched(lines, "![](", first, end))
        return Found("link", *_searched(lines, source, first, end), source)
    return None


def _searched(lines: list[str], text: str, first: int, end: int) -> tuple[int, int]:
    """Where the text stands in those lines, or their beginning."""
    for number in range(first, min(end, len(lines))):
        at = lines[number].find(text) if text else -1
        if at >= 0:
            return number + 1, at + 1
    return first + 1, 1
