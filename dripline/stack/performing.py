"""Playing a scenario on the real store, worker and Temporal: the house clock is set from one thing to the next.

Time is skipped by the house clock alone, so that every process agrees on it. A run goes on because the timer of its
workflow has come, or because it is woken: both happen here. A timer costs a second, so only the first wait ends by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection, delete, func, or_, select, update

from dripline.clock import HouseClock, machine_clock
from dripline.engine.draw import draw
from dripline.engine.policy import ADDRESS
from dripline.engine.scheduling import comes_to
from dripline.ingest.anniversaries import Anniversaries
from dripline.ingest.campaigns.moving import Mover
from dripline.ingest.campaigns.occasions import Occasions
from dripline.ingest.catalogue import Terms, put_product
from dripline.ingest.enrolment import enrol
from dripline.ingest.overdue import Overdue, next_due
from dripline.ingest.recording import record
from dripline.ingest.stages import StageChange, follow_stage
from dripline.ingest.tasks import finish
from dripline.language.orders import Item, Ordered
from dripline.language.plan import DiscountStep, Plan, asks_outside
from dripline.language.rules import compile_rules
from dripline.language.scenario import Scenario
from dripline.language.touches import TOUCHES
from dripline.language.workspace import Workspace
from dripline.simulate.dates import comes_round
from dripline.simulate.life import BOUGHT
from dripline.simulate.playing import Played, judge
from dripline.simulate.recording import laid_over
from dripline.simulate.setting import LEAD, Changes, Enrols, Happening, Happens, Setting, set_up
from dripline.stack.retelling import Retelling
from dripline.store import schema
from dripline.store.assignments import add_absence
from dripline.store.campaigns import not_moved, want_all_moves
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import open_house, set_clock
from dripline.store.leads import COLUMNS, add_lead, change_lead, facts, read_lead
from dripline.store.orders import keep_order
from dripline.store.plans import publish
from dripline.store.rules import keep_rules
from dripline.store.suppressions import suppress
from dripline.store.tasks import list_tasks
from dripline.store.wakes import want_wake

RUN_UP = timedelta(milliseconds=100)
_OVERDUE = 100
"""How long before the end of a scenario's first wait the clock is let run, so that its timer comes."""
LOOKED = timedelta(minutes=1)
"""How soon after an occasion its audience is looked through, at the latest: the clock goes on meanwhile."""
PATIENCE = 20.0
"""Seconds after which what should have moved has not."""
_MADE = ("id", "created_at", "lacks", "complete")
"""What the store makes itself."""
_OWN = (
    *COLUMNS,
    "score",
    "tags",
    "owner",
    "consent",
    "topics",
    *TOUCHES,
    "paused_until",
    "stage_at",
    "owner_at",
    "customer",
    "rfm",
    "segments",
)


class Stuck(Exception):
    """What should have moved did not. The message says what is left."""


def calls_outside(plans: Mapping[str, Plan], scenario: Scenario, journey: str) -> bool:
    """Whether a scenario would really call other systems, which it must not."""
    played = (plans[name] for name in (journey, *scenario.with_))
    return any(asks_outside(step) for plan in played for step in plan.steps)


