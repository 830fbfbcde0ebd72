"""Answering what waits for a person: which are meant, are you sure, and then each under its lead's lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich.progress import Progress

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, who
from dripline.cli.showing import add, count, new_table, print_table
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from dripline.store.answers import Answer
    from dripline.store.held import Held, Wanted

SHOWN = 20
"""Lines of a preview."""
_WITH_A_BAR = 300


def choose(house: Opened, wanted: Wanted, everything: bool) -> list[Held]:
    """Those that are meant, or the end of the command: each given id must begin exactly one of them."""
    from dripline.store.held import list_held

    if bool(wanted.ids) == everything:
        refuse("Say which: the beginnings of their ids, or --all.")
    with house.store.read() as connection:
        found = list_held(connection, house.clock, wanted)
    for start in wanted.ids:
        meant = sum(one.id.startswith(start) for one in found)
        if meant != 1:
            problem = "Nothing that waits has an id" if not meant else f"{meant} ids begin"
            refuse(f"{problem} like {start}: see `dripline held`.")
    return found


def confirm(house: Opened, chosen: list[Held], verb: str, *, may_double: bool, yes: bool) -> list[Held]:
    """Those that shall be answered after a look at them, or the end of the command.

    What may have left already is left out, unless somebody says plainly that it may be doubled.
    """
    preview(house, chosen)
    risky = [one for one in chosen if one.may_double]
    if risky and not may_double:
        typer.echo(
            f"{len(risky)} of these may have left already: nobody knows. To send them again may give people"
            " the same message twice."
        )
        if yes or not typer.confirm(f"Answer {len(risky)} of them all the same?", default=False):
            chosen = [one for one in chosen if not one.may_double]
            typer.echo("They are left as they are (--may-double takes them as well).")
    elif risky:
        typer.echo(f"{len(risky)} of these may have left already, and may now be sent twice.")
    if not chosen:
        refuse("Nothing was done.")
    if not yes and not typer.confirm(f"{verb} {_amount(chosen)}?", default=False):
        refuse("Nothing was done.")
    return chosen


def preview(house: Opened, chosen: Sequence[Held]) -> None:
    """Show the first of them, and how many there are by journey and reason."""
    show(house, chosen[:SHOWN])
    if len(chosen) <= SHOWN:
        return
    typer.echo(f"… and {len(chosen) - SHOWN:,} more. All of them:")
    kinds = Counter((one.journey, one.state, one.reason) for one in chosen)
    for (journey, state, reason), number in kinds.most_common(SHOWN):
        typer.echo(f"  {number:>7,}  {journey}  {state}: {reason}")


def show(house: Opened, some: Sequence[Held]) -> None:
    """A table of what waits."""
    table = new_table("Id", "Since", "Lead", "Journey", "What", "State and reason")
    for one in some:
        what = f"stands at {one.step}" if one.is_run else one.what
        reason = f"{one.state}: {one.reason}" + (" (may have left already)" if one.may_double else "")
        # Beginnings of runs' ids are times: of many runs made at once they are the same.
        start = one.id if one.is_run else one.id[:12]
        add(table, start, house.minute(one.since), one.lead, one.journey, what, reason)
    print_table(table, "Nothing waits for a person.")


def answer_each(
    house: Opened, chosen: Sequence[Held], answer: Answer, what: str, why: str | None = None
) -> int:
    """Answer them, with a bar where they are many; for how many it was done."""
    from dripline.store.answers import answer_each as answer_all

    with Progress(disable=len(chosen) < _WITH_A_BAR, transient=True) as bar:
        task = bar.add_task("Answering", total=len(chosen))

        def advance(number: int) -> None:
            bar.advance(task, number)

        return answer_all(house.store, house.clock, chosen, answer, machine_clock, what, who(), why, advance)


def _amount(chosen: Sequence[Held]) -> str:
    runs = sum(one.is_run for one in chosen)
    parts = [count(len(chosen) - runs, "message")] if len(chosen) > runs else []
    return " and ".join([*parts, *([count(runs, "run")] if runs else [])])
