"""`dripline held`: everything that waits for a person, and the person's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dripline.cli.answering import answer_each, choose, confirm, preview, show
from dripline.cli.asking import WHO, refuse
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import Format, count, print_json

if TYPE_CHECKING:
    from dripline.store.held import Held


class State(StrEnum):
    """How something waits for a person."""

    HELD = "held"
    UNCERTAIN = "uncertain"
    PARKED = "parked"


def register(app: typer.Typer) -> None:
    """Add `dripline held`."""
    app.command("held")(held)


def held(
    ids: Annotated[
        list[str] | None, typer.Argument(help="With --send or --skip: which; the beginnings of ids do.")
    ] = None,
    send: Annotated[
        bool, typer.Option("--send", help="Let them go: messages leave, runs try again.")
    ] = False,
    skip: Annotated[
        bool, typer.Option("--skip", help="Never send these messages; end these runs where they stand.")
    ] = False,
    everything: Annotated[
        bool,
        typer.Option("--all", help="All that the filters leave (for --skip, runs only with --state parked)."),
    ] = False,
    journey: Annotated[str | None, typer.Option(help="Only those of this journey.")] = None,
    lead: Annotated[str | None, typer.Option(help=f"Only those of this lead. {WHO}")] = None,
    reason: Annotated[str | None, typer.Option(help="Only those whose reason contains this.")] = None,
    state: Annotated[
        State | None, typer.Option(help="Only held or uncertain messages, or parked runs.")
    ] = None,
    why: Annotated[
        str, typer.Option(help="With --skip: the reason that is kept with them.")
    ] = "skipped by a person",
    may_double: Annotated[
        bool, typer.Option("--may-double", help="With --send: also what may have left already.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Show at most so many.")] = 50,
    form: Annotated[Format, typer.Option("--format", help="For people, or for programs.")] = Format.text,
) -> None:
    """Show everything that waits for a person, and answer it: `held --send ID…`, `held --skip ID…`.

    Held: a message that a brake, a restore or a template that cannot be filled kept back. Uncertain: the provider may
    or may not have taken it. Parked: a run that cannot go on. What is uncertain is never sent again unasked.
    """
    from dripline.store.held import STATES, Wanted, list_held

    if send and skip:
        refuse("Say --send or --skip, not both.")
    if not (send or skip) and (ids or everything):
        refuse("Say --send or --skip: what shall become of them?")
    states: tuple[str, ...] = (state.value,) if state else STATES
    if skip and everything and state is None:
        states = ("held", "uncertain")
    with opened(to_change=send or skip) as house:
        with house.store.read() as connection:
            lead_id = house.lead(connection, lead).id if lead else None
            wanted = Wanted(states, journey, lead_id, reason, tuple(ids or ()))
            found = [] if send or skip else list_held(connection, house.clock, wanted, limit + 1)
        if send:
            _send(house, choose(house, wanted, everything), may_double=may_double, yes=yes)
        elif skip:
            _skip(house, choose(house, wanted, everything), why, yes=yes)
        elif form is Format.json:
            print_json([asdict(one) for one in found[:limit]])
        else:
            _show(house, found, limit)


def _show(house: Opened, found: Sequence[Held], limit: int) -> None:
    from dripline.store.held import count_held

    show(house, found[:limit])
    if not found:
        return
    with house.store.read() as connection:
        counts = count_held(connection)
    said = [f"{number:,} {state}" for state, number in counts.items() if number]
    typer.echo(f"In all: {', '.join(said)}. Answer with `dripline held --send ID` or `--skip ID`, or --all.")


def _send(house: Opened, chosen: list[Held], *, may_double: bool, yes: bool) -> None:
    from dripline.store.answers import send_held

    asked = len(chosen)
    chosen = _less_braked(house, chosen)
    if not chosen:
        refuse("Nothing was done." if asked else "Nothing waits for a person.", 1 if asked else 0)
    chosen = confirm(house, chosen, "Send", may_double=may_double, yes=yes)
    done = answer_each(house, chosen, send_held, "send-held")
    typer.echo(f"{done:,} of {asked:,} will go on in a moment.")
    _tell_rest(len(chosen) - done)


def _skip(house: Opened, chosen: list[Held], why: str, *, yes: bool) -> None:
    from dripline.store.answers import skip_held

    if not chosen:
        refuse("Nothing waits for a person.", 0)
    preview(house, chosen)
    runs = sum(one.is_run for one in chosen)
    messages = len(chosen) - runs
    parts = [f"never send {count(messages, 'message')}"] if messages else []
    parts += [f"end {count(runs, 'run')}"] if runs else []
    question = " and ".join(parts)
    if not yes and not typer.confirm(f"{question[:1].upper()}{question[1:]}?", default=False):
        refuse("Nothing was done.")

    def skip(connection: Any, part: Sequence[Held], at: datetime, machine_now: datetime, by: str) -> set[str]:
        return skip_held(connection, part, at, machine_now, by, why)

    done = answer_each(house, chosen, skip, "skip-held", why)
    typer.echo(f"{done:,} of {len(chosen):,} skipped: {why}.")
    _tell_rest(len(chosen) - done)


def _less_braked(house: Opened, chosen: list[Held]) -> list[Held]:
    """Without the messages that a brake would only hold again."""
    from dripline.store.held import braked

    with house.store.read() as connection:
        stopped, paused = braked(connection)
    if stopped and any(not one.is_run for one in chosen):
        refuse(
            "Everything is stopped, so that messages would only be held again: `dripline start-all` first."
        )
    left = [one for one in chosen if one.is_run or one.journey not in paused]
    for journey in sorted({one.journey for one in chosen if not one.is_run} & paused):
        typer.echo(f"Journey {journey} is paused: its messages stay held until `dripline resume {journey}`.")
    return left


def _tell_rest(number: int) -> None:
    if number:
        refuse(f"{number:,} had been settled in the meantime, and were left as they are.")
