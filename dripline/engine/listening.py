"""Which events a run listens for, by where it stands."""

from __future__ import annotations

from dripline.language.plan import EventFilter, Plan, RemindStep, WaitForStep


def listening(plan: Plan, step: str | None) -> tuple[EventFilter, ...]:
    """The filters of the events that may move a run standing at `step`: its exits, its goal, its wait."""
    filters = [way_out.on for way_out in plan.exits]
    if plan.goal:
        filters.append(plan.goal.on)
    here = plan.by_id.get(step) if step else None
    if isinstance(here, WaitForStep):
        filters.append(here.on)
    if isinstance(here, RemindStep) and here.unless:
        filters.append(here.unless)
    return tuple(filters)
