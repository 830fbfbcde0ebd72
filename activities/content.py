"""What a message of the ledger says: rendered once, then kept with its row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from dripline import composing
from dripline.composing import MessageContent
from dripline.language.links import MakeLink, UnsubscribeLink, stand_in
from dripline.language.plan import Plan
from dripline.links import EXAMPLE, PATH, Links
from dripline.store.house import House


def compose(
    plan: Plan, row: Row[Any], lead: Mapping[str, Any], now: datetime, links: MakeLink
) -> MessageContent:
    """Render a ledger row's message, or take what an earlier attempt rendered. Raises RenderError."""
    if row.body is not None:
        return MessageContent(row.locale, row.sender, row.sender_name, row.subject, row.html, row.body)
    return composing.compose(
        plan, row.step, row.channel, row.template, row.context, lead, now, bool(row.notice), links
    )


def links_of(row: Row[Any], house: House, public_url: str, machine_now: datetime) -> MakeLink:
    """Who makes the message's links. A colleague gets none of the lead's, only what shows where they stand."""
    if row.notice:
        return lambda link: stand_in(link, f"{public_url}{PATH}{EXAMPLE}")
    return Links(house.secret, public_url).of(row.id, machine_now)


def one_click(row: Row[Any], house: House, public_url: str, machine_now: datetime) -> str | None:
    """Where mail programs may unsubscribe the lead by themselves (RFC 8058); None where it is no marketing."""
    if row.channel != "email" or row.transactional or row.notice:
        return None
    return links_of(row, house, public_url, machine_now)(UnsubscribeLink())


__all__ = ["MessageContent", "compose", "links_of", "one_click"]
