"""The log of consent after two leads' entries came together, or went apart: it must still tell what holds now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dripline.engine.topics import CHANNELS, Said, changed, wish
from dripline.ingest.agreeing import Source, log_changes, log_pause, proof_of, replayed
from dripline.store.consents import consent_history, record_consent
from dripline.store.merges import formerly


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
    held: dict[str, Any] = {"consent": {**consent, **known.consent}, "topics": changed({}, wishes)}
    tracked = any(row.state in ("tracked", "untracked", "unsaid") for row in history)
    held["tracking"] = known.tracking if tracked else before["tracking"]
    source = Source("merge", proof)
    log_changes(connection, lead_id, held, after, source, at)
    paused = any(row.state in ("paused", "resumed") for row in history)
    if (known.paused_until if paused else before["paused_until"]) != after["paused_until"]:
        log_pause(connection, lead_id, after["paused_until"], source, at)


def log_repeated_refusals(
    connection: Connection,
    lead_id: str,
    before: Mapping[str, Any],
    consent: Mapping[str, bool | None],
    topics: Mapping[str, Said],
    source: Source,
    at: datetime,
) -> None:
    """Keep that a lead of two says no once more where it is a no already: it must outlive an undoing of the merge.

    Of other leads it would say nothing new, and is not kept.
    """
    again: list[tuple[str, str | None]] = [
        (channel, None)
        for channel, word in consent.items()
        if word is False is before["consent"].get(channel)
    ]
    again += [
        (channel, topic)
        for topic, said in topics.items()
        for channel in CHANNELS
        if wish({topic: said}, topic, channel) is False is wish(before["topics"], topic, channel)
    ]
    if not again or not formerly(connection, lead_id):
        return
    for channel, topic in again:
        record_consent(
            connection, lead_id, "denied", at, source.kind, proof_of(source), channel=channel, topic=topic
        )


def _channels(channel: str | None) -> tuple[str, ...]:
    return CHANNELS if channel is None else (channel,)
