"""Showing what a publication would do, refusing what nobody has said, and doing it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import Progress

from dripline.cli.asking import clean, refuse
from dripline.cli.opening import Opened, who
from dripline.cli.showing import add, count, new_table, print_table
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from dripline.language.plan import Plan
    from dripline.language.project import Project
    from dripline.publishing.forecast import Fate
    from dripline.publishing.preview import Preview

SHORT = 8
"""Letters of a plan's hash that people are shown."""


class InFlight(StrEnum):
    """What becomes of those who are in the journey."""

    keep = "keep"
    move = "move"
    exit = "exit"


@dataclass(frozen=True)
class Said:
    """What was said of a publication."""

    in_flight: InFlight
    steps: Mapping[str, str]
    may_double: bool
    may_lose: bool
    why: str | None
    what: str = "publish"


def read_map(pairs: Sequence[str] | None) -> dict[str, str]:
    """`old=new` pairs, or the end of the command."""
    said = {}
    for pair in pairs or ():
        old, equals, new = pair.partition("=")
        if not (old.strip() and equals and new.strip()):
            refuse(f'--map "{pair}": write the step that was taken out, =, and where its leads go on.')
        said[old.strip()] = new.strip()
    return said


def read_files(house: Opened) -> Project:
    """The journeys of the workspace, or the end of the command with what is wrong with them."""
    from dripline.language.project import load_project

    project = load_project(house.settings.workspace)
    if project.errors:
        for problem in project.problems:
            typer.echo(str(problem), err=True)
        refuse("The journeys have problems; nothing was published.")
    return project


def look(house: Opened, plan: Plan, before: Plan | None, said: Said) -> Preview:
    """What publishing the plan would do."""
    from dripline.publishing.preview import look_ahead
    from dripline.store.freezing import clock_of

    with house.store.read() as connection:
        now = clock_of(connection, plan.journey, house.clock.to_house(machine_clock()))
    with progress_bar() as bar:
        task = bar.add_task(f"Looking at those in {plan.journey}", total=None, visible=False)

        def went_on(number: int) -> None:
            bar.update(task, advance=number, visible=True)

        return look_ahead(house.store, plan, before, said.in_flight.value, said.steps, now, went_on)


def show(preview: Preview) -> None:
    """Tell the change of the journey, and what becomes of those who are in it."""
    plan, before = preview.plan, preview.before
    if before is None:
        typer.echo(f"{plan.journey}: new, {count(len(plan.steps), 'step')}.")
        return
    said = f"{before.hash[:SHORT]} → {plan.hash[:SHORT]}" if preview.is_edit else "the plan stays the same"
    typer.echo(f"{plan.journey}: {said}")
    for sign, text in preview.changed:
        typer.echo(clean(f"  {sign} {text}"))
    for old, changed in preview.older.items() if preview.policy == "move" else ():
        typer.echo(f"  for those who follow {old[:SHORT]}:")
        for sign, text in changed:
            typer.echo(clean(f"    {sign} {text}"))
    forecast = preview.forecast
    if not forecast.runs:
        typer.echo("  Nobody is in it on another plan." if not preview.is_edit else "  Nobody is in it.")
        return
    if len(preview.plans) > 1:
        typer.echo(f"  Those who are in it follow {len(preview.plans)} plans of different times.")
    table = new_table("Where they stand", "Leads", "What becomes of them")
    order = {step.id: number for number, step in enumerate(plan.steps)}
    rows = sorted(forecast.fates.items(), key=lambda one: (order.get(one[0][0] or "", -1), -one[1]))
    for (step, fate), number in rows:
        add(table, step or "(about to begin)", f"{number:,}", _becomes(fate, step))
    print_table(table, "")


def unknown_steps(previews: Sequence[Preview]) -> Iterator[str]:
    """Steps that were spoken of, and are in none of the journeys."""
    from dripline.language.problems import did_you_mean

    for step in sorted(set.intersection(*(set(preview.unknown) for preview in previews))):
        known = {id_ for preview in previews if preview.before for id_ in preview.before.by_id}
        hint = did_you_mean(step, known)
        yield f"--map: nobody can stand at `{step}`, there is no such step" + (f"; {hint}" if hint else "")


def problems(preview: Preview, said: Said) -> list[str]:
    """Why the journey must not be published so; none: it may."""
    return [*_wrong_map(preview), *_stuck(preview), *_hazards(preview, said), *_whole(preview, said)]


