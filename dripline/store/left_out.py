"""Why messages were not sent, counted."""

from __future__ import annotations

import re
from collections import Counter

from sqlalchemy import Connection, func, select

from dripline.store.schema import messages

_DAY = re.compile(r" \d{4}-\d\d-\d\d$")


def count_left_out(connection: Connection, journey: str | None = None) -> list[tuple[str, str, int]]:
    """Of the messages to leads that were skipped: reason, channel and how many, most first.

    Pauses are one reason, whatever their day.
    """
    query = (
        select(messages.c.reason, messages.c.channel, func.count().label("number"))
        .where(messages.c.state == "skipped", messages.c.notice.is_(False))
        .group_by(messages.c.reason, messages.c.channel)
    )
    if journey is not None:
        query = query.where(messages.c.journey == journey)
    counts: Counter[tuple[str, str]] = Counter()
    for row in connection.execute(query):
        counts[_DAY.sub("", row.reason or "no reason"), row.channel] += row.number
    return sorted(((*key, number) for key, number in counts.items()), key=lambda one: (-one[2], one[:2]))
