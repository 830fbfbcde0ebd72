"""An e-mail as it came in: its parts, who wrote it, whether a program did, and what of it is new."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import EmailMessage, Message
from email.policy import EmailPolicy
from email.utils import parseaddr
from typing import Any

import html2text
from mailparser_reply import EmailReplyParser

MOST_LETTERS = 12_000
"""Characters of a mail that are looked at: who writes more quotes, or is no person."""
LONGEST_LINE = 300
"""Longer lines are broken before quotes are looked for: what does so takes the square of their length."""

LONGEST_HEADER = 2_000
"""Characters of a header that are looked at: to take one apart takes more than twice as long for twice as many."""

_LANGUAGES = ["en", "de", "fr", "es", "it", "pl", "nl"]
_AUTOMATIC = ("mailer-daemon", "postmaster", "no-reply", "noreply", "do-not-reply", "donotreply")
_QUOTE = re.compile(r"^\s*>")
_WROTE = re.compile(
    # How mail programs begin what they quote, in languages that the library does not know.
    r"^.{0,200}(?:пишет|написал[аи]?|գրել է|գրեց|ጽፈዋል|ጽፏል|<[^<>\s]{3,100}@[^<>\s]{3,100}>)\s*[:.։]?\s*$",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"^\s*(?:-{2,}|_{5,}).{0,60}(?:-{2,})?\s*$")
_ORIGINAL = re.compile(r"original|пересыл|исходн|սկզբնական", re.IGNORECASE)


class _Bounded(EmailPolicy):
    """The library's modern rules, which no header keeps busy for long, nor leads too deep."""

    def header_fetch_parse(self, name: str, value: Any) -> Any:
        """The header; an empty one in the place of one that is nested beyond all measure."""
        try:
            return super().header_fetch_parse(name, value[:LONGEST_HEADER])
        except RecursionError:
            return super().header_fetch_parse(name, "")


_POLICY = _Bounded()


@dataclass(frozen=True)
class Mail:
    """What of an e-mail is of interest."""

    id: str
    """Its Message-ID; empty where it has none."""
    sender: str
    subject: str
    text: str
    """All of it, with what it quotes."""
    automatic: bool


def read_mail(raw: bytes) -> Mail:
    """A whole e-mail (RFC 5322), however badly it is made."""
    message = message_from_bytes(raw, policy=_POLICY)
    assert isinstance(message, EmailMessage)
    text, html = "", ""
    for part in message.walk():
        kind = part.get_content_type()
        if part.is_multipart() or part.get_filename() or kind not in ("text/plain", "text/html"):
            continue
        if kind == "text/plain" and not text:
            text = _content(part)
        elif kind == "text/html" and not html:
            html = _content(part)
    return made_mail(message, "", text, html)


def made_mail(headers: Message, sender: str, text: str, html: str) -> Mail:
    """The mail of these parts; `sender` where it is known better than by its headers."""
    return Mail(
        id=_header(headers, "Message-ID")[:500],
        sender=(sender or _sender(headers))[:320],
        subject=_header(headers, "Subject")[:500],
        text=_without_controls(text or as_text(html)),
        automatic=is_automatic(headers),
    )


def _sender(headers: Message) -> str:
    """The address of the From header; none of several (RFC 5322, 3.6): only one was vouched for."""
    several = [name.lower() for name, _ in headers.raw_items()].count("from") > 1
    return "" if several else _address(headers)


def _address(headers: Message) -> str:
    try:
        return parseaddr(_header(headers, "From"))[1]
    except RecursionError:  # comments within comments
        return ""


def read_headers(text: str) -> Message:
    """Headers as they stand before a mail."""
    return message_from_string(text[:100_000], policy=_POLICY)


def is_automatic(headers: Message) -> bool:
    """Whether a program sent it: RFC 3834, what older programs do, mailing lists, and reports of delivery."""
    if _header(headers, "Auto-Submitted").lower().partition(";")[0].strip() not in ("", "no"):
        return True
    if _header(headers, "Precedence").lower() in ("bulk", "junk", "list", "auto_reply"):
        return True
    if any(
        _header(headers, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply-From", "List-Id")
    ):
        return True
    if "report" in _header(headers, "Content-Type").lower() or _header(headers, "Return-Path") == "<>":
        return True
    local = _address(headers).lower().partition("@")[0]
    return local.startswith(_AUTOMATIC)


def new_text(text: str) -> str:
    """What the writer added, without what is quoted below and the signature."""
    lines: list[str] = []
    for line in text[:MOST_LETTERS].replace("\r\n", "\n").split("\n"):
        if not line.strip() and not any(one.strip() for one in lines[-2:]):
            continue  # what looks for signatures takes the square of the length of a gap
        lines += [line[start : start + LONGEST_LINE] for start in range(0, max(len(line), 1), LONGEST_LINE)]
    whole = "\n".join(lines).strip()
    try:
        latest = EmailReplyParser(languages=list(_LANGUAGES)).read(whole).replies[0].body
    except (IndexError, RecursionError):
        latest = whole
    kept = _above_the_quote(latest.split("\n"))
    return "\n".join(kept).strip() or latest.strip() or whole


def as_text(html: str) -> str:
    """HTML in words."""
    if not html.strip():
        return ""
    converter = html2text.HTML2Text(bodywidth=0)
    converter.ignore_links = converter.ignore_images = converter.ignore_emphasis = True
    try:
        return str(converter.handle(html[: 5 * MOST_LETTERS]))
    except Exception:  # whatever it trips over: a mail must not be lost by its HTML
        return re.sub(r"<[^<>]{0,500}>", " ", html[:MOST_LETTERS])


def _above_the_quote(lines: list[str]) -> list[str]:
    """The lines above the first that quotes, and above the one that says whom it quotes."""
    for number, line in enumerate(lines):
        if _QUOTE.match(line):
            above = [one for one in lines[:number] if one.strip()]
            while above and _WROTE.match(above[-1]):
                above.pop()
            return above
        if _SEPARATOR.match(line) and _ORIGINAL.search(line):
            return lines[:number]
    return lines


def _content(part: Any) -> str:
    try:
        return str(part.get_content())[: 5 * MOST_LETTERS]
    except (LookupError, UnicodeError, ValueError, KeyError):
        payload = part.get_payload(decode=True) or b""
        return payload[: 5 * MOST_LETTERS].decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _header(message: Message, name: str) -> str:
    """A header's first value in words; empty where it is missing or cannot be read."""
    try:
        return _without_controls(str(message.get(name, ""))).replace("\n", " ").strip()
    except (
        ValueError,
        IndexError,
        LookupError,
        AttributeError,
        TypeError,
    ):  # of headers made to trip parsers
        return ""


def _without_controls(text: str) -> str:
    kept: Iterable[str] = (one for one in text if one in "\n\t" or (ord(one) >= 32 and ord(one) != 127))
    return "".join(kept).encode("utf-8", "replace").decode()
