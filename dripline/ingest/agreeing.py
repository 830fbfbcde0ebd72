"""Keeping the log of consent: every change of what a lead agreed to, with when, how and by what proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dripline.engine.topics import CHANNELS, changed, wish
from dripline.store.consents import State, consent_history, record_consent, record_consents


@dataclass(frozen=True)
class Source:
    """Who said a thing of a lead, how, and what shows it."""

    kind: str = "api"
    """api | segment | form | import | link | page | sms | email | provider | merge | command"""
    proof: Mapping[str, Any] = field(default_factory=dict)
    """JSON without addresses of anybody: a message's id, a wording, the page of a form, the name of a file."""
    by: str | None = None
    """The colleague, or the key, who said it."""


@dataclass(frozen=True)
class Agreement:
    """What a lead agreed to: by channel, by topic, and until when it wants to be left in peace."""

    consent: Mapping[str, bool]
    topics: Mapping[str, Any]
    paused_until: datetime | None = None
    tracking: bool | None = None
    """Whether it may be kept what it opens and clicks; None: as the workspace says."""


_Change = tuple[str | None, str | None, bool | None]
"""Channel, topic, and what is said of them now. Neither of the two: being tracked."""

_TRACKING: Mapping[bool | None, State] = {True: "tracked", False: "untracked", None: "unsaid"}


def log_changes(
    connection: Connection,
    lead_id: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    source: Source,
    at: datetime,
    event_id: str | None = None,
    said: Iterable[str] = (),
) -> None:
    """Add what is different in `consent` and `topics` (as the columns of a lead have them) to the log.

    And in `tracking`, where `after` says it.
    Consent of the channels `said` that stays a yes is added as well where the source has a proof that is new.
    """
    rows = list(_differences(before, after))
    if source.proof:
        rows += _proven_anew(connection, lead_id, before, after, source, said)
    record_consents(connection, [_row(lead_id, one, source, at, event_id) for one in rows])


def consent_rows(
    lead_id: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    source: Source,
    at: datetime,
    event_id: str | None,
) -> list[dict[str, Any]]:
    """What `log_changes` adds to the log of what is different, as rows for `record_consents`."""
    return [_row(lead_id, one, source, at, event_id) for one in _differences(before, after)]


def _row(lead_id: str, one: _Change, source: Source, at: datetime, event_id: str | None) -> dict[str, Any]:
    channel, topic, agreed = one
    state: State = "withdrawn" if agreed is None else "granted" if agreed else "denied"
    if channel is None and topic is None:
        state = _TRACKING[agreed]
    said = {"channel": channel, "topic": topic, "state": state, "source": source.kind}
    return {**said, "lead_id": lead_id, "at": at, "proof": proof_of(source), "event_id": event_id}


def log_moved(
    connection: Connection,
    lead_id: str,
    channel: str,
    agreed: bool | None,
    what: str,
    source: Source,
    at: datetime,
    event_id: str | None = None,
) -> None:
    """Add to the log what holds of a channel now that the lead's address there was replaced, removed or added."""
    told = replace(source, proof={**source.proof, "address": what})
    record_consents(connection, [_row(lead_id, (channel, None, agreed), told, at, event_id)])


def log_pause(
    connection: Connection,
    lead_id: str,
    until: datetime | None,
    source: Source,
    at: datetime,
    event_id: str | None = None,
) -> None:
    """Add to the log that the lead wants to be left in peace until then; None: no more."""
    proof = proof_of(source) | ({"until": until.isoformat()} if until else {})
    state: State = "paused" if until else "resumed"
    record_consent(connection, lead_id, state, at, source.kind, proof, event_id=event_id)


def proof_of(source: Source) -> dict[str, Any]:
    """The proof as the log keeps it, with who said it."""
    return {**source.proof, **({"by": source.by} if source.by else {})}


def replayed(rows: Iterable[Any]) -> Agreement:
    """What the lead has agreed to, by the rows of its log alone, oldest first."""
    consent: dict[str, bool] = {}
    topics: dict[str, Any] = {}
    paused_until = tracking = None
    tracked = {state: wish for wish, state in _TRACKING.items()}
    for row in rows:
        agreed = {"granted": True, "denied": False}.get(row.state)
        if row.state in ("paused", "resumed"):
            until = row.proof.get("until")
            paused_until = datetime.fromisoformat(until) if until and row.state == "paused" else None
        elif row.state in tracked:
            tracking = tracked[row.state]
        elif row.state == "pending":
            continue
        elif row.topic is not None:
            topics = changed(topics, {row.topic: {row.channel: agreed} if row.channel else agreed})
        elif agreed is None:
            consent.pop(row.channel, None)
        else:
            consent[row.channel] = agreed
    return Agreement(consent, topics, paused_until, tracking)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[_Change]:
    old, new = before.get("consent") or {}, after.get("consent") or {}
    for channel in dict.fromkeys([*old, *new]):
        if old.get(channel) != new.get(channel):
            yield channel, None, new.get(channel)
    old, new = before.get("topics") or {}, after.get("topics") or {}
    for topic in dict.fromkeys([*old, *new]):
        if old.get(topic) == new.get(topic):
            continue
        if not isinstance(new.get(topic), Mapping):
            yield None, topic, new.get(topic)
            continue
        for channel in CHANNELS:
            if wish(old, topic, channel) != wish(new, topic, channel):
                yield channel, topic, wish(new, topic, channel)
    if "tracking" in after and before.get("tracking") is not after["tracking"]:
        yield None, None, after["tracking"]


def _proven_anew(
    connection: Connection,
    lead_id: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    source: Source,
    said: Iterable[str],
) -> list[_Change]:
    old, new = before.get("consent") or {}, after.get("consent") or {}
    still = [channel for channel in said if old.get(channel) is True and new.get(channel) is True]
    if not still:
        return []
    rows = [row for row in consent_history(connection, lead_id) if row.topic is None and row.channel in still]
    known = {row.channel for row in rows if row.state == "granted" and row.proof == proof_of(source)}
    return [(channel, None, True) for channel in still if channel not in known]
