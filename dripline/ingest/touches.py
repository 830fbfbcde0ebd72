"""Touches: where a lead came from, read from addresses and from what was said, kept where it is new."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from babel.numbers import get_currency_precision, is_currency
from sqlalchemy import Connection

from dripline.ingest.channels import CLICK_IDS, channel_of, source_of
from dripline.ingest.incoming import TouchIn
from dripline.ingest.refusal import FieldError
from dripline.language.workspace import Workspace
from dripline.store.touches import SAID, add_touch, shown, touch_before, touches_of

_TAGS = ("source", "medium", "campaign", "term", "content")
_MAX_TAG, _MAX_PAGE, _MAX_FIELDS = 256, 2_048, 200
_ADDRESS = re.compile(r"[^@\s/]{1,64}@[^@\s/]{1,255}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HOST = re.compile(r"[\w.-]{1,253}")


@dataclass(frozen=True)
class Touch:
    """Where a lead came from this time. The cost is in minor units of the currency (ISO 4217)."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None
    channel: str | None = None
    cost: int | None = None
    currency: str | None = None
    page: str | None = None
    """Without query and fragment, as these may say who it was."""
    referrer: str | None = None
    """The host alone."""
    at: datetime | None = None
    """House time; without it, when it is kept."""
    event_id: str | None = None
    """What told of it."""

    @property
    def is_direct(self) -> bool:
        """Whether it says nothing of where the lead came from."""
        return self.channel in (None, "direct") and not any(
            (self.source, self.medium, self.campaign, self.term, self.content, self.referrer, self.cost)
        )

    @property
    def values(self) -> dict[str, Any]:
        """As the table has it, but for the time."""
        return {name: getattr(self, name) for name in (*SAID, "page")}


def touch_of(
    page: str | None = None,
    referrer: str | None = None,
    said: Mapping[str, str | None] | None = None,
    at: datetime | None = None,
) -> Touch:
    """A touch from the addresses of a page and of what led to it, and from tags that were said (they come first).

    Never refuses: what cannot be read is left out. `said` has `source`, `medium`, `campaign`, `term`, `content`.
    """
    here, there = _address(page), _address(referrer)
    query = _query(here)
    tags: dict[str, Any] = {
        name: _tag((said or {}).get(name)) or _tag(query.get(f"utm_{name}")) for name in _TAGS
    }
    click = next((name for name in CLICK_IDS if query.get(name)), None)
    host = _host(there)
    if host and _same_site(host, _host(here)):
        host = None
    channel = channel_of(tags["medium"], tags["source"], host, click)
    if not tags["source"] and channel != "direct":
        tags["source"] = source_of(host, click)
    return Touch(**tags, channel=channel, page=_page(here), referrer=host, at=at)


def read_touch(said: TouchIn, workspace: Workspace) -> tuple[Touch | None, list[FieldError]]:
    """A touch as a caller says it, and what is wrong with it, field by field."""
    errors = [
        FieldError(f"touch.{name}", "is not the address of a page, such as https://example.com/offer")
        for name in ("page", "referrer")
        if getattr(said, name) and _host(_address(getattr(said, name))) is None
    ]
    cost, currency, wrong = _cost(said, workspace)
    errors += wrong
    if errors:
        return None, errors
    tags = {name: getattr(said, name) for name in _TAGS}
    found = touch_of(said.page, said.referrer, tags, said.at)
    channel = said.channel or found.channel
    return Touch(**{**vars(found), "channel": channel, "cost": cost, "currency": currency}), []


def _cost(said: TouchIn, workspace: Workspace) -> tuple[int | None, str | None, list[FieldError]]:
    if said.cost is None:
        return None, None, []
    currency = said.currency.upper() if said.currency else workspace.currency
    if currency is None:
        return None, None, [FieldError("touch.currency", "is needed, such as USD")]
    if not is_currency(currency):
        return None, None, [FieldError("touch.currency", "is no currency (ISO 4217), such as USD")]
    # Costs of a click are averages and have any number of digits: the minor unit is near enough.
    minor = Decimal(str(said.cost)).scaleb(get_currency_precision(currency))
    return int(minor.to_integral_value()), currency, []


