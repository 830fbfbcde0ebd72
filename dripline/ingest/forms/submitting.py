"""A submission kept: of the lead that is known by its address, else of a new one.

Anybody may enter anybody's address, so that a submission proves nothing of who sent it. Of a known lead it fills
what is empty and overwrites nothing; it gives nobody another address, takes no consent back, and undoes no "no". What
was not taken is told by the event.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row

from dripline.engine.topics import Said, wish
from dripline.ingest.agreeing import Source
from dripline.ingest.change import LeadChange
from dripline.ingest.forms.reading import Submission
from dripline.ingest.leads import upsert
from dripline.ingest.living import lock_living
from dripline.ingest.reading import coerced_properties
from dripline.ingest.recording import record
from dripline.ingest.referring.joining import join
from dripline.ingest.refusal import Refused
from dripline.language.check_forms import SUBMITTED
from dripline.language.forms import ADDRESS_OF, FormEntry, in_words
from dripline.language.workspace import Workspace
from dripline.store.consents import record_consent
from dripline.store.events import Event, count_events
from dripline.store.house import House
from dripline.store.leads import identity_of, lock_survivor, owners, survivor_id
from dripline.store.rules import current_rules
from dripline.store.suppressions import BY_HAND, suppressed_by

_log = structlog.get_logger(__name__)

MOST_A_DAY = 5
"""Submissions of one lead that set something going within a day. Whoever enters a stranger's address a thousand times
must not have us write to it a thousand times."""

_DAY = timedelta(days=1)
_REACHES = ("email", "phone")
_NEVER_ASKED = ("bounced", "complained", BY_HAND)
"""For whose addresses no form sends anything any more, not even a question."""


@dataclass(frozen=True)
class Visitor:
    """Who sent the form, as far as that can be seen."""

    address: str | None = None
    """The IP address; only a keyed hash of it is kept."""


@dataclass(frozen=True)
class Submitted:
    """What became of a submission. For the owner's eyes: no visitor is told."""

    lead_id: str
    event_id: str
    known: bool
    too_often: bool = False
    """Whether it was kept and set nothing going: there were too many lately."""
    referral: str | None = None
    """The referral that it began, whose referrer is still to be told."""


def submit(
    connection: Connection,
    workspace: Workspace,
    house: House,
    submission: Submission,
    visitor: Visitor,
    now: datetime,
    machine_now: datetime,
) -> Submitted:
    """Keep a submission in the caller's transaction, with all that it sets going. `now` is house time.

    The same submission within a minute is one. Raises Refused where the lead was erased.
    """
    form = workspace.forms[submission.form]
    lead = _known_lead(connection, submission.said)
    said, left_out = _taken(connection, submission.said, lead)
    desk = _Desk(connection, house, form, submission, visitor, workspace.locales[0])
    wanted = desk.wish(said, lead)
    source = Source("form", desk.proof() or {"form": submission.form})
    touch = submission.touch if submission.touch and not submission.touch.is_direct else None
    change = replace(said, consent=wanted.consent, topics=wanted.topics, source=source, touch=touch)
    done = upsert(connection, change, now, machine_now, strict=False)
    event_id = _event_id(submission, done.lead_id, machine_now)
    told = {
        **submission.properties,
        "form": submission.form,
        "submission": event_id,
        "known": not done.created,
        "agreed": submission.agreed,
        "asks": list(wanted.asks),
        "answers": _answers(submission.said, left_out),
        "left_out": [*left_out, *wanted.left_out],
        "page": submission.page,
    }
    said_so = coerced_properties(
        SUBMITTED, {name: one for name, one in told.items() if one is not None}, workspace
    )
    too_often = count_events(connection, done.lead_id, SUBMITTED, now - _DAY) >= MOST_A_DAY
    event = Event(event_id, done.lead_id, SUBMITTED, said_so, now, historical=too_often)
    referral = None
    if record(connection, event, machine_now).new:
        desk.note(done.lead_id, wanted, now, event_id)
        if not too_often:
            referral = _brought(connection, house, submission, done.lead_id, event_id, now, machine_now)
    return Submitted(done.lead_id, event_id, not done.created, too_often, referral)


def _brought(
    connection: Connection,
    house: House,
    submission: Submission,
    lead_id: str,
    event_id: str,
    now: datetime,
    machine_now: datetime,
) -> str | None:
    """Keep by whose code the visitor came; the referral, if it is new. A code that nobody has loses no submission."""
    if submission.came is None:
        return None
    came = replace(submission.came, event=event_id)
    try:
        friend = lock_living(connection, lead_id)
        done = join(connection, house, current_rules(connection), friend, came, now)
    except Refused as refusal:
        _log.info("referral-left", form=submission.form, code=refusal.code)
        return None
    for event in done.told:
        record(connection, event, machine_now)
    return str(done.row.id) if done.new else None


@dataclass(frozen=True)
class _Wish:
    """What becomes of a ticked box: consent that counts at once, and what is still to be confirmed."""

    consent: Mapping[str, bool | None] = field(default_factory=dict)
    topics: Mapping[str, Said] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    """The channels on which the lead is to be asked."""
    left_out: tuple[str, ...] = ()


