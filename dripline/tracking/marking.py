"""Putting tracked links and the pixel into a message, and taking them out. All the rest stays to the letter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape, unescape
from html.parser import HTMLParser

from dripline.tracking.addresses import in_ascii, may_lead_to
from dripline.tracking.tokens import CLICK_PATH, OPEN_PATH, Tokens

UNTRACKED = "data-no-track"
"""An attribute of links that are to stay as they are."""

_ATTRIBUTE = re.compile(r"""([^\s/>=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+))?""")
_IN_TEXT = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_CLOSING = ".,;:!?)]}'»”"
"""What ends a sentence rather than an address."""
# Inline and seen by nobody. `display: none` would keep some programs from fetching it at all.
_PIXEL = '<img src="{}" width="1" height="1" alt="" style="display:block;width:1px;height:1px;border:0">'
_PIXEL_FOUND = re.compile(re.escape(_PIXEL).replace(r"\{\}", '([^"]+)'))


@dataclass(frozen=True)
class Marks:
    """What is put into one message. `at` leads to the web process by which links go."""

    tokens: Tokens
    message: str
    at: str
    own: tuple[str, ...]
    """How addresses begin that are ours: what the lead does there is told by itself."""
    clicks: bool = False
    opens: bool = False

    def html(self, html: str) -> str:
        """The page with its links led by way of us, as far as they may be, and with the pixel at its end."""
        if self.clicks:
            html = "".join(_with_links(html, self._tracked))
        if not self.opens:
            return html
        pixel = _PIXEL.format(escape(f"{self.at}{OPEN_PATH}{self.tokens.open(self.message)}.gif"))
        end = html.lower().rfind("</body")
        return html[:end] + pixel + html[end:] if end >= 0 else html + pixel

    def text(self, text: str) -> str:
        """A text (of an SMS) with its links led by way of us."""
        if not self.clicks:
            return text

        def tracked(found: re.Match[str]) -> str:
            address = found[0].rstrip(_CLOSING)
            return (self._tracked(address) or address) + found[0][len(address) :]

        return _IN_TEXT.sub(tracked, text)

    def _tracked(self, address: str) -> str | None:
        """The address by way of us; None for one that stays as it is."""
        address = in_ascii(address)
        if not may_lead_to(address) or address.startswith(self.own):
            return None
        return f"{self.at}{CLICK_PATH}{self.tokens.click(self.message, address)}"


def addresses_in(html: str | None, text: str) -> list[str]:
    """Where the links of a message lead that may be tracked: of its page, or of its text where it has none."""
    if html is None:
        found = [one[0].rstrip(_CLOSING) for one in _IN_TEXT.finditer(text)]
    else:
        found = [address for _, _, address in _links(html)]
    return [address for address in map(in_ascii, found) if may_lead_to(address)]


def unmarked(html: str, tokens: Tokens) -> str:
    """The page as it was before it was marked, so that whoever looks at it here is not taken for its reader."""

    def plain(address: str) -> str | None:
        _, path, token = address.rpartition(CLICK_PATH)
        found = tokens.read_click(token) if path else None
        return found.address if found else None

    def no_pixel(found: re.Match[str]) -> str:
        name = unescape(found[1]).rpartition(OPEN_PATH)[2].removesuffix(".gif")
        return found[0] if tokens.read_open(name) is None else ""

    return _PIXEL_FOUND.sub(no_pixel, "".join(_with_links(html, plain)))


def _with_links(html: str, instead: Callable[[str], str | None]) -> Iterator[str]:
    """The page in pieces, the addresses of its links replaced where there is another instead."""
    done = 0
    for begin, end, address in _links(html):
        new = instead(address)
        if new is not None:
            yield html[done:begin]
            yield f'"{escape(new)}"'
            done = end
    yield html[done:]


def _links(html: str) -> list[tuple[int, int, str]]:
    """Where the addresses of links stand, and what they say."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.links


class _Reader(HTMLParser):
    """Finds where the addresses of links stand: not in comments, which old Outlooks read, and not in styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.links: list[tuple[int, int, str]] = []
        """Where the value of `href` begins and ends, its quotation marks with it, and what it says."""
        self._lines: list[int] = []

    def feed(self, data: str) -> None:
        """Read a whole page, once."""
        self._lines = [0, *(found.end() for found in re.finditer("\n", data))]
        super().feed(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("a", "area") or any(name == UNTRACKED for name, _ in attrs):
            return
        text = self.get_starttag_text() or ""
        line, column = self.getpos()
        begin = self._lines[line - 1] + column
        for found in _ATTRIBUTE.finditer(text, 1 + len(tag)):
            if found[1].lower() == "href":
                if found[2]:
                    value = found[2][1:-1] if found[2][0] in "\"'" else found[2]
                    self.links.append((begin + found.start(2), begin + found.end(2), unescape(value)))
                return  # of several the first one counts, as in a browser


__all__ = ["UNTRACKED", "Marks", "addresses_in", "unmarked"]
