"""`dripline runs move`, `skip`, `end`: one run, many, or all for which a condition holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dripline.cli.asking import WHO, clean, refuse
from dripline.cli.condition import Condition, read_condition
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import add, count, new_table, print_table
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from dripline.engine.effects import RunState
    from dripline.language.plan import Plan
    from dripline.publishing.landing import Landing
    from dripline.store.choosing import Choice

SHOWN = 20
"""Lines of a preview."""

AT_ONCE = 200
"""Runs that are read together."""

Ids = Annotated[list[str] | None, typer.Argument(help="Runs; the beginnings of their ids do.")]
Everything = Annotated[bool, typer.Option("--all", help="All open runs that the filters leave.")]
Journey = Annotated[str | None, typer.Option(help="Only runs of this journey.")]
Lead = Annotated[str | None, typer.Option(help=f"Only runs of this lead. {WHO}")]
At = Annotated[str | None, typer.Option("--at", metavar="STEP", help="Only runs that stand at this step.")]
Where = Annotated[str | None, typer.Option(help="Only runs for which this holds: \"lead.country == 'AM'\".")]
Why = Annotated[str | None, typer.Option(help="Why: kept in the story of each.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

Steer = Callable[["Plan", Any, datetime], "Landing | None"]


@dataclass(frozen=True, slots=True)
class Stood:
    """An open run, and where it stood when it was looked at: there may be a million of these."""

    id: str
    journey: str
    plan_hash: str
    step: str | None
    visits: dict[str, int]

    @classmethod
    def of(cls, run: Row[Any]) -> Stood:
        """What of the row is remembered."""
        return cls(run.id, run.journey, run.plan_hash, run.step, run.visits)


@dataclass(frozen=True, slots=True)
class Chosen:
    """An open run, its lead's name, and what becomes of it."""

    run: Stood
    lead: str
    becomes: str
    again: tuple[str, ...] | None = None
    """The steps to which it would come a second time; None: nothing can be done with it."""


def register(runs: typer.Typer) -> None:
    """Add the commands of this file to `dripline runs`."""
    runs.command("move")(move)
    runs.command("skip")(skip)
    runs.command("end")(end)


def move(
    to: Annotated[str, typer.Option(metavar="STEP", help="The step that they enter.")],
    ids: Ids = None,
    everything: Everything = False,
    journey: Journey = None,
    lead: Lead = None,
    at: At = None,
    where: Where = None,
    why: Why = None,
    may_double: Annotated[
        bool, typer.Option("--may-double", help="Also those who come to a step again that way.")
    ] = False,
    dry_run: Dry = False,
    yes: Yes = False,
) -> None:
    """Put runs at another step of their journey, which they enter at once."""
    from dripline.publishing.steering import put

    with opened(to_change=True) as house:
        found = _choose(house, ids, everything, journey, lead, at, where)

        def steer(plan: Plan, state: Any, now: datetime) -> Landing | None:
            return put(plan, state, to, now)

        _refuse_unknown_step(house, found, to)
        chosen = _steered(house, found, steer, lambda *_: f"enters {to}")
        _refuse_doubling(chosen, may_double=may_double)
        _confirm(house, chosen, f"Move {{}} to {to}?", dry_run=dry_run, yes=yes)
        done = _do(house, chosen, steer, "put", why)
    _tell(done, chosen, "moved")


def skip(
    ids: Ids = None,
    everything: Everything = False,
    journey: Journey = None,
    lead: Lead = None,
    at: At = None,
    where: Where = None,
    why: Why = None,
    dry_run: Dry = False,
    yes: Yes = False,
) -> None:
    """Let runs go on behind the step at which they stand: a wait ends, a held message is not sent."""
    from dripline.publishing.steering import pass_over, says

    with opened(to_change=True) as house:
        found = _choose(house, ids, everything, journey, lead, at, where)
        chosen = _steered(house, found, pass_over, lambda plan, state: says(plan.by_id[state.step], state))
        begun = [one for one in chosen if one.again is not None]
        if not begun:
            refuse("None of them has begun: there is nothing to pass over.")
        _confirm(house, begun, "Let {} go on?", dry_run=dry_run, yes=yes)
        done = _do(house, begun, pass_over, "passed-over", why)
    _tell(done, begun, "sent on")