class Performance:
    """One scenario on an installation that is there for nothing else. `nudge` tells its waker."""

    def __init__(self, store: Store, workspace: Workspace, nudge: Callable[[], None]) -> None:
        self._store = store
        self._workspace = workspace
        self._nudge = nudge
        self._ids = count(1)

    def play(self, scenario: Scenario, journey: str, plans: Mapping[str, Plan]) -> Played:
        """Everything of a former scenario is forgotten first."""
        setting = set_up(scenario, journey, plans, self._workspace)
        trouble: list[str] = []
        with self._store.read() as connection:
            retelling = Retelling(open_house(connection).secret)
        self._begin(setting)
        try:
            self._live(setting, retelling)
        except Stuck as reason:
            trouble.append(str(reason))
        with self._store.read() as connection:
            trouble += _parked(connection)
            timeline = [entry for entry in retelling.timeline(connection) if entry.at <= setting.until]
        return judge(scenario, setting, timeline, trouble)

    # -- the scene -------------------------------------------------------------------------------------------

    def _begin(self, setting: Setting) -> None:
        with self._store.write() as connection:
            house = open_house(connection)
            for table in reversed(schema.metadata.sorted_tables):
                if table is not schema.house:
                    connection.execute(delete(table))
            _skip_to(connection, setting.start)
            for plan in setting.plans:
                publish(connection, plan, setting.start - timedelta(seconds=1))
                _spend_budgets(connection, plan, setting)
            keep_rules(connection, compile_rules(self._workspace), setting.start)
            add_lead(connection, LEAD, _columns(setting.lead), setting.start)
            connection.execute(
                update(schema.leads).values(owner=setting.lead["owner"])
            )  # imports and the API do not set it
            self._fill_shelves(connection, setting)
            for person in _away(setting, self._workspace):
                add_absence(connection, person, setting.start, setting.until, None)
            for channel, reason in setting.suppressed.items():
                address = setting.lead.get(ADDRESS[channel])
                if address:
                    suppress(connection, channel, house.address_hash(channel, address), reason, setting.start)

    def _fill_shelves(self, connection: Connection, setting: Setting) -> None:
        """The catalogue, and what the lead had bought before."""
        terms = Terms.of(self._workspace)
        for product, entry in (self._workspace.catalogue or {}).items():
            put_product(connection, terms, product, entry, "file", setting.start)
        for product in setting.bought:
            order = Ordered(f"before-{product}", 0, terms.currency or "XXX", (Item(product),))
            keep_order(connection, LEAD, order, setting.start - BOUGHT, None)

    # -- time ------------------------------------------------------------------------------------------------

    def _live(self, setting: Setting, retelling: Retelling) -> None:
        coming = sorted(setting.coming, key=lambda one: one[0])
        dated = setting.start - timedelta(microseconds=1)
        run_up = RUN_UP
        while True:
            with self._store.read() as connection:
                lead = _lead(connection)
                dates = [date for plan in setting.plans if (date := _date(plan, lead, dated))]
                waits = _ends_of_waits(connection)
                due = list(filter(None, [next_due(connection)]))
            moment = min([*(at for at, _ in coming[:1]), *dates, *waits, *due], default=None)
            if moment is None or moment > setting.until:
                return
            outside = bool(coming and coming[0][0] <= moment) or moment in (*dates, *due)
            self._skip(moment if outside else moment - run_up)
            run_up = run_up if outside else timedelta()
            while coming and coming[0][0] <= moment:
                at, what = coming.pop(0)
                self._happens(what, at)
            if moment in dates:
                Anniversaries(self._store).enter()
                self._let_in(moment)
            if moment in due:
                overdue = Overdue(self._store)
                overdue.hand_on(_OVERDUE)
                overdue.escalate(_OVERDUE)
                self._nudge()
            dated = max(dated, moment)
            self._settle(moment)
            with self._store.read() as connection:
                retelling.read_on(connection, _lead(connection))

    def _let_in(self, moment: datetime) -> None:
        """Start the campaigns of schedules that come round at that moment, and move them at once."""
        Occasions(self._store).start_due()
        with self._store.read() as connection:
            due = not_moved(connection, moment + LOOKED)
        for campaign_id in due:
            Mover(self._store, self._workspace, budget=0.0).move(campaign_id)  # its audience is found,
            Mover(self._store, self._workspace, budget=0.0).move(campaign_id)  # and let in
        self._nudge()

    def _skip(self, moment: datetime) -> None:
        """Let it be that moment now, and every run look at the clock anew."""
        with self._store.write() as connection:
            _skip_to(connection, moment)
            want_wake(connection, _open(connection), machine_clock())
            want_all_moves(connection)
        self._nudge()

    def _happens(self, what: Happening, at: datetime) -> None:
        with self._store.write() as connection:
            match what:
                case Happens("task.done", properties) if "task" not in properties:
                    self._finish_a_task(connection, properties, at)
                case Happens(name, properties):
                    self._record(connection, name, properties, at)
                case Enrols(journey):
                    enrol(connection, self._workspace, LEAD, journey, {}, at, machine_clock())
                case Changes(values):
                    self._change(connection, values, at)
        self._nudge()

    def _finish_a_task(self, connection: Connection, properties: Mapping[str, Any], at: datetime) -> None:
        """Where a scenario does not say which task was done, it is the oldest that was not."""
        open_ones = sorted(list_tasks(connection, lead_id=LEAD), key=lambda task: task.created_at)
        if open_ones:
            finish(connection, open_ones[0], at, machine_clock(), result=properties.get("result"))
        else:
            self._record(connection, "task.done", properties, at)

    def _change(self, connection: Connection, values: Mapping[str, Any], at: datetime) -> None:
        before = _lead(connection)
        after = {name: laid_over(before.get(name), name, value) for name, value in values.items()}
        changed = sorted(name for name, value in after.items() if before.get(name) != value)
        if changed:
            row = read_lead(connection, LEAD)
            assert row is not None
            columns = {name: value for name, value in after.items() if name in _OWN}
            if "stage" in changed:
                columns["stage_at"] = at
            columns["attributes"] = {
                **row.attributes,
                **{name: value for name, value in after.items() if name not in _OWN},
            }
            change_lead(connection, LEAD, columns, at)
            self._record(connection, "lead.updated", {"changed": changed}, at)
            if "stage" in changed:
                stage = StageChange(before.get("stage"), after["stage"], "command")
                follow_stage(connection, LEAD, stage, at, machine_clock())

    def _record(self, connection: Connection, name: str, properties: Mapping[str, Any], at: datetime) -> None:
        event = Event(f"event-{next(self._ids)}", LEAD, name, properties, at)
        record(connection, event, machine_clock())

    def _settle(self, moment: datetime) -> None:
        """Return when nothing is left to do by that moment. Raises Stuck."""
        give_up = time.monotonic() + PATIENCE
        while True:
            with self._store.read() as connection:
                left = _left(connection, moment)
            if not left:
                return
            if time.monotonic() > give_up:
                raise Stuck(f"after {PATIENCE:g} seconds there is still work left: {', '.join(left)}")
            self._nudge()
            time.sleep(0.01)


