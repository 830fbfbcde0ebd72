"""`dripline journeys`, `history`, `diff`: what is published, what was, and what the files would change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dripline.cli.asking import clean, refuse
from dripline.cli.changing import SHORT, read_files
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import Format, add, new_table, print_json, print_table

if TYPE_CHECKING:
    from dripline.language.plan import Plan
    from dripline.store.publications import Followed

_FORM = Annotated[Format, typer.Option("--format", help="For people, or for programs.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("journeys")(show_journeys)
    app.command("history")(show_history)
    app.command("diff")(show_differences)


def show_journeys(form: _FORM = Format.text) -> None:
    """Show every journey: who is in it, which plan leads enter by, and whether its file says the same."""
    from dripline.language.project import load_project
    from dripline.store.publications import followed

    with opened() as house:
        files = load_project(house.settings.workspace).plans
        with house.store.read() as connection:
            known = {one.journey: one for one in followed(connection)}
        rows = [_row(house, name, known.get(name), files.get(name)) for name in sorted({*files, *known})]
    if form is Format.json:
        print_json(rows)
        return
    table = new_table("Journey", "Leads in it", "On older plans", "Plan", "Published", "State")
    for row in rows:
        plan = (row["plan"] or "")[:SHORT]
        at = house.minute(row["published_at"]) if row["published_at"] else ""
        add(table, row["journey"], f"{row['runs']:,}", f"{row['older']:,}", plan, at, ", ".join(row["state"]))
    print_table(table, "There are no journeys.")


def show_history(
    journey: Annotated[str, typer.Argument(help="The journey.")], form: _FORM = Format.text
) -> None:
    """Show what a journey was made to follow, newest first: when, by whom, why, and what became of its leads."""
    from dripline.store.publications import followed, history

    with opened() as house, house.store.read() as connection:
        rows = history(connection, journey)
        runs = {plan: number for one in followed(connection, journey) for plan, number in one.runs.items()}
        if not rows:
            refuse(f"No journey {journey} has been published: see `dripline journeys`.")
        if form is Format.json:
            names = ("id", "at", "what", "plan_hash", "in_flight", "by", "why", "detail", "settled_at")
            print_json([{name: getattr(row, name) for name in names} for row in rows])
            return
        table = new_table("When", "What", "Plan", "In flight", "Leads on it", "By", "Why")
        for row in rows:
            done = row.settled_at is not None or row.passed_at is not None or row.in_flight == "keep"
            policy = row.in_flight + ("" if done else " (going on)")
            on_it = f"{runs.pop(row.plan_hash, 0):,}"
            add(
                table,
                house.minute(row.at),
                row.what,
                row.plan_hash[:SHORT],
                policy,
                on_it,
                row.by or "",
                row.why or "",
            )
    print_table(table, "")


def show_differences(
    journey: Annotated[str | None, typer.Argument(help="Only this journey.")] = None,
) -> None:
    """Show what the files would change in the published journeys."""
    from dripline.publishing.differences import differences
    from dripline.publishing.matching import match
    from dripline.store.plans import load_plan
    from dripline.store.publications import followed

    with opened() as house:
        files = read_files(house).plans
        with house.store.read() as connection:
            known = {
                one.journey: load_plan(connection, one.plan_hash)
                for one in followed(connection)
                if one.retired_at is None
            }
    names = sorted({*files, *known})
    if journey is not None and journey not in names:
        refuse(f"There is no journey {journey}: see `dripline journeys`.")
    said = False
    for name in [journey] if journey else names:
        new, old = files.get(name), known.get(name)
        if new is None or old is None:
            typer.echo(f"{name}: {'has no file any more' if new is None else 'is not published yet'}")
        elif old.hash != new.hash:
            typer.echo(f"{name}: {old.hash[:SHORT]} → {new.hash[:SHORT]}")
            for sign, text in differences(match(old, new), old, new):
                typer.echo(clean(f"  {sign} {text}"))
        else:
            continue
        said = True
    if not said:
        typer.echo("Everything is published as the files say.")


def _row(house: Opened, name: str, one: Followed | None, file: Plan | None) -> dict[str, Any]:
    if one is None:
        return {
            "journey": name,
            "runs": 0,
            "older": 0,
            "plan": None,
            "published_at": None,
            "state": ["not published yet"],
        }
    return {
        "journey": name,
        "runs": sum(one.runs.values()),
        "older": sum(number for plan, number in one.runs.items() if plan != one.plan_hash),
        "plan": one.plan_hash,
        "published_at": one.published_at,
        "state": list(_states(house, one, file)),
    }


def _states(house: Opened, one: Followed, file: Plan | None) -> list[str]:
    states = []
    if one.retired_at is not None:
        states.append("taken out")
    elif file is None:
        states.append("its file is missing or has errors")
    elif file.hash != one.plan_hash:
        states.append("its file says something else")
    if one.paused_at is not None:
        states.append(f"paused since {house.minute(one.paused_at)}")
    if one.moving:
        states.append("its leads are being moved")
    return states or ["as its file says"]
