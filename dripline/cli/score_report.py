"""`dripline score report`: scores at the time beside what leads then did."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import opened
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table
from dripline.clock import machine_clock


def report(
    goal: Annotated[
        str | None, typer.Option(help="The event that shows that a lead buys; without it, that of `orders`.")
    ] = None,
    after: Annotated[
        int, typer.Option(min=1, max=365, help="Days after a lead came when it is looked at.")
    ] = 14,
    within: Annotated[int, typer.Option(min=1, max=730, help="Days for which it is then watched.")] = 60,
    form: Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")] = Format.text,
) -> None:
    """Judge the rules by what leads did: which foretell who buys, which say nothing, which the contrary."""
    from dripline.language.problems import did_you_mean
    from dripline.reports.scores import Question, as_data, bad_rules, judge_by_history, say_rule_verdict
    from dripline.store.rules import current_rules

    with opened() as house, house.store.read() as connection:
        rules = current_rules(connection)
        if rules.scoring is None:
            refuse("Leads are not scored: there is no `scoring` in dripline.yaml.")
        wanted = goal or (rules.orders.event if rules.orders else None)
        if wanted is None:
            refuse("Say by which event leads show that they buy: --goal order.paid.")
        if wanted not in house.workspace.events:
            refuse(f"No event `{wanted}` is declared. {did_you_mean(wanted, house.workspace.events)}".strip())
        question = Question(wanted, timedelta(days=after), timedelta(days=within))
        now = house.clock.to_house(machine_clock())
        judged = judge_by_history(connection, rules.scoring, question, now)
    if form is Format.json:
        print_json(as_data(judged, question))
        return
    typer.echo(
        f"{count(judged.leads, 'lead')} looked at {after} days after they came;"
        f" {judged.bought:,} of them had {wanted} within the next {within} days."
    )
    table = new_table("rule", "points", "with it", "buy", "without", "buy", "lift", "95%", "verdict")
    for one in judged.rules:
        between = one.judged.lift_between
        add(
            table,
            one.rule,
            f"{one.points:g}",
            f"{one.having.leads:,}",
            f"{one.having.share:.1%}",
            f"{one.lacking.leads:,}",
            f"{one.lacking.share:.1%}",
            "" if one.judged.lift is None else f"{one.judged.lift:+.0%}",
            "" if between is None else f"{between.low:+.0%} to {between.high:+.0%}",
            say_rule_verdict(one),
        )
    print_table(table, "There are no rules.")
    for name, counted in judged.by_warmth.items():
        typer.echo(f"Of {counted.leads:,} who were {name}, {counted.hits:,} bought ({counted.share:.1%}).")
    if judged.ranking is not None and judged.ranking_between is not None:
        low, high = judged.ranking_between.low, judged.ranking_between.high
        typer.echo(
            f"Of one who bought and one who did not, the first had more points in {judged.ranking:.0%} of all pairs"
            f" ({low:.0%} to {high:.0%}; by a coin 50%)."
        )
    for advice in bad_rules(judged):
        typer.echo(advice)


__all__ = ["report"]
