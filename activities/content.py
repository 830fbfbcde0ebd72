"""What a message of the ledger says: rendered once, then kept with its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from dripline import composing
from dripline.composing import MessageContent
from dripline.language.links import MakeLink, UnsubscribeLink, stand_in
from dripline.language.plan import Plan
from dripline.language.tracking import TrackingEntry, is_tracked
from dripline.links import EXAMPLE, FRIENDS, PATH, Links
from dripline.replies import ReplyAddresses
from dripline.store.house import House
from dripline.tracking import CLICK_PATH, OPEN_PATH, Marks, Tokens


def compose(
    plan: Plan,
    row: Row[Any],
    lead: Mapping[str, Any],
    now: datetime,
    links: MakeLink,
    marks: Marks | None = None,
) -> MessageContent:
    """Render a ledger row's message, or take what an earlier attempt rendered. Raises RenderError.

    An e-mail's text part keeps its links: whoever reads that sees the addresses, and they shall be true.
    """
    if row.body is not None:
        return MessageContent(row.locale, row.sender, row.sender_name, row.subject, row.html, row.body)
    written = composing.compose(
        plan, row.step, row.channel, row.template, row.context, lead, now, bool(row.notice), links
    )
    if marks is None:
        return written
    if written.html is None:
        return replace(written, body=marks.text(written.body))
    return replace(written, html=marks.html(written.html))


OURS = (PATH, CLICK_PATH, OPEN_PATH)
"""Our own addresses, which are not tracked; nor are links for friends: who follows one is not the lead."""


@dataclass(frozen=True)
class Tracking:
    """What the workspace wants to know of its messages, and where tracked links lead."""

    rules: TrackingEntry | None = None
    at: str = ""

    def marks(self, row: Row[Any], house: House, lead: Row[Any], public_url: str) -> Marks | None:
        """What is put into a message; None for one that is not tracked.

        What a lead asked for is none of marketing's business, and a colleague is no lead.
        """
        if self.rules is None or row.transactional or row.notice:
            return None
        clicks, opens = (
            (self.rules.clicks, self.rules.opens) if row.channel == "email" else (self.rules.sms, False)
        )
        marks = Marks(
            Tokens(house.secret),
            row.id,
            self.at,
            (*(public_url + path for path in (PATH, FRIENDS)), *(self.at + path for path in OURS)),
            clicks=is_tracked(clicks, lead.tracking),
            opens=is_tracked(opens, lead.tracking),
        )
        return marks if marks.clicks or marks.opens else None

    def untouched(self, lead: Row[Any]) -> bool:
        """Whether the provider's own tracking has to be off; without rules of ours its account decides."""
        return self.rules is not None or lead.tracking is False


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


def answers_to(row: Row[Any], house: House, domain: str | None) -> dict[str, str]:
    """Where mail about an e-mail to a lead goes, so that it finds its message; nothing where no domain is set up."""
    if domain is None or row.channel != "email" or row.notice:
        return {}
    addresses = ReplyAddresses(house.secret, domain)
    found = {"reply_to": addresses.of(row.id)}
    return found if row.transactional else found | {"unsubscribe_mail": addresses.of(row.id, "unsubscribe")}


__all__ = ["MessageContent", "Tracking", "answers_to", "compose", "links_of", "one_click"]
