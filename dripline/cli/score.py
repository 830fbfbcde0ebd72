"""`dripline score …`: how leads are scored, why one has its score, and what other rules would change."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened
from dripline.cli.score_anew import NO_RULES, apply, plan
from dripline.cli.score_report import report
from dripline.cli.showing import Format, add, new_table, print_json, print_table
from dripline.clock import machine_clock

_FORMAT = Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")]


def register(app: typer.Typer) -> None:
    """Add `dripline score`."""
    score = typer.Typer(
        help="How leads are scored, why one has its score, and whether the rules are any good."
    )
    score.callback(invoke_without_command=True)(show)
    score.command("plan")(plan)
    score.command("apply")(apply)
    score.command("report")(report)
    app.add_typer(score, name="score")


def show(
    context: typer.Context,
    explain: Annotated[
        str | None, typer.Option("--explain", metavar="LEAD", help="Say why this lead has its score.")
    ] = None,
    form: _FORMAT = Format.text,
) -> None:
    """How leads are scored, why one has its score, and whether the rules are any good."""
    if context.invoked_subcommand is not None:
        return
    if explain is not None:
        _explain(explain, form)
    else:
        _overview(form)


def _explain(text: str, form: Format) -> None:
    from dataclasses import asdict

    from dripline.ingest.scoring.explaining import explain_score

    with opened() as house, house.store.read() as connection:
        lead = house.lead(connection, text)
        explained = explain_score(connection, lead, house.clock.to_house(machine_clock()))
        if explained is None:
            refuse(NO_RULES)
        if form is Format.json:
            print_json({"lead": lead.id, **asdict(explained)})
            return
        for line in score_lines(explained, house):
            typer.echo(line)
        table = new_table("because of", "times", "points", "worth now", "last", "worth half after")
        for one in explained.reasons:
            add(table, *reason_cells(one, house))
    print_table(table, "Nothing has given points.")


def score_lines(explained: Any, house: Opened) -> list[str]:
    """What the score is, and what follows from it."""
    grade = f", grade {explained.grade} (by {explained.fit:g} points)" if explained.grade else ""
    lines = [f"{explained.score:g} points: {explained.warmth}{grade}."]
    if explained.warmth != "hot":
        nearer = "hot" if explained.warmth == "warm" else "warm"
        wanted = explained.hot if nearer == "hot" else explained.warm
        lines.append(f"It is {nearer} from {wanted:g} points on: {wanted - explained.score:g} more.")
    if explained.cools_at:
        lines.append(f"If nothing more happens, it cools on {house.minute(explained.cools_at)}.")
    went = [f"{one.warmth} since {house.minute(one.at)}" for one in _turns(explained.history)][-5:]
    return [*lines, *([f"It went: {', '.join(went)}."] if len(went) > 1 else [])]


def reason_cells(one: Any, house: Opened) -> tuple[str, ...]:
    """A reason as a row of a table."""
    from dripline.ingest.scoring.explaining import say_rule
    from dripline.language.scoring import say_seconds

    stands = "as long as it is so" if one.kind == "fact" else "never"
    return (
        say_rule(one.rule),
        str(one.times) if one.kind != "fact" else "",
        f"{one.points:g}",
        f"{one.worth:g}",
        house.minute(one.last_at) if one.last_at else "",
        say_seconds(one.half_life) if one.half_life else stands,
    )


def _turns(history: Any) -> list[Any]:
    """The changes at which the lead became warmer or cooler."""
    return [
        one
        for before, one in zip((None, *history), history, strict=False)
        if before is None or one.warmth != before.warmth
    ]


def _overview(form: Format) -> None:
    from dripline.language.compile_scoring import compile_scoring
    from dripline.store.rules import current_rules
    from dripline.store.scores import count_scores

    with opened() as house, house.store.read() as connection:
        scoring = current_rules(connection).scoring
        rows = count_scores(connection)
        differs = scoring != compile_scoring(house.workspace)
    warmth, grades = Counter[str](), Counter[str]()
    for row in rows:
        warmth[row.warmth or "not scored"] += row.leads
        grades[row.grade or "none"] += row.leads
    if form is Format.json:
        rules = scoring.model_dump(mode="json") if scoring else None
        print_json({"rules": rules, "differs": differs, "warmth": dict(warmth), "grades": dict(grades)})
        return
    if scoring is None and not differs:
        refuse(NO_RULES)
    table = new_table("rule", "points", "worth half after", "at most")
    for rule in scoring.rules if scoring else ():
        add(table, *_rule_cells(rule))
    print_table(table, "No rules are in force.")
    for counted in (warmth, grades):
        if set(counted) - {"none"}:
            typer.echo(", ".join(f"{name}: {number:,}" for name, number in sorted(counted.items())))
    if differs:
        typer.echo("dripline.yaml says other rules: `dripline score plan` tells what they would change.")


def _rule_cells(rule: Any) -> tuple[str, ...]:
    from dripline.language.scoring import DAY, say_seconds

    half = (
        say_seconds(rule.half_life) if rule.half_life else "never" if rule.events else "as long as it is so"
    )
    most = ""
    if rule.most is not None and rule.per is not None:
        most = f"{rule.most} per {say_seconds(rule.per)}" if rule.per < 36_000 * DAY else f"{rule.most} ever"
    return (rule.name, f"{rule.points:g}", half, most)


__all__ = ["register"]
