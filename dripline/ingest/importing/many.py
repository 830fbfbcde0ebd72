"""Many rows at once: new leads are written together, and what says nothing new costs no statement of its own.

Only what needs no decision goes this way: a row that shares no identity with anybody, or one that repeats what its
lead has. Every other row is kept by itself, by the rules that hold for any request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import uuid_utils
from sqlalchemy import Connection
from sqlalchemy.exc import DataError

from dripline.ingest.agreeing import consent_rows, proof_of
from dripline.ingest.importing.marks import marks
from dripline.ingest.importing.rows import (
    Clock,
    Imported,
    Meant,
    Order,
    Rows,
    What,
    as_meant,
    enrolled,
    import_row,
    incomplete,
)
from dripline.ingest.touches import says_nothing_new
from dripline.language.workspace import Workspace
from dripline.store.consents import granted, record_consents
from dripline.store.events import Event, keep_all
from dripline.store.imports import log_rows, logged
from dripline.store.leads import Identity, add_leads, claim_all, identity_of, lock_leads, owners
from dripline.store.rules import current_rules
from dripline.store.touches import add_touches, shown, touches_of_all


def import_chunk(
    connection: Connection,
    workspace: Workspace,
    rows: Rows,
    order: Order,
    house_now: Clock,
    machine_now: Clock,
    import_id: str | None = None,
) -> list[Imported]:
    """Keep these rows in the caller's transaction, and log what each changed. Known leads are locked first."""
    sorted_out = _sorted_out(connection, rows, order)
    now = house_now()
    done = list(sorted_out.same)
    try:
        with connection.begin_nested():
            done += _create(connection, sorted_out.new, now)
        alone = sorted_out.alone
    except (_Raced, DataError):  # which of them it was, each tells by itself
        alone = sorted([*sorted_out.alone, *((one.line, one.change) for one in sorted_out.new)])
    done = [enrolled(connection, workspace, one, order, now, machine_now()) for one in done]
    done += [
        import_row(connection, workspace, line, change, order, now, machine_now()) for line, change in alone
    ]
    done.sort(key=lambda one: one.line)
    return done if import_id is None else _logged(connection, import_id, done)


class _Raced(Exception):
    """Another transaction took one of the identities first."""


@dataclass
class _SortedOut:
    new: list[Meant] = field(default_factory=list)
    same: list[Imported] = field(default_factory=list)
    alone: list[tuple[int, Any]] = field(default_factory=list)


def _sorted_out(connection: Connection, rows: Rows, order: Order) -> _SortedOut:
    has = owners(connection, {one for _, change in rows for one in change.identities})
    leads: dict[str, dict[str, Any]] = {
        lead_id: {**row._mapping} for lead_id, row in lock_leads(connection, set(has.values())).items()
    }
    history = _History(connection, leads)
    found, taken = _SortedOut(), set[Identity]()
    for line, change in rows:
        owned = {has[one] for one in change.identities if one in has}
        alone = change.id is not None or not change.identities or not taken.isdisjoint(change.identities)
        taken.update(change.identities)
        if not alone and not owned:
            found.new.append(as_meant(line, change, order, None))
            continue
        lead = leads[next(iter(owned))] if len(owned) == 1 else None
        meant = as_meant(line, change, order, lead)
        if not alone and lead is not None and _is_same(meant, lead, history):
            known = incomplete(lead)
            same = Imported(line, "same", None, meant.kept_no, lead_id=lead["id"], incomplete=known)
            found.same.append(same)
        else:
            found.alone.append((line, change))
    return found


class _History:
    """What the leads of a chunk agreed to by which proof, and their touches: asked once, and only if it matters."""

    def __init__(self, connection: Connection, leads: Mapping[str, Any]) -> None:
        self._connection, self._leads = connection, tuple(leads)
        self._granted: dict[str, list[Any]] | None = None
        self._touches: dict[str, list[Any]] | None = None

    def proven(self, lead_id: str, channel: str, proof: Mapping[str, Any]) -> bool:
        """Whether that proof of that consent is known."""
        if self._granted is None:
            self._granted = granted(self._connection, self._leads)
        rows = self._granted.get(lead_id, [])
        return any(row.channel == channel and row.proof == proof for row in rows)

    def touches(self, lead_id: str) -> list[Any]:
        """The lead's touches, oldest first."""
        if self._touches is None:
            self._touches = touches_of_all(self._connection, self._leads)
        return self._touches.get(lead_id, [])


def _is_same(meant: Meant, lead: Mapping[str, Any], history: _History) -> bool:
    """Whether the row names this lead by nothing but what it has, and says nothing new of it."""
    change = meant.change
    if lead["merged_into"] is not None or lead["erased_at"] is not None:
        return False
    own = {identity_of(kind, lead[kind]) for kind in ("external_id", "email", "phone") if lead[kind]}
    if not own.issuperset(change.identities) or change.differences(lead, change.applied_to(lead)):
        return False
    proof = proof_of(change.source)
    if not all(history.proven(lead["id"], channel, proof) for channel, yes in change.consent.items() if yes):
        return False
    return change.touch is None or says_nothing_new(change.touch, lead, history.touches(lead["id"]))


def _create(connection: Connection, new: list[Meant], now: datetime) -> list[Imported]:
    """Make a lead of each of these rows, which are nobody's; raises _Raced where they are somebody's by now."""
    made = []
    scored = {"rescore_at": now} if current_rules(connection).scoring else {}
    names, events, agreed, touches = [], [], [], []
    for one in new:
        lead_id = str(uuid_utils.uuid7())
        change, columns = one.change, one.change.applied_to({})
        if change.touch is not None:
            at = min(change.touch.at or now, now)
            told = shown(change.touch.values, at)
            columns |= {"first_touch": told, "last_touch": told}
            touches.append(
                {**change.touch.values, "lead_id": lead_id, "at": at, "event_id": change.touch.event_id}
            )
        event = Event(str(uuid_utils.uuid7()), lead_id, "lead.created", {}, now, historical=change.historical)
        events.append(event)
        names += [(lead_id, identity) for identity in change.identities]
        agreed += consent_rows(lead_id, {}, columns, change.source, now, event.id)
        made.append((one, lead_id, columns))
    add_leads(connection, [{**columns, **scored, "id": lead_id} for _, lead_id, columns in made], now)
    if claim_all(connection, names, now) < len(names):
        raise _Raced
    keep_all(connection, events)
    record_consents(connection, agreed)
    add_touches(connection, touches)
    return [
        Imported(
            one.line,
            "created",
            kept_no=one.kept_no,
            lead_id=lead_id,
            after=marks(columns),
            incomplete=incomplete(columns),
        )
        for one, lead_id, columns in made
    ]


def _logged(connection: Connection, import_id: str, done: list[Imported]) -> list[Imported]:
    """Keep what rows changed. A row that an earlier start of this import kept did then what it did."""
    changed = [one for one in done if one.what in ("created", "changed")]
    rows = [
        {
            "line": one.line,
            "lead_id": one.lead_id,
            "what": one.what,
            "before": one.before,
            "after": one.after,
            "undone": None,
        }
        for one in changed
    ]
    log_rows(connection, import_id, rows)
    same = [one.line for one in done if one.what == "same"]
    earlier = logged(connection, import_id, same) if same else {}
    return [_as_then(one, earlier) for one in done]


def _as_then(one: Imported, earlier: Mapping[int, str]) -> Imported:
    what: What = "created" if earlier.get(one.line) == "created" else "changed"
    return replace(one, what=what) if one.line in earlier else one
