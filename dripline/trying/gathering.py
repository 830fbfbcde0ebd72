"""The journey that is tried, and those that it lets leads enter, compiled from the files as they are now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from dripline.language.plan import DiscountStep, EnrollStep, Plan, Step, WebhookStep, asks_outside
from dripline.language.problems import did_you_mean
from dripline.language.project import FOLDER, TEST_ENDING, Project, load_project
from dripline.language.workspace import FILE


class NoJourney(Exception):
    """There is none of that name, or one that it leads to cannot be compiled. Says what there is, or what to do."""


class HasProblems(Exception):
    """The journey has errors: `project` has them."""

    def __init__(self, project: Project) -> None:
        super().__init__()
        self.project = project


def gather(root: Path, journey: str) -> tuple[Project, dict[str, Plan]]:
    """What was found in the journey's files, and its plan and those of the others by id. Raises both of the above."""
    files = dict(_files(root))
    first = _load(root, files, journey)
    if journey not in first.plans:
        raise HasProblems(first)
    plans = {journey: _for_one(first.plans[journey])}
    wanted = [journey]
    while wanted:
        steps = plans[wanted.pop()].steps
        for name in sorted({step.journey for step in steps if isinstance(step, EnrollStep)} - plans.keys()):
            project = _load(root, files, name)
            if name not in project.plans:
                raise NoJourney(f"It leads to {name}, which has errors: see `dripline check`.")
            plans[name] = _for_one(project.plans[name])
            wanted.append(name)
    return first, plans


def calls(plans: Iterable[Plan]) -> list[str]:
    """Where the journeys call other systems, in words."""
    return [
        f"{plan.journey} at {step.id}: {_whom(plan, step)}"
        for plan in plans
        for step in plan.steps
        if asks_outside(step)
    ]


def _whom(plan: Plan, step: Step) -> str:
    if isinstance(step, DiscountStep):
        return plan.shops[step.shop or ""].url
    return step.url if isinstance(step, WebhookStep) else f"{getattr(step, 'function', '')}()"


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    for file in (root / FOLDER).rglob("*.yaml"):
        if not file.name.endswith(TEST_ENDING) and "blocks" not in file.parts:
            yield file.stem, file


def _load(root: Path, files: dict[str, Path], name: str) -> Project:
    if not (root / FILE).is_file():
        raise NoJourney(f"There is no {FILE} in {root.resolve()}: go to your workspace's folder.")
    if name not in files:
        hint = did_you_mean(name, files) or f"there are {', '.join(sorted(files)) or 'none yet'}"
        raise NoJourney(f"There is no journey {name}: {hint}")
    return load_project(root, [files[name]])


def _for_one(plan: Plan) -> Plan:
    """Without a control group: the one who walks would get nothing."""
    return Plan.model_validate({**plan.model_dump(), "holdout": 0})


__all__ = ["HasProblems", "NoJourney", "calls", "gather"]