def carry_out(house: Opened, preview: Preview, said: Said) -> None:
    """Publish, and move (or end) the runs."""
    from dripline.publishing.moving import Mover
    from dripline.store.audit import record_act
    from dripline.store.publications import Wish, begin, find_publication

    plan, before = preview.plan, preview.before
    wish = Wish(
        plan,
        before.hash if before else None,
        by=who(),
        why=said.why,
        in_flight=said.in_flight.value,
        what=said.what,
        said=said.steps,
    )
    with house.store.write() as connection:
        machine_now = machine_clock()
        number = begin(connection, wish, house.clock.to_house(machine_now), machine_now)
        if number is not None:
            detail = {"journey": plan.journey, "plan": plan.hash, "in_flight": said.in_flight.value}
            record_act(connection, said.what, who(), said.why, machine_now, **detail)
        publication = find_publication(connection, number or 0)
    if publication is None:
        refuse(f"Journey {plan.journey} was published by somebody else in the meantime: look again.")
    typer.echo(_done(plan, said))
    if said.in_flight is InFlight.keep:
        return
    mover = Mover(house.store, publication, machine_clock)
    with progress_bar() as bar:
        task = bar.add_task("Bringing its leads along", total=preview.forecast.runs)
        mover.carry_out(went_on=lambda runs: bar.update(task, advance=runs))
    stuck = mover.fates["stuck"]
    ended = mover.fates["ends"]
    moved = mover.fates.total() - stuck - ended
    parts = [f"{count(moved, 'lead')} moved"] if moved or not ended else []
    parts += [f"{count(ended, 'run')} ended"] if ended else []
    typer.echo(f"{', '.join(parts)}.")
    if mover.superseded:
        typer.echo(
            f"Journey {plan.journey} was published again meanwhile: the others are that publication's."
        )
    if stuck:
        typer.echo(
            f"{count(stuck, 'lead')} had come to another step in the meantime and stay on their old plan."
        )


def progress_bar() -> Progress:
    """A bar while there is much to do, for people only."""
    return Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())


def _done(plan: Plan, said: Said) -> str:
    if said.what == "retire":
        return f"Nobody enters {plan.journey} any more."
    back = "Rolled back" if said.what == "rollback" else "Published"
    return f"{back} journey {plan.journey}: leads enter by plan {plan.hash[:SHORT]} from now on."


_FATES = {
    "keeps": "finish on the plan that they began with",
    "stays": "wait on there",
    "sooner": "wait there, and go on sooner",
    "later": "wait there longer",
    "at-once": "go on from there at once: the wait would be over by now",
    "goes-on": "go on there at once",
    "begins": "begin by the new plan",
}


def _becomes(fate: Fate, step: str | None) -> str:
    if fate.kind == "ends":
        return "the run ends" + (f": {fate.to}" if fate.to not in (None, "exit") else "")
    if fate.kind == "stuck":
        return "nothing has been said of them"
    said = _FATES[fate.kind]
    return f"at {fate.to}: {said}" if fate.to not in (None, step) else said


def _wrong_map(preview: Preview) -> Iterator[str]:
    from dripline.language.problems import did_you_mean

    for step in preview.nowhere:
        hint = did_you_mean(step, preview.plan.by_id)
        yield f"--map: there is no step `{step}`" + (f"; {hint}" if hint else "") + "."


def _stuck(preview: Preview) -> Iterator[str]:
    for stuck, number in sorted(preview.forecast.stuck.items(), key=lambda one: one[0].step):
        if stuck.reason == "asking":
            yield (
                f"{count(number, 'lead')} wait at `{stuck.step}` for an answer, and the step has another id now:"
                " publish again when it has come, or give it its old id."
            )
        else:
            yield (
                f"{count(number, 'lead')} at `{stuck.step}`, which was taken out:"
                f' say where they go on, --map "{stuck.step}=STEP".'
            )


_HAZARDS = {
    "again": ("would come to `{}` a second time", "--may-double"),
    "never": ("would never come to `{}`, which is still ahead of them", "--may-lose"),
    "lacks": ("would lack `{}`, which is set behind them", "--may-lose"),
}


def _hazards(preview: Preview, said: Said) -> Iterator[str]:
    allowed = {"--may-double": said.may_double, "--may-lose": said.may_lose}
    found = sorted(preview.forecast.hazards.items(), key=lambda one: (one[0][0] or "", one[0][1].what))
    for (step, hazard), number in found:
        words, flag = _HAZARDS[hazard.kind]
        if not allowed[flag]:
            at = f"{count(number, 'lead')} at `{step}` {words.format(hazard.what)}"
            yield f'{at}: --map "{step}=STEP" puts them elsewhere, {flag} accepts it.'


def _whole(preview: Preview, said: Said) -> Iterator[str]:
    runs = preview.forecast.runs
    if preview.key_changed and said.in_flight is InFlight.move and runs:
        yield (
            f"The trigger's key was changed, and {count(runs, 'run')} were entered by the old one: they cannot be"
            " moved. --in-flight keep lets them finish on their plan."
        )
    for step, number in () if said.may_double else preview.issued_again:
        yield (
            f"The discount `{step}` is given once per lead, ever, and {number:,} have had it: under another id they"
            f" could get another. Give the step `id: {step}`, or say --may-double."
        )
