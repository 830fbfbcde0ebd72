"""`--where`: a condition over a run and its lead, in the words of the journeys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from dripline.language.expressions import Expression

_RUN = ("id", "step", "started_at", "until", "holdout", "parked_reason")


@dataclass(frozen=True)
class Condition:
    """An expression over `lead`, `trigger`, `event`, `run`, and the names that the run has set."""

    expression: Expression
    house: Opened

    def holding(self, connection: Connection, runs: list[tuple[Row[Any], Row[Any]]]) -> Any:
        """The runs for which it holds, or the end of the command where it cannot be evaluated."""
        from dripline.language.expressions import EvaluationError
        from dripline.store.runs import load_states

        states = load_states(connection, [run for run, _ in runs])
        try:
            return [
                pair
                for pair, state in zip(runs, states, strict=True)
                if self.expression.holds(self._names(connection, pair, state))
            ]
        except EvaluationError as problem:
            refuse(f"--where cannot be evaluated for some of the runs: {problem}.")

    def _names(self, connection: Connection, pair: tuple[Row[Any], Row[Any]], state: Any) -> dict[str, Any]:
        from dripline.clock import machine_clock
        from dripline.engine.calendar import zone_of
        from dripline.engine.scope import scope
        from dripline.store.leads import facts
        from dripline.store.plans import load_plan

        run, lead = pair
        plan, known = load_plan(connection, run.plan_hash), facts(lead)
        now = self.house.clock.to_house(machine_clock())
        where = zone_of(known.get("timezone"), known.get("country"), plan.timezone)
        names = scope(plan, known, state.trigger, state.last_event, state.variables, now, where)
        return {**names, "run": {name: getattr(run, name) for name in _RUN}}


def read_condition(house: Opened, where: str | None) -> Condition | None:
    """The condition, or the end of the command with what is wrong with it."""
    from dripline.language.expressions import ExpressionError, compile_expression

    if where is None:
        return None
    try:
        expression = compile_expression(where)
    except ExpressionError as problem:
        refuse(f"--where: {problem}" + (f" ({problem.hint})" if problem.hint else ""))
    for path in sorted(expression.names):
        wrong = _wrong(house, path, guarded=path in expression.guarded)
        if wrong:
            refuse(f"--where: {wrong}")
    return Condition(expression, house)


def _wrong(house: Opened, path: str, *, guarded: bool) -> str | None:
    """What is wrong with a name: what leads have not would quietly be empty for all of them."""
    from dripline.language.check_names import Scope
    from dripline.language.flow import ANYTHING

    anything = frozenset({ANYTHING})
    names = dict.fromkeys(_names_of_runs(house), anything) | {"run": frozenset(_RUN)}
    found = Scope(house.workspace, anything, anything, names, {}).wrong(path, guarded)
    return f"{found[1]} ({found[2]})" if found else None


def _names_of_runs(house: Opened) -> set[str]:
    """The names that the steps of the journeys' plans set."""
    from sqlalchemy import select

    from dripline.publishing.reads import gives
    from dripline.store.plans import load_plan
    from dripline.store.schema import runs

    query = select(runs.c.plan_hash).where(runs.c.ended_at.is_(None)).distinct()
    with house.store.read() as connection:
        plans = [load_plan(connection, plan_hash) for plan_hash in connection.execute(query).scalars()]
    return {name for plan in plans for step in plan.steps for name in gives(step)}
