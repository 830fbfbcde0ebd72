"""What becomes of consent where a lead's address becomes another: it was given for the one, not for the other.

A program on a web page may say anybody's id and any address: by its word alone the consent of the channel goes with
the address that had it. The operator's own systems, people and files answer for what they say: it is kept, and the
log tells that it was taken over. Where an address is taken away, its consent goes as well. A no always stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dripline.engine.policy import ADDRESS
from dripline.ingest.agreeing import log_moved
from dripline.ingest.change import LeadChange
from dripline.ingest.merging.rules import is_anonymous
from dripline.store.leads import identity_of

_ANYBODYS = ("segment", "form")
"""Sources that lie open: whoever reads a page may speak by them."""


def moved_addresses(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, str]:
    """By channel, what became of the lead's address: `removed`, `replaced` or `added`; not where it is the same."""
    moved = {}
    for channel, kind in ADDRESS.items():
        old, new = before.get(kind), after.get(kind)
        if not old and not new:
            continue
        if not old or not new:
            moved[channel] = "added" if new else "removed"
        elif identity_of(kind, old) != identity_of(kind, new):
            moved[channel] = "replaced"
    return moved


def carried(before: Mapping[str, Any], after: Mapping[str, Any], change: LeadChange) -> dict[str, Any]:
    """The consent of the lead after the change, less what was given for an address that is not its own any more.

    What the change itself says is said for the addresses that it leaves.
    """
    gone = {
        channel
        for channel, what in moved_addresses(before, after).items()
        if change.consent.get(channel) is not True
        and after["consent"].get(channel) is True
        and (what == "removed" or (change.source.kind in _ANYBODYS and not _still_nobody(before, what)))
    }
    return {channel: said for channel, said in after["consent"].items() if channel not in gone}


def _still_nobody(before: Mapping[str, Any], what: str) -> bool:
    """Whether a visitor whom nobody knew tells its address now: it has agreed for that one."""
    return what == "added" and is_anonymous(before)


def log_carried(
    connection: Connection,
    lead_id: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    change: LeadChange,
    at: datetime,
    event_id: str | None,
) -> dict[str, Any]:
    """Add to the log what the other address did to consent; `before` with that done."""
    consent = dict(before["consent"])
    for channel, what in moved_addresses(before, after).items():
        if consent.get(channel) is not True or after["consent"].get(channel) is False:
            continue
        kept = after["consent"].get(channel)
        log_moved(connection, lead_id, channel, kept, what, change.source, at, event_id)
        if kept is None:
            del consent[channel]
    return {**before, "consent": consent}


__all__ = ["carried", "log_carried", "moved_addresses"]
