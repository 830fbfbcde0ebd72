"""`dripline stop-all`, `start-all`, `pause`, `resume`: the brakes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from sqlalchemy import Connection

from dripline.cli.asking import refuse
from dripline.cli.opening import opened, who
from dripline.cli.overdue import put_off, read_overdue, settle
from dripline.cli.showing import count
from dripline.clock import machine_clock

_WHY = "Why, for those who find it so: kept, and shown on the pages."


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("stop-all")(stop_all)
    app.command("start-all")(start_all)
    app.command("pause")(pause)
    app.command("resume")(resume)


def stop_all(why: Annotated[str | None, typer.Option(help=_WHY)] = None) -> None:
    """Pull the brake: no message leaves any more, of any journey, until `dripline start-all`.

    What comes due is held, not lost. Leads, events and webhooks are still taken, and runs go on with their waits.
    """
    from dripline.store.braking import stop_everything
    from dripline.store.overview import count_messages

    with opened(to_change=True) as house, house.store.write() as connection:
        sending = count_messages(connection).get("sending", 0)
        brake = stop_everything(connection, machine_clock(), who(), why)
    if brake is not None:
        by = f" by {brake.by}" if brake.by else ""
        typer.echo(f"Everything has been stopped since {house.say(brake.since)}{by}; nothing was changed.")
        return
    typer.echo(
        "Everything is stopped: no message leaves any more. What comes due is held, not lost; leads, events and\n"
        "webhooks are still taken, and runs go on with their waits. `dripline start-all` takes it back."
    )
    if sending:
        typer.echo(
            f"On its way to a provider at this moment, and may still leave: {count(sending, 'message')}."
        )


def start_all(why: Annotated[str | None, typer.Option(help=_WHY)] = None) -> None:
    """Release the brake of `dripline stop-all`. What was held meanwhile stays held until you say so."""
    from dripline.store.braking import STOPPED, start_everything

    with opened(to_change=True) as house, house.store.write() as connection:
        brake, waiting = start_everything(connection, machine_clock(), who(), why)
    if brake is None:
        typer.echo("Nothing was stopped.")
    else:
        typer.echo(f"Messages leave again; everything had been stopped since {house.say(brake.since)}.")
    _tell_waiting(waiting, f'--reason "{STOPPED}"')


class Clock(StrEnum):
    """What the waits of a paused journey do."""

    run = "run"
    freeze = "freeze"


def pause(
    journey: Annotated[str, typer.Argument(help="The journey.")],
    clock: Annotated[
        Clock, typer.Option(help="Its waits: run on (what comes due is held), or freeze (and go on later).")
    ] = Clock.run,
    why: Annotated[str | None, typer.Option(help=_WHY)] = None,
) -> None:
    """Pause one journey: nobody enters it, and its messages are held, until `dripline resume`."""
    from dripline.store.braking import pause_journey

    with opened(to_change=True) as house, house.store.write() as connection:
        _refuse_unknown(connection, journey)
        freezes = clock is Clock.freeze
        paused, frozen = pause_journey(connection, journey, machine_clock(), who(), why, freezes=freezes)
    if not (paused or frozen):
        typer.echo(f"Journey {journey} was paused already; nothing was changed.")
        return
    waits = " Its waits stand still." if frozen else ""
    typer.echo(f"Journey {journey} is paused: nobody enters it, and its messages are held.{waits}")


def resume(
    journey: Annotated[str, typer.Argument(help="The journey.")],
    overdue: Annotated[
        str | None,
        typer.Option(
            metavar="send|drop|spread 2h",
            help="What was held meanwhile: send it, never send it, or spread it over that time.",
        ),
    ] = None,
    why: Annotated[str | None, typer.Option(help=_WHY)] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before anything is sent.")] = False,
) -> None:
    """Let a paused journey go on. What was held meanwhile stays held until you say so, here or later."""
    from dripline.store.braking import PAUSED, resume_journey
    from dripline.store.held import count_reason

    with opened(to_change=True) as house:
        fate = read_overdue(overdue)
        with house.store.write() as connection:
            _refuse_unknown(connection, journey)
            waiting = count_reason(connection, PAUSED, journey)
        if fate and fate.verb == "send" and waiting and not yes:
            until = f" within {fate.said}" if fate.within else " at once"
            if not typer.confirm(
                f"Send the {count(waiting, 'message')} held meanwhile{until}?", default=False
            ):
                refuse("Nothing was done.")
        with house.store.write() as connection:
            resumed = resume_journey(connection, journey, machine_clock(), who(), why)
        said = "goes on" if resumed.changed else "was not paused"
        typer.echo(f"Journey {journey} {said}.")
        if resumed.stood is not None:
            put_off(house, journey)
        if fate and waiting:
            settle(house, journey, PAUSED, fate, why)
        else:
            _tell_waiting(waiting, f'--journey {journey} --reason "{PAUSED}"')


def _tell_waiting(waiting: int, filters: str) -> None:
    if waiting:
        typer.echo(
            f"{count(waiting, 'message')} held meanwhile. Look: `dripline held {filters}`;\n"
            f"let go: `dripline held --send --all {filters}`, or --skip what is too late now."
        )


def _refuse_unknown(connection: Connection, journey: str) -> None:
    from dripline.language.problems import did_you_mean
    from dripline.store.publications import followed

    known = [one.journey for one in followed(connection)]
    if journey not in known:
        hint = did_you_mean(journey, known)
        refuse(f"No journey {journey} has been published" + (f": {hint}" if hint else "."))
