"""Calls of Segment's libraries as the web process takes them: each kept once, each by itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DataError

from dripline.clock import MachineClock, machine_clock
from dripline.ingest.merging.merge import Times
from dripline.ingest.refusal import FieldError, Refused
from dripline.ingest.segment.calls import Call, Kind, read_call
from dripline.ingest.segment.people import identities_of
from dripline.ingest.segment.taking import Taken, Taker
from dripline.ingest.service import GoFirst
from dripline.ingest.transaction import transaction
from dripline.language.workspace import Workspace
from dripline.store.database import UNAVAILABLE, Store
from dripline.store.house import open_house
from dripline.store.leads import lock_leads, owners, survivors
from dripline.store.strays import Stray, note_strays

MAX_CALL = 64_000
"""Characters of a call's JSON. Segment's spec allows 32 KB."""
MAX_BATCH = 2_500
"""Calls in a batch, as Segment's spec has it."""
_CHUNK = 50
"""Calls in one transaction: few enough to hold other writers up for moments only."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one call of a batch."""

    index: int
    new: bool = False
    refusal: Refused | None = None


class Tracking:
    """Takes calls in. Blocking: use it in threads."""

    def __init__(
        self,
        store: Store,
        workspace: Workspace,
        nudge: Callable[[], None] = lambda: None,
        machine: MachineClock = machine_clock,
        go_first: GoFirst = nullcontext,
    ) -> None:
        self._store, self._nudge, self._machine, self._go_first = store, nudge, machine, go_first
        self._taker = Taker(workspace)

    def take(self, raw: Any, kind: Kind, by: str | None = None, *, server: bool = False) -> bool:
        """Take one call; whether it was new. `server`: by a key that lies open nowhere. Raises Refused."""
        call = read_call(raw, kind, self._machine())

        def do(connection: Connection) -> Taken:
            return self._taker.take(connection, call, self._times(connection), by, server=server)

        taken = transaction(self._store, do)
        self._nudge()
        self._note(taken.strays)
        return taken.new

    def take_batch(
        self,
        rows: Sequence[Any],
        sent_at: Any = None,
        by: str | None = None,
        *,
        server: bool = False,
        historical: bool = False,
        check: Callable[[Any], None] = lambda _row: None,
    ) -> list[Outcome]:
        """Take each call by itself, in the order of the batch; what became of each.

        `check` raises Refused for a row that must not come any further.
        """
        now = self._machine()
        outcomes: list[Outcome] = []
        calls: list[tuple[int, Call]] = []
        for index, row in enumerate(rows):
            try:
                check(row)
                refuse_large(row)
                calls.append((index, read_call(row, None, now, sent_at, historical=historical)))
            except Refused as refusal:
                outcomes.append(Outcome(index, refusal=refusal))
        strays: list[Stray] = []
        with self._go_first():
            for start in range(0, len(calls), _CHUNK):
                done, more = self._take_chunk(calls[start : start + _CHUNK], by, server)
                outcomes += done
                strays += more
        self._nudge()
        self._note(strays)
        return sorted(outcomes, key=lambda one: one.index)

    def _take_chunk(
        self, calls: Sequence[tuple[int, Call]], by: str | None, server: bool
    ) -> tuple[list[Outcome], list[Stray]]:
        def do(connection: Connection) -> tuple[list[Outcome], list[Stray]]:
            _lock(connection, [call for _, call in calls])
            times = self._times(connection)
            outcomes: list[Outcome] = []
            strays: list[Stray] = []
            for index, call in calls:
                try:
                    with connection.begin_nested():
                        taken = self._taker.take(connection, call, times, by, server=server)
                except Refused as refusal:
                    outcomes.append(Outcome(index, refusal=refusal))
                except DataError:
                    unkept = Refused(422, "invalid", "The database cannot keep such values.")
                    outcomes.append(Outcome(index, refusal=unkept))
                else:
                    outcomes.append(Outcome(index, taken.new))
                    strays += taken.strays
            return outcomes, strays

        return transaction(self._store, do)

    def _note(self, strays: Iterable[Stray]) -> None:
        """In a transaction of its own: to count must not hold up what counts."""
        seen = Counter(strays)
        if not seen:
            return
        try:
            transaction(self._store, lambda connection: note_strays(connection, seen, self._machine()))
        except UNAVAILABLE as error:
            _log.warning("strays not counted", error=type(error).__name__)

    def _times(self, connection: Connection) -> Times:
        machine_now = self._machine()
        return Times(open_house(connection).clock.to_house(machine_now), machine_now)


def _lock(connection: Connection, calls: Iterable[Call]) -> None:
    """Lock the leads that are known by the calls' ids, in the one order in which several are locked."""
    known = owners(connection, {one for call in calls for one in identities_of(call)})
    lock_leads(connection, set(survivors(connection, set(known.values())).values()))


def refuse_large(row: Any) -> None:
    """Refuse (413) a call that is larger than may be."""
    if len(json.dumps(row, ensure_ascii=False, default=str)) > MAX_CALL:
        detail = f"A call may have {MAX_CALL:,} characters."
        raise Refused(413, "too-large", detail, [FieldError("", "is too large")])
