"""`dripline audit`: what people did to the installation, in one place."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import Format, add, new_table, print_json, print_table
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from dripline.store.audit import Act


def register(app: typer.Typer) -> None:
    """Add `dripline audit`."""
    app.command("audit")(audit)


def audit(
    since: Annotated[
        str | None, typer.Option(metavar="DAY|LENGTH", help="From that day on, or for so long: 7d.")
    ] = None,
    what: Annotated[str | None, typer.Option(help="Only that: publish; key is all about keys.")] = None,
    by: Annotated[str | None, typer.Option(help="Part of who did it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 50,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Show who did what, when and why: keys, people, logins, brakes, publications, erasures; newest first."""
    from dripline.store.audit import Wanted, list_acts

    with opened() as house:
        begin = _begin(house, since)
        with house.store.read() as connection:
            found = list_acts(connection, Wanted(begin, what, by), None, limit + 1)
        if form is Format.json:
            print_json([asdict(act) for act in found[:limit]])
            return
        table = new_table("When", "What", "By", "Why", "More")
        for act in found[:limit]:
            add(table, house.minute(act.at), act.what, act.by or act.about or "", act.why or "", _more(act))
    print_table(table, "Nothing like that was done.")
    if len(found) > limit:
        typer.echo(f"There are more than {limit}: see --limit.")


def _more(act: Act) -> str:
    said = {name: value for name, value in act.detail.items() if name != "user" or not act.about}
    parts = [act.about] if act.about and act.by else []
    for name, value in said.items():
        told = ", ".join(map(str, value)) if isinstance(value, list) else value
        parts.append(f"{name}: {told}")
    return "; ".join(parts)


def _begin(house: Opened, since: str | None) -> datetime | None:
    from dripline.language.durations import DurationError, parse_duration

    if since is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(since), time(), house.zone)
    except ValueError:
        pass
    try:
        length = parse_duration(since)
    except DurationError:
        refuse(f"--since: `{since}` is no day and no length of time; write it like 2026-03-01 or 7d.")
    return machine_clock() - timedelta(days=length.days + 30 * length.months, seconds=length.seconds)
