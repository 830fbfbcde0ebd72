"""The log of consent after two leads' entries came together, or went apart: it must still tell what holds now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dripline.engine.topics import CHANNELS, changed, wish
from dripline.ingest.agreeing import Source, log_changes, log_pause, replayed
from dripline.store.consents import consent_history


def log_agreement(
    connection: Connection,
    lead_id: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    at: datetime,
    proof: Mapping[str, Any],
) -> None:
    """Add what is different from what the lead's log, as it is now, amounts to.

    `before` and `after` are columns of the lead. Of what the log does not mention, `before` is what held.
    """
    history = consent_history(connection, lead_id)
    known = replayed(history)
    channels = {row.channel for row in history if row.topic is None}
    topics = {(row.topic, channel) for row in history if row.topic for channel in _channels(row.channel)}
    consent = {name: said for name, said in before["consent"].items() if name not in channels}
    wishes = {
        topic: {
            channel: wish(known.topics if (topic, channel) in topics else before["topics"], topic, channel)
            for channel in CHANNELS
        }
        for topic in {**before["topics"], **known.topics}
    }
    held = {"consent": {**consent, **known.consent}, "topics": changed({}, wishes)}
    source = Source("merge", proof)
    log_changes(connection, lead_id, held, after, source, at)
    paused = any(row.state in ("paused", "resumed") for row in history)
    if (known.paused_until if paused else before["paused_until"]) != after["paused_until"]:
        log_pause(connection, lead_id, after["paused_until"], source, at)


def _channels(channel: str | None) -> tuple[str, ...]:
    return CHANNELS if channel is None else (channel,)
