"""`dripline publish`, `rollback`: making journeys what their files say, or what they were before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dripline.cli.asking import clean, refuse
from dripline.cli.changing import (
    InFlight,
    Said,
    carry_out,
    look,
    problems,
    read_files,
    read_map,
    show,
    unknown_steps,
)
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import count

if TYPE_CHECKING:
    from dripline.language.plan import Plan
    from dripline.publishing.preview import Preview
    from dripline.store.publications import Followed

InFlightOption = Annotated[
    InFlight,
    typer.Option(
        "--in-flight",
        help="Those who are in it: keep (finish on their plan), move (same step, new plan), exit (leave).",
    ),
]
MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="OLD=NEW", help="Where those at a step that was taken out go on."),
]
DoubleOption = Annotated[bool, typer.Option("--may-double", help="Let leads come to steps again.")]
LoseOption = Annotated[bool, typer.Option("--may-lose", help="Let leads miss what lay ahead of them.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]
WhyOption = Annotated[str | None, typer.Option("--why", help="Why: kept, and shown by `dripline history`.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("publish")(publish)
    app.command("rollback")(roll_back)


def publish(
    journeys: Annotated[list[str] | None, typer.Argument(help="Only these journeys.")] = None,
    in_flight: InFlightOption = InFlight.keep,
    steps: MapOption = None,
    may_double: DoubleOption = False,
    may_lose: LoseOption = False,
    dry_run: DryOption = False,
    why: WhyOption = None,
    yes: YesOption = False,
) -> None:
    """Make journeys what their files say, and tell before what becomes of those who are in them.

    Leads enter by the new plan from then on. A journey whose file is gone is taken out, if you say so.
    """
    said = Said(in_flight, read_map(steps), may_double, may_lose, why)
    with opened(to_change=True) as house:
        project = read_files(house)
        _make_rules_known(house, dry_run=dry_run)
        _make_catalogue_known(house, dry_run=dry_run)
        known = _followed(house)
        _refuse_unknown(journeys or [], {*project.plans, *known})
        wanted = {name: plan for name, plan in project.plans.items() if not journeys or name in journeys}
        previews = [look(house, plan, _plan(house, known.get(name)), said) for name, plan in wanted.items()]
        previews = [one for one in previews if _changes(one, known.get(one.plan.journey))]
        gone = [name for name, one in known.items() if name not in project.plans and one.retired_at is None]
        gone = [name for name in gone if not journeys or name in journeys]
        if not previews and not gone:
            typer.echo("Nothing to publish: everything is as the files say.")
            return
        _publish(house, previews, said, dry_run=dry_run, yes=yes)
        for name in gone:
            named = name in (journeys or [])
            _take_out(house, known[name], list(wanted.values()), said, named=named, dry_run=dry_run, yes=yes)


def roll_back(
    journey: Annotated[str, typer.Argument(help="The journey.")],
    to: Annotated[
        str | None, typer.Option(help="The beginning of a plan's hash, as `dripline history` shows it.")
    ] = None,
    in_flight: InFlightOption = InFlight.keep,
    steps: MapOption = None,
    may_double: DoubleOption = False,
    may_lose: LoseOption = False,
    dry_run: DryOption = False,
    why: WhyOption = None,
    yes: YesOption = False,
) -> None:
    """Make a journey follow a plan that it followed before: without --to, the last other one.

    The file stays as it is; mend it, or the next `dripline publish` brings its plan back.
    """
    from dripline.store.plans import load_plan
    from dripline.store.publications import history

    said = Said(in_flight, read_map(steps), may_double, may_lose, why, what="rollback")
    with opened(to_change=True) as house:
        known = _followed(house)
        _refuse_unknown([journey], set(known))
        now = known[journey].plan_hash
        with house.store.read() as connection:
            hashes = list(dict.fromkeys(row.plan_hash for row in history(connection, journey)))
            others = [one for one in hashes if one != now and one.startswith(to or "")]
            if not others or (to and len(others) > 1):
                which = f"`dripline history {journey}` shows its plans."
                refuse(f"There is no {'one' if to else 'other'} plan like that to go back to: {which}")
            plan = load_plan(connection, others[0])
        _publish(
            house, [look(house, plan, _plan(house, known[journey]), said)], said, dry_run=dry_run, yes=yes
        )


def _publish(house: Opened, previews: list[Preview], said: Said, *, dry_run: bool, yes: bool) -> None:
    """Show, refuse or ask, and do it."""
    wrong = list(unknown_steps(previews)) if previews else []
    for preview in previews:
        show(preview)
        wrong += [f"{preview.plan.journey}: {problem}" for problem in problems(preview, said)]
        typer.echo("")
    if wrong:
        typer.echo(clean("\n".join(wrong)), err=True)
        refuse("Nothing was published.")
    if dry_run:
        typer.echo("Nothing was published: this was to look only.")
        return
    if not previews:
        return
    leads = sum(preview.forecast.runs for preview in previews)
    then = {
        "keep": f"; {count(leads, 'lead')} in flight finish on their old plan",
        "move": f", and move {count(leads, 'lead')} to it",
        "exit": f", and end the runs of {count(leads, 'lead')}",
    }
    names = ", ".join(preview.plan.journey for preview in previews)
    verb = "Roll back" if said.what == "rollback" else "Publish"
    if not yes and not typer.confirm(
        f"{verb} {names}{then[said.in_flight.value] if leads else ''}?", default=False
    ):
        refuse("Nothing was published.")
    for preview in previews:
        carry_out(house, preview, said)


def _take_out(
    house: Opened, one: Followed, files: list[Plan], said: Said, *, named: bool, dry_run: bool, yes: bool
) -> None:
    """A journey that has no file any more: nobody enters, and its runs finish or end."""
    from dripline.publishing.forecast import Fate
    from dripline.publishing.matching import match
    from dripline.publishing.preview import Preview

    plan = _plan(house, one)
    if plan is None:
        return
    leads = sum(one.runs.values())
    typer.echo(f"{one.journey} has no file any more, and is still published: leads enter it.")
    new = [other for other in files if len(match(plan, other).pairs) > len(plan.steps) / 2]
    if new:
        typer.echo(
            f"  {new[0].journey} has most of its steps. A new name is a new journey: those who are in"
            f" {one.journey}\n  stay in it, and may enter {new[0].journey} besides."
        )
    becomes = "end" if said.in_flight is InFlight.exit else "finish on the plan that they began with"
    typer.echo(f"  Taken out, nobody enters any more; {count(leads, 'lead')} in it {becomes}.")
    if dry_run:
        return
    if yes and not named:
        typer.echo(f"  It was left as it is: `dripline publish {one.journey}` takes it out.")
        return
    if not yes and not typer.confirm(f"Take {one.journey} out?", default=False):
        typer.echo("  It was left as it is.")
        return
    preview = Preview(plan, plan, "exit" if said.in_flight is InFlight.exit else "keep")
    preview.forecast.fates[None, Fate("ends", "exit")] = leads
    in_flight = InFlight.exit if said.in_flight is InFlight.exit else InFlight.keep
    carry_out(house, preview, replace(said, in_flight=in_flight, steps={}, what="retire"))


def _make_rules_known(house: Opened, *, dry_run: bool) -> None:
    """What dripline.yaml says of orders and the like holds from now on, for whoever records events."""
    from dripline.store.rules import are_known, make_known

    if are_known(house.store, house.workspace):
        return
    if dry_run:
        typer.echo("The rules of dripline.yaml have changed, and will hold with the next publication.")
    elif make_known(house.store, house.workspace):
        typer.echo("The rules of dripline.yaml hold as they are now.")


def _make_catalogue_known(house: Opened, *, dry_run: bool) -> None:
    """What products.yaml says is the catalogue from now on."""
    from dripline.ingest.catalogue import Terms, last, load_products

    if house.workspace.catalogue is None:
        return
    terms = Terms.of(house.workspace)
    loaded = last(load_products(house.store, terms, house.workspace.catalogue, dry_run=dry_run))
    if loaded.anything:
        said = "would change with the next publication" if dry_run else "holds as products.yaml says it now"
        numbers = f"{len(loaded.new)} new, {len(loaded.changed)} changed, {len(loaded.archived)} taken out"
        typer.echo(f"The catalogue {said}: {numbers}.")


def _changes(preview: Preview, one: Followed | None) -> bool:
    """Whether there is anything to do: another plan, runs on another one, or a journey that had been taken out."""
    behind = preview.policy != "keep" and preview.forecast.runs
    return preview.is_edit or bool(behind) or (one is not None and one.retired_at is not None)


def _followed(house: Opened) -> dict[str, Any]:
    from dripline.store.publications import followed

    with house.store.read() as connection:
        return {one.journey: one for one in followed(connection)}


def _plan(house: Opened, one: Followed | None) -> Plan | None:
    from dripline.store.plans import load_plan

    if one is None:
        return None
    with house.store.read() as connection:
        return load_plan(connection, one.plan_hash)


def _refuse_unknown(names: list[str], known: set[str]) -> None:
    from dripline.language.problems import did_you_mean

    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            refuse(f"There is no journey {name}" + (f": {hint}" if hint else "."))
