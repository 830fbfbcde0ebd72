"""`dripline score plan` and `apply`: what other rules would change, and scoring every lead anew by them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened, who
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table
from dripline.clock import machine_clock

NO_RULES = "Leads are not scored: there is no `scoring` in dripline.yaml."
_FORMAT = Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")]


def plan(form: _FORMAT = Format.text) -> None:
    """Tell what the rules of dripline.yaml would change, were every lead scored anew by them. Changes nothing."""
    with opened() as house:
        scoring = _wanted(house)
        found = _planned(house, scoring)
    _tell(found, form, "would change")


def apply(
    tell: Annotated[
        bool, typer.Option("--tell", help="Let journeys hear of those who are warmer or cooler by it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    form: _FORMAT = Format.text,
) -> None:
    """Score every lead anew by the rules of dripline.yaml, which hold from now on; tell nobody, unless you say so."""
    from dripline.ingest.scoring.anew import Difference, score_lead_anew
    from dripline.store.audit import record_act
    from dripline.store.rules import put_in_force
    from dripline.store.scores import living_after

    with opened(to_change=True) as house:
        scoring = _wanted(house)
        if not yes:
            _tell(_planned(house, scoring), Format.text, "will change")
            if not typer.confirm("Score them anew?", default=False):
                refuse("Nothing was done.")
        put_in_force(house.store, house.workspace)
        found, after = Difference(), ""
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Scoring", total=_leads(house))
            while True:
                with house.store.read() as connection:
                    ids = living_after(connection, after, 200)
                if not ids:
                    break
                for lead_id in ids:
                    with house.store.write() as connection:
                        machine = machine_clock()
                        now = house.clock.to_house(machine)
                        done = score_lead_anew(connection, scoring, lead_id, now, machine, tell=tell)
                    if done is not None:
                        found.count(*done)
                    progress.advance(task)
                after = ids[-1]
        with house.store.write() as connection:
            record_act(
                connection, "scored-anew", who(), None, machine_clock(), leads=found.leads, told=tell,
                warmth=sum(found.warmth.values()),
            )  # fmt: skip
    _tell(found, form, "changed")


def _wanted(house: Opened) -> Any:
    """The scoring of the workspace file, if nothing in it is wrong."""
    from dripline.language.compile_scoring import check_scoring, compile_scoring

    wrong = [
        one for one in check_scoring(house.settings.workspace, house.workspace) if one.severity == "error"
    ]
    if wrong:
        refuse("\n".join(map(str, wrong)))
    scoring = compile_scoring(house.workspace)
    if scoring is None:
        refuse(NO_RULES)
    return scoring


def _planned(house: Opened, scoring: Any) -> Any:
    from dripline.ingest.scoring.anew import Difference, plan_anew

    found = Difference()
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Looking", total=_leads(house))
        for found in plan_anew(house.store, scoring, house.clock.to_house(machine_clock())):
            progress.update(task, completed=found.leads)
    return found


def _leads(house: Opened) -> int:
    from dripline.store.scores import count_scores

    with house.store.read() as connection:
        return sum(row.leads for row in count_scores(connection))


def _tell(found: Any, form: Format, verb: str) -> None:
    if form is Format.json:
        pairs = {
            name: [
                {"before": before, "after": after, "leads": number}
                for (before, after), number in sorted(those.items())
            ]
            for name, those in (("warmth", found.warmth), ("grades", found.grades))
        }
        print_json({"leads": found.leads, "scores": found.scores, **pairs})
        return
    table = new_table("", "from", "to", "leads")
    for name, those in (("warmth", found.warmth), ("grade", found.grades)):
        for (before, after), number in sorted(those.items()):
            add(table, name, before, after, f"{number:,}")
    print_table(table, "Nobody is warmer, cooler, or of another grade.")
    typer.echo(f"Of {count(found.leads, 'lead')}, the scores of {found.scores:,} {verb} by a point or more.")


def _pairs(counted: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    return [
        {"before": before, "after": after, "leads": number}
        for (before, after), number in sorted(counted.items())
    ]


__all__ = ["NO_RULES", "apply", "plan"]
