"""What a message of the ledger says: rendered once, then kept with its row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from dripline import composing
from dripline.composing import MessageContent
from dripline.language.plan import Plan


def compose(plan: Plan, row: Row[Any], lead: Mapping[str, Any], now: datetime) -> MessageContent:
    """Render a ledger row's message, or take what an earlier attempt rendered. Raises RenderError."""
    if row.body is not None:
        return MessageContent(row.locale, row.sender, row.sender_name, row.subject, row.html, row.body)
    return composing.compose(
        plan, row.step, row.channel, row.template, row.context, lead, now, bool(row.notice)
    )


__all__ = ["MessageContent", "compose"]