def touch(
    connection: Connection,
    lead_id: str,
    known: Mapping[str, Any],
    said: Touch,
    now: datetime,
    *,
    once: bool = False,
) -> dict[str, Any]:
    """Keep a touch of a lead that is locked, and return what becomes of its columns `first_touch`, `last_touch`.

    `known` are the lead's columns as they are. Nothing is kept, and the answer is empty, where it says nothing
    new: the same as the touch before it, or nothing at all where there is one. `once` is for history that may
    be told again: then a touch without a time is new only if none of the lead's touches is the same.
    The caller writes the columns, and tells of the change.
    """
    at = min(said.at or now, now)
    if said.is_direct and known.get("first_touch"):
        return {}
    if known.get("first_touch") and not _is_new(connection, lead_id, said, at, once):
        return {}
    add_touch(connection, lead_id, said.values, at, said.event_id)
    told = shown(said.values, at)
    changed = {}
    if not known.get("first_touch") or at < _at(known["first_touch"]):
        changed["first_touch"] = told
    if not known.get("last_touch") or at >= _at(known["last_touch"]):
        changed["last_touch"] = told
    return changed


def says_nothing_new(said: Touch, known: Mapping[str, Any], touches: Sequence[Any]) -> bool:
    """Whether `touch` would keep nothing of this history of a lead, whose touches (oldest first) these are."""
    if not known.get("first_touch"):
        return False
    if said.is_direct:
        return True
    others = [one for one in touches if said.at is None or one.at <= said.at]
    return any(_same(one, said) for one in (others if said.at is None else others[-1:]))


def _is_new(connection: Connection, lead_id: str, said: Touch, at: datetime, once: bool) -> bool:
    if once and said.at is None:
        others = touches_of(connection, lead_id)
    else:
        before = touch_before(connection, lead_id, at)
        others = [before] if before is not None else []
    return not any(_same(other, said) for other in others)


def _same(one: Any, said: Touch) -> bool:
    return all(getattr(one, name) == getattr(said, name) for name in SAID)


def _at(shown_touch: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(shown_touch["at"])


def _address(text: str | None) -> SplitResult | None:
    try:
        return urlsplit(_CONTROL.sub("", text or "")[: _MAX_PAGE * 4]) if text else None
    except ValueError:
        return None


def _query(address: SplitResult | None) -> dict[str, str]:
    try:
        pairs = parse_qsl(address.query, max_num_fields=_MAX_FIELDS, errors="replace") if address else []
    except ValueError:
        return {}
    return {name.lower(): value for name, value in reversed(pairs)}  # the first of several


def _tag(text: str | None) -> str | None:
    """The text of a tag, unless it is somebody's address: campaigns are no place for those."""
    text = _CONTROL.sub("", text or "").strip()[:_MAX_TAG]
    return None if not text or _ADDRESS.search(text) else text


def _host(address: SplitResult | None) -> str | None:
    try:
        host = address.hostname if address and address.scheme else None
    except ValueError:
        return None
    if host is None or not _HOST.fullmatch(host):
        return None
    return f"android-app:{host}" if address and address.scheme == "android-app" else host


def _page(address: SplitResult | None) -> str | None:
    host = _host(address)
    if address is None or host is None:
        return None
    path = "/".join("…" if _ADDRESS.search(unquote(part)) else part for part in address.path.split("/"))
    return f"{address.scheme}://{host}{path}"[:_MAX_PAGE]


def _same_site(one: str, other: str | None) -> bool:
    one, other = one.removeprefix("www."), (other or "").removeprefix("www.")
    return bool(other) and (one == other or one.endswith(f".{other}") or other.endswith(f".{one}"))
