"""`dripline survey …`: what surveys came to, and what leads said."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table

_FORMAT = Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")]
_SURVEY = Annotated[str, typer.Argument(help="The survey, as `surveys` in dripline.yaml calls it.")]
_DAY = ["%Y-%m-%d"]
BAR = 24
"""Letters of the longest bar."""


def register(app: typer.Typer) -> None:
    """Add `dripline survey`."""
    survey = typer.Typer(no_args_is_help=True, help="Surveys: what leads were asked, and what they answered.")
    survey.command("list")(listed)
    survey.command("results")(results)
    survey.command("answers")(answers)
    survey.command("answer")(answer)
    app.add_typer(survey, name="survey")


def listed(form: _FORMAT = Format.text) -> None:
    """List the surveys, and how often each was asked and answered."""
    from dripline.reports.surveys import counted

    with opened() as house, house.store.read() as connection:
        used = counted(connection)
    told: list[dict[str, Any]] = [
        {"survey": name, "kind": _kind(house, used, name), "asked": asked, "answered": replied}
        for name in sorted({*used, *house.workspace.surveys})
        for _, asked, replied in [used.get(name, ("", 0, 0))]
    ]
    if form is Format.json:
        print_json(told)
        return
    table = new_table("survey", "kind", "asked", "answered")
    for one in told:
        add(table, one["survey"], one["kind"], f"{one['asked']:,}", f"{one['answered']:,}")
    print_table(table, "There is no survey: declare one under `surveys` in dripline.yaml.")


def results(
    survey: _SURVEY,
    by: Annotated[
        str | None, typer.Option(help="Tell apart by month, week, journey, via, stage, warmth, …")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Only what was asked on this day or later.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=_DAY, help="Only what was asked before this day.")
    ] = None,
    form: _FORMAT = Format.text,
) -> None:
    """Show what a survey came to: the score, how sure it is, and who said what."""
    from dripline.reports.surveys import WAYS, counted, read_results, told

    way = next((one for one in WAYS if one == by), None)
    if by is not None and way is None:
        refuse(f"--by is one of {', '.join(WAYS)}.")
    with opened() as house, house.store.read() as connection:
        kind = _known(house, counted(connection), survey)
        zone = house.zone
        first, last = (day and day.replace(tzinfo=zone) for day in (since, until))
        found = read_results(connection, survey, kind, way, first, last, zone)
    if form is Format.json:
        print_json(told(found))
        return
    _show(told(found), kind)


def answers(
    survey: _SURVEY,
    commented: Annotated[bool, typer.Option("--commented", help="Only those with words.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="So many, the newest.")] = 50,
    form: _FORMAT = Format.text,
) -> None:
    """List what leads answered, with their words, newest first."""
    from dripline.reports.surveys import counted, list_answers

    with opened() as house, house.store.read() as connection:
        _known(house, counted(connection), survey)
        rows = list_answers(connection, survey, limit, commented=commented)
        names = ("lead_id", "answered_at", "answer", "score", "comment", "answers", "via", "journey")
        told = [{name: getattr(row, name) for name in names} for row in rows]
    if form is Format.json:
        print_json(told)
        return
    table = new_table("when", "lead", "answer", "via", "words")
    for one in told:
        add(
            table,
            house.minute(one["answered_at"]),
            one["lead_id"],
            one["answer"],
            one["via"] or "",
            one["comment"] or "",
        )
    print_table(table, "Nobody has answered yet.")


def answer(
    survey: _SURVEY,
    lead: Annotated[str, typer.Argument(help="The lead: an id, an e-mail address, a number.")],
    said: Annotated[str, typer.Argument(metavar="ANSWER", help="The number, or the answer's key.")],
    comment: Annotated[str | None, typer.Option(help="What the lead said besides.")] = None,
) -> None:
    """Record an answer that came another way, such as by phone: journeys go on by it."""
    from dripline.ingest.incoming import EventIn
    from dripline.ingest.refusal import Refused
    from dripline.ingest.service import Ingest
    from dripline.language.surveys.answers import ANSWERED
    from dripline.reports.surveys import counted

    with opened(to_change=True) as house:
        with house.store.read() as connection:
            _known(house, counted(connection), survey)
            lead_id = house.lead(connection, lead).id
        properties: dict[str, Any] = {"survey": survey, "answer": said, "via": "api"}
        if comment:
            properties["comment"] = comment
        event = EventIn.model_validate({"name": ANSWERED, "lead": lead_id, "properties": properties})
        try:
            Ingest(house.store, house.workspace).record_event(event)
        except Refused as refusal:
            refuse("; ".join(f"The answer {one.detail}" for one in refusal.errors) or refusal.detail)
    typer.echo("Kept.")


def _show(told: dict[str, Any], kind: str) -> None:
    rate = "" if told["response_rate"] is None else f" ({told['response_rate']:g}%)"
    replied = count(told["answered"], "answer")
    typer.echo(f"{told['survey']}: asked {told['asked']:,} times, {replied}{rate}.")
    if told["score"] is not None:
        typer.echo(_score(told, kind))
    if told["answers"]:
        most = max(told["answers"].values())
        table = new_table("answer", "times", "")
        for said, number in told["answers"].items():
            add(table, said, f"{number:,}", "█" * max(1, round(BAR * number / most)))
        print_table(table, "")
    if told["apart"]:
        table = new_table("", "asked", "answered", "rate", "score", "95 of 100 within")
        for one in told["apart"]:
            share = "" if one["response_rate"] is None else f"{one['response_rate']:g}%"
            score = "" if one["score"] is None else f"{one['score']:g}"
            within = "{:g} to {:g}".format(*one["interval"]) if one["interval"] else ""
            add(table, one["name"], f"{one['asked']:,}", f"{one['answered']:,}", share, score, within)
        print_table(table, "")


def _score(told: dict[str, Any], kind: str) -> str:
    named = {"nps": "Net Promoter Score {:g}", "csat": "{:g}% are content", "quiz": "{:g}% right"}[kind]
    within = " ({:g} to {:g} in 95 of 100 cases)".format(*told["interval"]) if told["interval"] else ""
    groups = ", ".join(
        count(number, name) if name[-1] == "r" or name == "passive" else f"{number:,} {name}"
        for name, number in told["groups"].items()
    )
    return named.format(told["score"]) + within + (f": {groups}." if groups else ".")


def _kind(house: Opened, used: dict[str, tuple[str, int, int]], survey: str) -> str:
    entry = house.workspace.surveys.get(survey)
    return entry.kind if entry is not None else used.get(survey, ("", 0, 0))[0]


def _known(house: Opened, used: dict[str, tuple[str, int, int]], survey: str) -> str:
    from dripline.language.problems import did_you_mean

    kind = _kind(house, used, survey)
    if not kind:
        known = {*used, *house.workspace.surveys}
        hint = did_you_mean(survey, known) or f"there are {', '.join(sorted(known)) or 'none yet'}"
        refuse(f"There is no survey {survey}: {hint}.")
    return kind
