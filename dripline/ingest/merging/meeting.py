"""Which lead a request is about: found by all that it names, merged where these rules say that two are one.

What names a person: an external id before an e-mail address before a phone number. An anonymous id names nobody:
it says whose browser or device it is at the moment, and counts only where nothing else is said, or while nothing
is known of its lead. So a browser that many people share never makes one person of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, update

from dripline.ingest.identity import several_leads
from dripline.ingest.merging.merge import BY_ITSELF, Cause, Times, merge
from dripline.ingest.merging.rules import KNOWN_BY, is_anonymous
from dripline.ingest.refusal import FieldError, Refused, erased_lead, unknown_lead
from dripline.store.leads import Identity, lock_leads, owners, survivors
from dripline.store.merges import merged_since
from dripline.store.schema import identities

ANONYMOUS = "anonymous_id"

MOST = 20
"""Leads that become one lead by themselves within a day at most: more of them is no person any more."""

_DAY = timedelta(days=1)


class Raced(Exception):
    """Another transaction took one of the identities, or merged one of the leads, first: look again."""


@dataclass(frozen=True)
class Met:
    """The lead that is meant, locked; None where there is none yet.

    `apart` are identities that were said and stay with another lead; `merged` the ids of leads that it took in.
    """

    lead: Row[Any] | None
    apart: frozenset[Identity] = frozenset()
    merged: tuple[str, ...] = ()
    found: frozenset[Identity] = field(default=frozenset())
    """Identities that were its own before this request."""
    browser_of: str | None = None
    """Whose the anonymous id was."""


def meet(
    connection: Connection,
    said: Sequence[Identity],
    times: Times,
    *,
    lead_id: str | None = None,
    cause: Cause = "identify",
    strict: bool = True,
    historical: bool = False,
) -> Met:
    """Find, lock and where it is due merge the leads that have these identities (and this id).

    `strict` refuses (409) what contradicts itself; else what names a person best decides, and the rest stays where
    it is. Raises Refused: unknown `lead_id` (404), erased (410), 409; Raced.
    """
    known = owners(connection, said)
    final = survivors(connection, {*known.values(), *([lead_id] if lead_id else [])})
    rows = lock_leads(connection, set(final.values()))
    if any(row.merged_into is not None for row in rows.values()):
        raise Raced
    if lead_id and final[lead_id] not in rows:
        raise unknown_lead()
    has = {one: rows[final[owner]] for one, owner in known.items()}
    main = rows[final[lead_id]] if lead_id else _named(said, has, strict)
    meeting = _Meeting(connection, times, cause, strict, historical, main)
    if main is not None and main.erased_at is not None:
        raise erased_lead()
    own = frozenset(one for one in said if main is not None and one in has and has[one].id == main.id)
    for other in {row.id: row for one, row in has.items() if main is None or row.id != main.id}.values():
        meeting.with_other(other, [one for one in said if one in has and has[one].id == other.id])
    if strict and meeting.contradictions:
        raise several_leads(one.kind for one in said if one in has)
    browser_of = next((owner for one, owner in known.items() if one.kind == ANONYMOUS), None)
    return Met(meeting.lead, frozenset(meeting.apart), tuple(meeting.merged), own, browser_of)


def _named(said: Sequence[Identity], has: dict[Identity, Row[Any]], strict: bool) -> Row[Any] | None:
    """The lead that is named best, unless the request tells of somebody whom we do not know."""
    wanted = {one.kind: one for one in said if one.kind != ANONYMOUS}
    for kind in KNOWN_BY:
        one = wanted.get(kind)
        if one is None or one not in has:
            continue
        differs = _another_person(has[one], kind, wanted, has)
        if differs is None:
            return has[one]
        if strict:
            raise _another(kind, differs)
        return None
    anonymous = next((has[one] for one in said if one.kind == ANONYMOUS and one in has), None)
    if anonymous is None or (wanted and not is_anonymous(anonymous._mapping)):
        return None
    return anonymous


def _another_person(
    lead: Row[Any], found_by: str, wanted: dict[str, Identity], has: dict[Identity, Row[Any]]
) -> str | None:
    """By what the request, which names the lead by this, tells of another person: something that names better."""
    better = KNOWN_BY[: KNOWN_BY.index(found_by)]
    for kind in better:
        if kind in wanted and wanted[kind] not in has and getattr(lead, kind):
            return kind
    return None


def _another(found_by: str, kind: str) -> Refused:
    names = {"external_id": "external_id", "email": "e-mail address", "phone": "phone number"}
    return Refused(
        409,
        "another-external-id" if kind == "external_id" else "another-email",
        f"The lead with this {names[found_by]} has another {names[kind]}; nothing was changed."
        " To change it, give Dripline's own id as well.",
        [FieldError(kind, "differs from the one that this lead has")],
    )


@dataclass
class _Meeting:
    connection: Connection
    times: Times
    cause: Cause
    strict: bool
    historical: bool
    lead: Row[Any] | None
    apart: set[Identity] = field(default_factory=set)
    merged: list[str] = field(default_factory=list)
    contradictions: bool = False

    def with_other(self, other: Row[Any], by: Sequence[Identity]) -> None:
        """Decide on a lead that some of the identities belong to, and which is not the one that is named."""
        kinds = {one.kind for one in by}
        if self.lead is not None and self._are_one(self.lead, other, kinds) and not self._too_many():
            done = merge(
                self.connection,
                self.lead.id,
                other.id,
                self.cause,
                self.times,
                historical=self.historical,
            )
            self.merged.append(done.loser_id)
            self.lead = lock_leads(self.connection, [done.winner_id])[done.winner_id]
            return
        stay = {one for one in by if one.kind != ANONYMOUS}
        self.apart |= stay
        self.contradictions |= bool(stay)

    def _are_one(self, lead: Row[Any], other: Row[Any], by: Iterable[str]) -> bool:
        """Whether two leads that one request names are one person."""
        if lead.erased_at is not None or other.erased_at is not None:
            return False
        if is_anonymous(other._mapping) or is_anonymous(lead._mapping):
            return True
        if set(by) == {ANONYMOUS}:
            return False
        if any(getattr(lead, kind) and getattr(other, kind) for kind in ("external_id", "email")):
            return False
        return set(by) - {ANONYMOUS} != {"phone"} or not (other.external_id or other.email)

    def _too_many(self) -> bool:
        assert self.lead is not None
        since = self.times.house - _DAY
        return merged_since(self.connection, self.lead.id, BY_ITSELF, since) >= MOST


def take_over(
    connection: Connection, lead_id: str, anonymous_id: Identity, from_id: str, now: datetime
) -> None:
    """The browser or device is this lead's from now on, if it still is that one's. Lock the lead first."""
    connection.execute(
        update(identities)
        .where(
            identities.c.kind == anonymous_id.kind,
            identities.c.value == anonymous_id.value,
            identities.c.lead_id == from_id,
        )
        .values(lead_id=lead_id, created_at=now)
    )