def _spend_budgets(connection: Connection, plan: Plan, setting: Setting) -> None:
    """The budgets of discounts of which the scenario says that none is issued: nothing is left of them."""
    spent = {
        step.budget
        for step in plan.steps
        if isinstance(step, DiscountStep) and "reason" in setting.answers.get(step.id, {})
    }
    names = [name for name in spent if name is not None]
    connection.execute(update(schema.budgets).where(schema.budgets.c.name.in_(names)).values(codes=0))


# -- what the store says -------------------------------------------------------------------------------------


def _skip_to(connection: Connection, moment: datetime) -> None:
    set_clock(connection, HouseClock(machine_epoch=machine_clock(), house_epoch=moment))


def _lead(connection: Connection) -> Mapping[str, Any]:
    row = read_lead(connection, LEAD)
    assert row is not None
    return facts(row)


def _away(setting: Setting, workspace: Workspace) -> set[str]:
    """Who the answers say is away; where they say who shall get the lead, everybody else is."""
    away: set[str] = set()
    for said in setting.answers.values():
        absent = said.get("absent", ())
        away.update([absent] if isinstance(absent, str) else map(str, absent))
        if said.get("person") in workspace.people:
            away |= workspace.people.keys() - {said["person"]}
    return away


def _columns(lead: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: lead[name] for name in _OWN}
    rest = {name: value for name, value in lead.items() if name not in (*_OWN, *_MADE)}
    return {**own, "attributes": rest}


def _date(plan: Plan, lead: Mapping[str, Any], since: datetime) -> datetime | None:
    yearly, gathering = plan.trigger.yearly, plan.trigger.gathering
    found: tuple[datetime, object] | None = comes_round(plan, yearly, lead, since) if yearly else None
    if gathering is not None:
        found = comes_to(gathering, plan, lead, since)
    return found[0] if found else None


def _open(connection: Connection) -> list[str]:
    query = select(schema.runs.c.id).where(schema.runs.c.ended_at.is_(None))
    return list(connection.execute(query).scalars())


def _waiting(connection: Connection) -> list[Any]:
    table = schema.runs
    query = select(table).where(
        table.c.ended_at.is_(None), table.c.parked_reason.is_(None), table.c.until.is_not(None)
    )
    return list(connection.execute(query))


def _wakes_at(run: Any) -> datetime:
    """When its workflow goes on: what quiet hours held is let go one after the other (see the activity `advance`)."""
    until: datetime = run.until
    held_by_hours = run.wait is not None and run.wait.get("held") == "hours"
    return until + draw("spread", run.id, run.step) * schema.SPREAD if held_by_hours else until


def _ends_of_waits(connection: Connection) -> list[datetime]:
    return [_wakes_at(run) for run in _waiting(connection)]


def _left(connection: Connection, moment: datetime) -> list[str]:
    """What is still to be done by that moment, in words."""
    table = schema.runs
    still = [f"{run.journey} at {run.step}" for run in _waiting(connection) if _wakes_at(run) <= moment]
    unmoved = or_(table.c.turn == 0, table.c.wake_wanted > table.c.wake_done)
    counts = {
        "runs to be woken": select(func.count())
        .select_from(table)
        .where(table.c.ended_at.is_(None), unmoved),
        "events to be looked at": select(func.count())
        .select_from(schema.inbox.join(table, table.c.id == schema.inbox.c.run_id))
        .where(
            schema.inbox.c.taken_in.is_(None), table.c.ended_at.is_(None), table.c.parked_reason.is_(None)
        ),
        "messages to be sent": select(func.count())
        .select_from(schema.messages)
        .where(schema.messages.c.state.in_(("queued", "sending"))),
    }
    found = {words: connection.execute(query).scalar_one() for words, query in counts.items()}
    found["audiences to be let in"] = len(not_moved(connection, moment + LOOKED))
    return still + [f"{number} {words}" for words, number in found.items() if number]


def _parked(connection: Connection) -> list[str]:
    query = select(schema.runs).where(schema.runs.c.parked_reason.is_not(None))
    return [
        f"{run.journey} stopped at {run.step} for a person to look at: {run.parked_reason}"
        for run in connection.execute(query)
    ]


__all__ = ["Performance", "Stuck", "calls_outside"]
