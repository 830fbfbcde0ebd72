"""What a publication would do, reckoned over the store as it is now, and nothing of it done."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from dripline.language.plan import DiscountStep, Plan
from dripline.publishing.differences import Sign, differences
from dripline.publishing.forecast import Fate, Forecast, Policy, fate_of
from dripline.publishing.landing import Change, land
from dripline.publishing.matching import match
from dripline.store.database import Store
from dripline.store.leads import facts
from dripline.store.plans import load_plan
from dripline.store.publications import runs_to_bring
from dripline.store.runs import load_states
from dripline.store.schema import discounts, leads, runs

_CHUNK = 500


@dataclass
class Preview:
    """What becomes of a journey and of its runs."""

    plan: Plan
    before: Plan | None
    """The plan that it follows now."""
    policy: Policy
    said: Mapping[str, str] = field(default_factory=dict)
    """What was said of steps that were taken out."""
    changed: list[tuple[Sign, str]] = field(default_factory=list)
    older: dict[str, list[tuple[Sign, str]]] = field(default_factory=dict)
    """What it changes for those who follow older plans, by their hashes."""
    forecast: Forecast = field(default_factory=Forecast)
    plans: set[str] = field(default_factory=set)
    """Hashes of the plans that its runs follow."""
    unknown: list[str] = field(default_factory=list)
    """Steps that were spoken of as taken out, and are in no plan of the runs."""
    nowhere: list[str] = field(default_factory=list)
    """Steps at which some were to go on, and that are not in the new plan."""
    issued_again: list[tuple[str, int]] = field(default_factory=list)
    """Discounts of which a lead gets but one ever, whose ids were taken out; how many were issued."""
    key_changed: bool = False
    """Whether runs would change from one key to another (or to none)."""

    @property
    def is_edit(self) -> bool:
        """Whether the plan is another than the journey follows."""
        return self.before is None or self.before.hash != self.plan.hash


def look_ahead(
    store: Store,
    plan: Plan,
    before: Plan | None,
    policy: Policy,
    said: Mapping[str, str],
    now: datetime,
    went_on: Callable[[int], None] = lambda runs: None,
) -> Preview:
    """What publishing the plan would do. `before` is what the journey follows now."""
    preview = Preview(plan, before, policy, said)
    if before is not None:
        matching = match(before, plan, said)
        preview.changed = list(differences(matching, before, plan))
    with store.read() as connection:
        olds = {plan_hash: load_plan(connection, plan_hash) for plan_hash in _hashes(connection, plan)}
        preview.plans = set(olds)
        preview.older = {
            old_hash: list(differences(match(old, plan, said), old, plan))
            for old_hash, old in sorted(olds.items())
            if before is not None and old_hash != before.hash
        }
        _look_at_plans(connection, preview, list(olds.values()), said)
        if policy != "move":
            _count(connection, preview)
            return preview
    changes = {plan_hash: Change(old, plan, said) for plan_hash, old in olds.items()}
    after: str | None = None
    while True:
        with store.read() as connection:
            ids = runs_to_bring(connection, plan.journey, plan.hash, after, _CHUNK)
            _foretell(connection, preview, ids, changes, now)
        if not ids:
            return preview
        after = ids[-1]
        went_on(len(ids))


def _hashes(connection: Connection, plan: Plan) -> list[str]:
    """The other plans that open runs of the journey follow."""
    query = select(runs.c.plan_hash).where(
        runs.c.journey == plan.journey, runs.c.ended_at.is_(None), runs.c.plan_hash != plan.hash
    )
    return list(connection.execute(query.distinct()).scalars())


def _count(connection: Connection, preview: Preview) -> None:
    """The runs by where they stand: all of them have one fate."""
    plan = preview.plan
    query = select(runs.c.step, func.count().label("number")).where(
        runs.c.journey == plan.journey, runs.c.ended_at.is_(None), runs.c.plan_hash != plan.hash
    )
    for row in connection.execute(query.group_by(runs.c.step)):
        fate = Fate("keeps", row.step) if preview.policy == "keep" else Fate("ends", "exit")
        preview.forecast.fates[row.step, fate] = row.number


def _foretell(
    connection: Connection,
    preview: Preview,
    ids: list[str],
    changes: dict[str, Change],
    now: datetime,
) -> None:
    rows = connection.execute(select(runs).where(runs.c.id.in_(ids)).order_by(runs.c.id)).all()
    people = select(leads).where(leads.c.id.in_({row.lead_id for row in rows}))
    known = {lead.id: facts(lead) for lead in connection.execute(people)}
    for row, state in zip(rows, load_states(connection, rows), strict=True):
        if row.plan_hash not in changes:  # it came to be in the meantime
            changes[row.plan_hash] = Change(load_plan(connection, row.plan_hash), preview.plan, preview.said)
        found = land(changes[row.plan_hash], state, known[row.lead_id], now)
        preview.forecast.add(state.step, fate_of(state, found), found)


def _look_at_plans(
    connection: Connection, preview: Preview, olds: list[Plan], said: Mapping[str, str]
) -> None:
    steps = {step.id for old in [*olds, *([preview.before] if preview.before else [])] for step in old.steps}
    preview.unknown = [step for step in said if step not in steps]
    preview.nowhere = [
        there for here, there in said.items() if here in steps and there not in preview.plan.by_id
    ]
    new = preview.plan
    preview.key_changed = any(old.trigger.key != new.trigger.key for old in olds)
    if preview.before is not None:
        preview.issued_again = _issued_again(connection, preview.before, new)


def _issued_again(connection: Connection, old: Plan, new: Plan) -> list[tuple[str, int]]:
    """Discounts that a lead gets once, ever: by their step's id it is known who has had one."""
    before, after = _once_only(old), _once_only(new)
    if not after - before:
        return []
    found = []
    for step in sorted(before - after):
        query = select(func.count()).where(discounts.c.journey == old.journey, discounts.c.step == step)
        number = connection.execute(query).scalar_one()
        if number:
            found.append((step, number))
    return found


def _once_only(plan: Plan) -> set[str]:
    return {step.id for step in plan.steps if isinstance(step, DiscountStep) and step.once_per == "lead"}
