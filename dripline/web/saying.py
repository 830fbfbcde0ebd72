"""How the pages say things: times, lengths, names, links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from babel import Locale, UnknownLocaleError
from markupsafe import Markup

from dripline.story import Entry

_FRAME_HEAD = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline';"
    ' img-src https: data:; font-src data:"><base target="_blank">'
)
_DEFAULTS = {"show": "all", "page": 1, "live": False}
_PARAGRAPH = re.compile(r"\n\s*\n")
_ADDRESS = re.compile(r"https?://\S+")
_LINE = 75
"""Characters of a line at that width."""
_HEAD = re.compile(r"<head(?:\s[^>]*)?>", re.IGNORECASE)

MOMENTS = (
    ("queued", "queued_at"),
    ("accepted", "accepted_at"),
    ("delivered", "delivered_at"),
    ("opened", "first_opened_at"),
    ("clicked", "first_clicked_at"),
    ("bounced", "bounced_at"),
    ("complained", "complained_at"),
    ("failed", "failed_at"),
    ("skipped", "skipped_at"),
    ("held", "held_at"),
)
"""What can become of a message, and the column that says when."""


def who(row: Any) -> str:
    """A lead's best name in a row of an overview: its address, its number, or the caller's id."""
    return str(row.lead_email or row.lead_phone or row.lead_external_id or row.lead_id)


def who_for_viewers(row: Any) -> str:
    """The same for those who see no names: enough to tell one lead from another."""
    return f"lead …{str(row.lead_id)[-6:]}"


def since(run: Any) -> datetime:
    """Since when a run is where it is: the start of its wait, its end, or its last turn."""
    began = datetime.fromisoformat(run.wait["began"]) if run.wait else None
    at: datetime = run.ended_at or began or run.last_at
    return at


def framed(html: str) -> str:
    """An e-mail's HTML for a frame's srcdoc: its own policy before anything else, links in new windows."""
    head = _HEAD.search(html)
    at = head.end() if head else 0
    return html[:at] + _FRAME_HEAD + html[at:]


def preview_height(body: str, html: str) -> int:
    """About how many pixels high an e-mail is at the width of a page, by its text part and its pictures.

    A page without scripts cannot ask the frame; what is higher scrolls, and the frame can be drawn larger.
    """
    shown = _ADDRESS.sub("", body)  # of a link only its words are seen
    lines = sum(1 + len(line) // _LINE for line in shown.splitlines() if line.strip())
    paragraphs = len(_PARAGRAPH.findall(body.strip()))
    pictures = html.lower().count("<img")
    return max(280, min(1_200, 205 + 26 * lines + 16 * paragraphs + 120 * pictures))


def snippet(body: str) -> str:
    """How a text begins, on one line."""
    return " ".join(body.split())[:240]


def moment(at: datetime | None, now: datetime, where: tzinfo) -> Markup:
    """A time in that zone, with how far off it is."""
    if at is None:
        return Markup("–")
    exact = at.astimezone(UTC).isoformat(timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time> <small>{}</small>').format(
        exact, exact, f"{at.astimezone(where):%Y-%m-%d %H:%M}", off(at, now)
    )


def say_length(length: timedelta) -> str:
    """A short length of machine time: `2 s`, `1.5 min`."""
    seconds = length.total_seconds()
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


def by_day(entries: Iterable[Entry], where: tzinfo) -> list[tuple[str, list[Entry]]]:
    """Entries under the local day that each fell on."""
    days = groupby(entries, key=lambda entry: entry.at.astimezone(where).date())
    return [(day.strftime("%A, %-d %B %Y"), list(group)) for day, group in days]


def number(value: float) -> str:
    """A number for people: `12,400`, `99.5`."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def opening(text: str) -> str:
    """A text as it begins a line: `New customers`."""
    return text[:1].upper() + text[1:]


def country(code: str) -> str:
    """A country by its name in English: `AM` is Armenia. What has none stands as it is."""
    return str(Locale("en").territories.get(code, code))


def language(tag: str) -> str:
    """A language by its name in English: `hy` is Armenian. What has none stands as it is."""
    try:
        return Locale.parse(tag, sep="-").get_display_name("en") or tag
    except (UnknownLocaleError, ValueError):
        return tag


def link(path: str, chosen: Mapping[str, Any], **changed: Any) -> str:
    """The address of a page with some of what was chosen changed; defaults are left out."""
    said = {
        name: "true" if value is True else value
        for name, value in {**chosen, **changed}.items()
        if value is not None and value != _DEFAULTS.get(name)
    }
    return path + (f"?{urlencode(said)}" if said else "")


def off(at: datetime, now: datetime) -> str:
    """How far off a time is: `in 2 d`, `5 min ago`."""
    seconds = abs((at - now).total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        if seconds >= length:
            number = f"{int(seconds // length)} {unit}"
            return f"in {number}" if at > now else f"{number} ago"
    return "now"