def end(
    ids: Ids = None,
    everything: Everything = False,
    journey: Journey = None,
    lead: Lead = None,
    at: At = None,
    where: Where = None,
    why: Why = None,
    dry_run: Dry = False,
    yes: Yes = False,
) -> None:
    """End runs where they stand; what they have queued is not sent any more."""
    with opened(to_change=True) as house:
        found = _choose(house, ids, everything, journey, lead, at, where)
        chosen = [Chosen(run, name, "the run ends") for run, name in found]
        _confirm(house, chosen, "End {}?", dry_run=dry_run, yes=yes)
        done = _do(house, chosen, None, "ended", why)
    _tell(done, chosen, "ended")


def _choose(
    house: Opened,
    ids: list[str] | None,
    everything: bool,
    journey: str | None,
    lead: str | None,
    at: str | None,
    where: str | None,
) -> list[tuple[Stood, str]]:
    """The runs that are meant, each with its lead's name, or the end of the command."""
    from dripline.store.choosing import Choice, open_runs

    if bool(ids) == everything:
        refuse("Say which: the beginnings of their ids, or --all (with --journey, --at, --where, …).")
    condition = read_condition(house, where)
    found: list[tuple[Stood, str]] = []
    with house.store.read() as connection:
        lead_id = house.lead(connection, lead).id if lead else None
        choice = Choice(journey, lead_id, at, tuple(ids or ()))
        for chunk in open_runs(connection, choice):
            found += [(Stood.of(run), _name(person)) for run, person in _held(connection, chunk, condition)]
    _refuse_vague(choice, found)
    if not found:
        refuse("There is no such open run.", 1 if ids else 0)
    return found


def _held(
    connection: Connection, chunk: list[tuple[Row[Any], Row[Any]]], condition: Condition | None
) -> list[tuple[Row[Any], Row[Any]]]:
    """Those for which the condition holds."""
    return chunk if condition is None else condition.holding(connection, chunk)


def _refuse_vague(choice: Choice, found: list[tuple[Stood, str]]) -> None:
    for start in choice.ids:
        meant = sum(run.id.startswith(start) for run, _ in found)
        if meant != 1:
            refuse(f"{'No open run has an id' if not meant else f'{meant} open runs have ids'} like {start}.")


def _refuse_unknown_step(house: Opened, found: list[tuple[Stood, str]], step: str) -> None:
    from dripline.language.problems import did_you_mean
    from dripline.store.plans import load_plan

    with house.store.read() as connection:
        for plan_hash in {run.plan_hash for run, _ in found}:
            plan = load_plan(connection, plan_hash)
            if step not in plan.by_id:
                hint = did_you_mean(step, plan.by_id)
                refuse(f"{plan.journey} has no step `{step}`" + (f": {hint}" if hint else "."))


def _steered(
    house: Opened, found: list[tuple[Stood, str]], steer: Steer, says: Callable[[Plan, Any], str]
) -> list[Chosen]:
    """What becomes of each; the store is asked for many of them at once."""
    from dripline.store.plans import load_plan
    from dripline.store.runs import find_runs, load_states

    chosen: list[Chosen] = []
    for begin in range(0, len(found), AT_ONCE):
        some = found[begin : begin + AT_ONCE]
        with house.store.read() as connection:
            rows = find_runs(connection, [run.id for run, _ in some])
            states = load_states(connection, rows)
            plans = {row.plan_hash: load_plan(connection, row.plan_hash) for row in rows}
        known = {row.id: (row, state) for row, state in zip(rows, states, strict=True)}
        for run, name in some:
            row, state = known[run.id]
            chosen.append(_steer_one(house, run, row, plans[row.plan_hash], state, name, steer, says))
    return chosen


