"""`repeat`: a test before each pass, a rest between two. How far it is stands in the run's `loops`."""

from __future__ import annotations

from dataclasses import replace

from dripline.engine.calendar import add
from dripline.engine.effects import Note
from dripline.engine.moving import Asking, Moving
from dripline.engine.resting import rest
from dripline.language.plan import RepeatStep


def next_pass(run: Moving, step: RepeatStep) -> Asking:
    """Begin a pass, rest before it, or leave the loop.

    `until` is asked when a pass has ended and again after the rest: nobody rests for a pass that will not be.
    """
    state = run.state.loops.get(step.id, {})
    passes, rested = state.get("passes", 0), state.get("rested", False)
    why = _over(run, step, passes)
    if why is not None:
        yield Note(run.at, step.id, "loop-over", {"passes": passes, "because": why})
        run.state = replace(
            run.state, loops={loop: kept for loop, kept in run.state.loops.items() if loop != step.id}
        )
        run.go_to(step.next)
    elif passes and not rested:
        _keep(run, step, passes, rested=True)
        yield from rest(run, step, add(run.at, step.every, run.where))
    else:
        _keep(run, step, passes + 1, rested=False)
        yield Note(run.at, step.id, "pass", {"pass": passes + 1, "of": step.times})
        run.go_to(step.first)


def _over(run: Moving, step: RepeatStep, passes: int) -> str | None:
    if step.times is not None and passes >= step.times:
        return f"{step.times} passes" if step.times > 1 else "1 pass"
    return step.until if step.until is not None and run.holds(step.until) else None


def _keep(run: Moving, step: RepeatStep, passes: int, *, rested: bool) -> None:
    kept = {"passes": passes, "rested": rested}
    run.state = replace(run.state, loops={**run.state.loops, step.id: kept})
