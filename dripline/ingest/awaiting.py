"""What a lead was asked to confirm and has not yet: what a click on the link of the question stands for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from dripline.store.consents import OF_THE_LEAD, consent_history


@dataclass(frozen=True)
class Awaited:
    """The topics that are to be confirmed beside the channel, and what shows that the lead asked for them."""

    topics: tuple[str, ...] = ()
    proof: Mapping[str, Any] = field(default_factory=dict)


def awaited(connection: Connection, lead_id: str, channel: str) -> Awaited:
    """What was asked of the lead on that channel, and has been neither granted nor refused since."""
    asked: dict[str | None, Mapping[str, Any]] = {}
    for row in consent_history(connection, lead_id):
        if row.state in OF_THE_LEAD or row.channel not in (channel, None):
            continue
        if row.source == "merge" and row.state == "withdrawn":
            continue  # what two cards come to together is no word of the lead's
        if row.state == "pending":
            asked[row.topic] = row.proof
        elif row.topic is None and row.state != "granted":
            asked.clear()  # who leaves the channel takes everything back that was asked before
        else:
            asked.pop(row.topic, None)
    topics = tuple(topic for topic in asked if topic is not None)
    return Awaited(topics, next(reversed(asked.values()), {}))