def _steer_one(
    house: Opened,
    run: Stood,
    row: Row[Any],
    plan: Plan,
    state: RunState,
    lead: str,
    steer: Steer,
    says: Callable[[Plan, Any], str],
) -> Chosen:
    landing = steer(plan, state, house.clock.to_house(machine_clock()))
    if landing is None:
        return Chosen(run, lead, "")
    becomes = says(plan, state)
    missed = sorted(hazard.what for hazard in landing.hazards if hazard.kind == "never")
    if missed and landing.state.step is not None:
        becomes += f"; does not come to {', '.join(missed)}"
    again = sorted(hazard.what for hazard in landing.hazards if hazard.kind == "again")
    return Chosen(Stood.of(row), lead, becomes, tuple(again))


def _refuse_doubling(chosen: list[Chosen], *, may_double: bool) -> None:
    again: Counter[str] = Counter()
    for one in chosen:
        again.update(one.again or ())
    if again and not may_double:
        for step, number in again.most_common():
            typer.echo(clean(f"{count(number, 'run')} would come to `{step}` a second time."), err=True)
        refuse("Nothing was done. --may-double accepts it.")


def _confirm(house: Opened, chosen: list[Chosen], question: str, *, dry_run: bool, yes: bool) -> None:
    from dripline.store.plans import load_plan
    from dripline.store.runs import find_runs
    from dripline.story import standing

    table = new_table("Run", "Lead", "Journey", "Step", "Where it stands", "What becomes of it")
    with house.store.read() as connection:
        rows = {row.id: row for row in find_runs(connection, [one.run.id for one in chosen[:SHOWN]])}
        for one in chosen[:SHOWN]:
            row = rows[one.run.id]
            stands = standing(row, house.zone, load_plan(connection, row.plan_hash))
            add(table, row.id, one.lead, row.journey, row.step or "", stands, one.becomes)
    print_table(table, "")
    if len(chosen) > SHOWN:
        typer.echo(f"… and {len(chosen) - SHOWN:,} more. All of them:")
        for (journey, step), number in Counter((one.run.journey, one.run.step) for one in chosen).items():
            typer.echo(clean(f"  {number:>7,}  {journey} at {step}"))
    if dry_run:
        refuse("Nothing was done: this was to look only.", 0)
    if not yes and not typer.confirm(question.format(count(len(chosen), "run")), default=False):
        refuse("Nothing was done.")


def _do(house: Opened, chosen: list[Chosen], steer: Steer | None, what: str, why: str | None) -> int:
    """Do it, a locked transaction each; for how many it was done. Who has gone on meanwhile is left alone."""
    from dripline.store.audit import record_act

    done = sum(_do_one(house, one, steer, what, why) for one in chosen)
    with house.store.write() as connection:
        record_act(connection, f"runs-{what}", who(), why, machine_clock(), runs=done)
    return done


def _do_one(house: Opened, one: Chosen, steer: Steer | None, what: str, why: str | None) -> bool:
    from dripline.engine.effects import Outcome
    from dripline.publishing.moving import end_run, place
    from dripline.store.database import lock_lead_and_run
    from dripline.store.plans import load_plan
    from dripline.store.runs import load_state
    from dripline.store.wakes import want_wake

    with house.store.write() as connection:
        machine_now = machine_clock()
        now = house.clock.to_house(machine_now)
        _, run = lock_lead_and_run(connection, one.run.id)
        if run is None or run.ended_at is not None or Stood.of(run) != one.run:
            return False  # what becomes of it was told for this very visit of a step of this very plan
        if steer is None:
            end_run(
                connection, run, Outcome("operator", why or "ended by a person"), max(now, run.last_at), who()
            )
        elif run.held_at is not None:  # after a restore: `dripline held` asks whether it may go on at all
            return False
        else:
            plan, state = load_plan(connection, run.plan_hash), load_state(connection, run)
            landing = steer(plan, state, now)
            if landing is None:
                return False
            place(connection, run, plan, state, landing, by=who(), why=why, what=what)
        want_wake(connection, [run.id], machine_now)
        return True


def _tell(done: int, chosen: list[Chosen], word: str) -> None:
    typer.echo(f"{count(done, 'run')} {word}.")
    if done < len(chosen):
        refuse(f"{count(len(chosen) - done, 'run')} had gone on, ended, or wait in `dripline held`.")


def _name(lead: Row[Any]) -> str:
    return str(lead.email or lead.phone or lead.external_id or lead.id)
