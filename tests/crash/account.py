"""The account after the storm: what the ledger says held against what the providers took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from dripline.store.database import Store
from dripline.store.schema import leads, messages, runs
from tests.crash.people import FATES, WITHDRAWN, Person
from tests.sink import Sink

OPEN = ("queued", "sending", "uncertain")


@dataclass
class Account:
    """Every way in which a promise could have been broken, with the cases."""

    runs: int = 0
    taken: int = 0
    states: Counter[str] = field(default_factory=Counter)
    doubled: dict[str, int] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    """The ledger says that it was accepted, and the provider has never seen it; or a message is missing."""
    unknown: list[str] = field(default_factory=list)
    """The provider took what the ledger does not call accepted (nor holds, nor is unsure of)."""
    wrong: list[str] = field(default_factory=list)
    """A run that did not end, or a message that its lead's fate does not have."""
    held: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        broken = {name: getattr(self, name) for name in ("doubled", "lost", "unknown", "wrong", "held")}
        told = ", ".join(f"{len(cases)} {name}" for name, cases in broken.items())
        return f"{self.runs} runs, {self.taken} taken by providers; ledger: {counts}; {told}"


def take_account(store: Store, sink: Sink, everyone: list[Person]) -> Account:
    """Compare everything with everything."""
    with store.read() as connection:
        rows = connection.execute(
            select(messages, leads.c.email).join(leads, leads.c.id == messages.c.lead_id)
        ).all()
        run_rows = connection.execute(
            select(runs, leads.c.email).join(leads, leads.c.id == runs.c.lead_id)
        ).all()
    taken = Counter(one.key for one in sink.accepted)
    account = Account(
        runs=len(run_rows),
        taken=sum(taken.values()),
        states=Counter(row.state for row in rows),
        doubled={key: count for key, count in taken.items() if count > 1},
        held=[row.id for row in rows if row.state == "held"],
    )
    ledger = {row.id: row for row in rows}
    for row in rows:
        if row.state in ("accepted", "delivered") and not taken[row.id]:
            account.lost.append(f"{row.id}: {row.state}, never taken")
        if row.state in OPEN:
            account.wrong.append(f"{row.id}: still {row.state} ({row.reason})")
    for key in taken:
        state = ledger[key].state if key in ledger else "not in the ledger"
        if state not in ("accepted", "delivered", "held", "uncertain"):
            account.unknown.append(f"{key}: {state}")
    _compare_fates(account, everyone, rows, run_rows)
    return account


def _compare_fates(
    account: Account, everyone: list[Person], rows: Sequence[Any], run_rows: Sequence[Any]
) -> None:
    got: dict[str, set[str]] = {}
    for row in rows:
        got.setdefault(row.email, set()).add(row.template)
        skipped_for_no_reason = row.state == "skipped" and not (row.reason or "").startswith("run left by")
        if skipped_for_no_reason:
            account.wrong.append(f"{row.email}: {row.template} skipped, {row.reason}")
    ended = {row.email: row.outcome for row in run_rows if row.ended_at is not None}
    for person in everyone:
        expected = FATES[person.fate][1]
        messages_of = got.get(person.email, set())
        if person.email not in ended:
            account.wrong.append(f"{person.email} ({person.fate}): its run has not ended")
        if person.fate in WITHDRAWN and not messages_of:
            continue  # it left before its first step
        if messages_of != expected:
            list_of = account.lost if expected - messages_of else account.wrong
            list_of.append(f"{person.email} ({person.fate}): got {sorted(messages_of)}")
