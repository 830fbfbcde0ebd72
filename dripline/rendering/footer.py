"""What stands under every marketing e-mail: who writes, by post too, and how to get no more of it.

CAN-SPAM (15 U.S.C. 7704(a)(5)) wants the sender's postal address and a way to leave in each, and so does the law of
many countries. What a template says itself is not said again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

from dripline.language.links import MakeLink, PreferencesLink, UnsubscribeLink
from dripline.language.spoken import in_language
from dripline.language.values import EvaluationError

_WORDS: Mapping[str, tuple[str, str]] = {
    "en": ("Unsubscribe", "Choose what you get"),
    "hy": ("Այլևս չստանալ", "Ընտրել, թե ինչ ստանալ"),
    "ru": ("Отписаться", "Выбрать, что получать"),
    "am": ("ከዝርዝሩ ይውጡ", "የሚደርስዎትን ይምረጡ"),
}
"""By language: to leave, and to choose."""

_INK = "color:#52606d"
_FRAME = (
    '<div style="margin:0 auto;padding:16px 24px;max-width:600px;font:12px/18px Helvetica,Arial,sans-serif;'
    f'{_INK};text-align:center">{{}}</div>'
)
_END = re.compile(r"</body\s*>", re.IGNORECASE)
_UNSEEN = frozenset({"head", "script", "style", "template", "title"})
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_HIDES = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def with_footer(html: str, locale: str, postal_address: Mapping[str, str], links: MakeLink) -> str:
    """The page with what it lacks under it: the address, the link to leave. Both stand in it then, once each.

    Raises EvaluationError where something around it hides what stands there.
    """
    address = in_language(postal_address, [locale])
    leave, choose = links(UnsubscribeLink()), links(PreferencesLink())
    seen = _seen(html)
    parts = []
    if _plain(address) not in _plain(seen.text):
        parts.append("<br>".join(escape(line.strip()) for line in address.splitlines() if line.strip()))
    words = _WORDS.get(locale.split("-")[0].lower(), _WORDS["en"])
    wanted = [(leave, words[0])] if leave not in seen.targets else []
    if (parts or wanted) and choose not in seen.targets:
        wanted.append((choose, words[1]))
    if wanted:
        parts.append(" · ".join(_link(target, text) for target, text in wanted))
    if not parts:
        return html
    footer = _FRAME.format("<br>".join(parts))
    ends = list(_END.finditer(html))
    at = ends[-1].start() if ends else len(html)
    whole = html[:at] + footer + html[at:]
    seen = _seen(whole)
    is_open = html.rfind("<!--", 0, at) > html.rfind("-->", 0, at)  # which parsers read in more than one way
    if is_open or leave not in seen.targets or _plain(address) not in _plain(seen.text):
        raise EvaluationError("no-footer")
    return whole


def _link(target: str, text: str) -> str:
    return f'<a href="{escape(target)}" style="{_INK}">{escape(text)}</a>'


def _plain(text: str) -> str:
    """Letters and digits alone: line breaks and commas make no other address."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


@dataclass
class _Seen:
    """What a reader can see of a page, and where its links lead."""

    text: str = ""
    targets: set[str] = field(default_factory=set)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = _Seen()
        self._words: list[str] = []
        self._within: str | None = None  # the hidden element that we are in
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._within is not None:
            self._depth += tag == self._within
            return
        said = dict(attrs)
        if tag not in _VOID and (
            tag in _UNSEEN or "hidden" in said or _HIDES.search(said.get("style") or "")
        ):
            self._within, self._depth = tag, 1
        elif tag == "a" and said.get("href"):
            self.seen.targets.add(str(said["href"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == self._within:
            self._depth -= 1
            if not self._depth:
                self._within = None

    def handle_data(self, data: str) -> None:
        if self._within is None:
            self._words.append(data)

    def close(self) -> None:
        super().close()
        self.seen.text = " ".join(self._words)


def _seen(html: str) -> _Seen:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.seen


__all__ = ["with_footer"]