class _Desk:
    """One submission's consent: what it is good for, and its proof."""

    def __init__(
        self,
        connection: Connection,
        house: House,
        form: FormEntry,
        submission: Submission,
        visitor: Visitor,
        default: str,
    ) -> None:
        self._connection, self._house, self._form = connection, house, form
        self._submission, self._visitor, self._default = submission, visitor, default

    def wish(self, said: LeadChange, lead: Row[Any] | None) -> _Wish:
        """What the box means for this lead. A "no" of the lead's own is undone by the lead alone: it is asked."""
        asked = self._form.consent
        if asked is None or not self._submission.agreed:
            return _Wish()
        grants: dict[str, bool | None] = {}
        topics: dict[str, dict[str, bool | None]] = {topic: {} for topic in asked.topics}
        asks, left_out = [], []
        for channel in asked.channels:
            address = said.columns.get(ADDRESS_OF[channel])
            if not address or self._is_never_asked(
                channel, address
            ):  # another's, or one that wants none of us
                left_out.append(f"consent.{channel}")
                continue
            agreed = lead.consent.get(channel) if lead else None
            known = {topic: wish(lead.topics if lead else None, topic, channel) for topic in asked.topics}
            if agreed is False or False in known.values() or (self._form.double_opt_in and not agreed):
                asks.append(channel)
            elif not self._form.double_opt_in:
                grants[channel] = True
                for topic in known:
                    topics[topic][channel] = True
        return _Wish(grants, {name: one for name, one in topics.items() if one}, tuple(asks), tuple(left_out))

    def note(self, lead_id: str, wanted: _Wish, now: datetime, event_id: str) -> None:
        """Keep what is to be confirmed, with its proof."""
        asked, proof = self._form.consent, self.proof()
        for channel in wanted.asks:
            for topic in (None, *(asked.topics if asked else ())):
                record_consent(
                    self._connection,
                    lead_id,
                    "pending",
                    now,
                    "form",
                    proof,
                    channel=channel,
                    topic=topic,
                    event_id=event_id,
                )

    def proof(self) -> dict[str, Any]:
        """What shows that the box was ticked, and beside which words. Addresses are keyed hashes."""
        submission, asked = self._submission, self._form.consent
        if asked is None or not submission.agreed:
            return {}
        proof: dict[str, Any] = {
            "form": submission.form,
            "wording": in_words(asked.wording, submission.locale, self._default),
            "locale": submission.locale,
        }
        if submission.page:
            proof["page"] = submission.page
        for channel in asked.channels:
            address = submission.said.columns.get(ADDRESS_OF[channel])
            if address:
                proof[f"{channel}_hash"] = self._house.address_hash(channel, address)
        if self._visitor.address:
            proof["visitor_hash"] = self._house.address_hash("ip", self._visitor.address)
        return proof

    def _is_never_asked(self, channel: str, address: str) -> bool:
        reason = suppressed_by(self._connection, channel, self._house.address_hash(channel, address))
        return reason is not None and reason in _NEVER_ASKED


def _known_lead(connection: Connection, said: LeadChange) -> Row[Any] | None:
    """The lead that the submission is about, locked: by its e-mail address, else by its number. None: a new one."""
    for kind in _REACHES:
        if said.columns.get(kind):
            owner = _owner(connection, kind, said.columns[kind])
            # A number alone does not make another address that of its owner.
            return lock_survivor(connection, owner) if owner is not None else None
    return None


def _taken(connection: Connection, said: LeadChange, lead: Row[Any] | None) -> tuple[LeadChange, list[str]]:
    """What is taken over, and the names of what is not."""
    columns = dict(said.columns)
    left_out = []
    for kind in _REACHES:
        if columns.get(kind) and _owner(connection, kind, columns[kind]) != (lead.id if lead else None):
            del columns[kind]
            left_out.append(kind)
    if lead is not None:
        known = {**lead._mapping, **lead.attributes}
        rest = {name: value for name, value in columns.items() if name not in (*_REACHES, "locale")}
        for name, value in {**rest, **said.attributes}.items():
            if known.get(name) not in (None, "", value):
                left_out.append(name)
    return replace(said, columns=columns, only_empty=True), left_out


def _owner(connection: Connection, kind: str, value: str) -> str | None:
    identity = identity_of(kind, value)
    owner = owners(connection, [identity]).get(identity)
    return survivor_id(connection, owner) if owner is not None else None


def _answers(said: LeadChange, left_out: list[str]) -> dict[str, Any] | None:
    """What was said of the lead. Its addresses are left away where they are the lead's own: it has them."""
    answers = {**said.columns, **said.attributes}
    kept = {
        name: value
        for name, value in answers.items()
        if name != "locale" and (name not in _REACHES or name in left_out)
    }
    return kept or None


def _event_id(submission: Submission, lead_id: str, machine_now: datetime) -> str:
    """The same for the same answers within a minute: a button that is pressed twice sends one form."""
    minute = int(machine_now.timestamp()) // 60
    said = [submission.form, lead_id, minute, submission.agreed, dict(submission.said.columns)]
    more = [dict(submission.said.attributes), dict(submission.properties)]
    text = json.dumps([*said, *more], sort_keys=True, ensure_ascii=False)
    return f"form-{hashlib.sha256(text.encode()).hexdigest()[:40]}"
