"""`dripline stop-all`, `start-all`, `pause`, `resume`: the brakes."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy import Connection

from dripline.cli.asking import refuse
from dripline.cli.opening import opened, who
from dripline.cli.showing import count
from dripline.clock import machine_clock

STOPPED = "everything is stopped"
"""The reason that held messages are given while everything is stopped."""
PAUSED = "journey paused"
"""The same while their journey is paused."""

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
    from dripline.store.audit import record_act
    from dripline.store.house import pulled, set_stopped
    from dripline.store.overview import count_messages

    with opened(to_change=True) as house, house.store.write() as connection:
        brake = pulled(connection)
        sending = count_messages(connection).get("sending", 0)
        if brake is None:
            machine_now = machine_clock()
            set_stopped(connection, house.clock.to_house(machine_now))
            record_act(connection, "stop-all", who(), why, machine_now)
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
    from dripline.store.audit import record_act
    from dripline.store.held import count_reason
    from dripline.store.house import pulled, set_stopped

    with opened(to_change=True) as house, house.store.write() as connection:
        brake = pulled(connection)
        waiting = count_reason(connection, STOPPED)
        if brake is not None:
            set_stopped(connection, None)
            record_act(connection, "start-all", who(), why, machine_clock(), held=waiting)
    if brake is None:
        typer.echo("Nothing was stopped.")
    else:
        typer.echo(f"Messages leave again; everything had been stopped since {house.say(brake.since)}.")
    _tell_waiting(waiting, f'--reason "{STOPPED}"')


def pause(
    journey: Annotated[str, typer.Argument(help="The journey.")],
    why: Annotated[str | None, typer.Option(help=_WHY)] = None,
) -> None:
    """Pause one journey: nobody enters it, and its messages are held, until `dripline resume`."""
    from dripline.store.audit import record_act
    from dripline.store.plans import set_paused

    with opened(to_change=True) as house, house.store.write() as connection:
        _refuse_unknown(connection, journey)
        machine_now = machine_clock()
        if set_paused(connection, journey, house.clock.to_house(machine_now), why or f"by {who()}"):
            record_act(connection, "pause", who(), why, machine_now, journey=journey)
            said = f"Journey {journey} is paused: nobody enters it, and its messages are held."
        else:
            said = f"Journey {journey} was paused already; nothing was changed."
    typer.echo(said)


def resume(
    journey: Annotated[str, typer.Argument(help="The journey.")],
    why: Annotated[str | None, typer.Option(help=_WHY)] = None,
) -> None:
    """Let a paused journey go on. What was held meanwhile stays held until you say so."""
    from dripline.store.audit import record_act
    from dripline.store.held import count_reason
    from dripline.store.plans import set_paused

    with opened(to_change=True) as house, house.store.write() as connection:
        _refuse_unknown(connection, journey)
        changed = set_paused(connection, journey, None, None)
        waiting = count_reason(connection, PAUSED, journey)
        if changed:
            record_act(connection, "resume", who(), why, machine_clock(), journey=journey, held=waiting)
    typer.echo(f"Journey {journey} goes on." if changed else f"Journey {journey} was not paused.")
    _tell_waiting(waiting, f'--journey {journey} --reason "{PAUSED}"')


def _tell_waiting(waiting: int, filters: str) -> None:
    if waiting:
        typer.echo(
            f"{count(waiting, 'message')} held meanwhile. Look: `dripline held {filters}`;\n"
            f"let go: `dripline held --send --all {filters}`, or --skip what is too late now."
        )


def _refuse_unknown(connection: Connection, journey: str) -> None:
    from dripline.language.problems import did_you_mean
    from dripline.store.plans import published

    known = [one.plan.journey for one in published(connection)]
    if journey not in known:
        hint = did_you_mean(journey, known)
        refuse(f"No journey {journey} has been published" + (f": {hint}" if hint else "."))
