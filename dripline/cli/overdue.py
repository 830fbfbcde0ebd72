"""What becomes of what a pause has kept back: its waits, and its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

import typer

from dripline.cli.answering import answer_each
from dripline.cli.asking import refuse
from dripline.cli.changing import progress_bar
from dripline.cli.opening import Opened
from dripline.cli.showing import count
from dripline.clock import machine_clock

if TYPE_CHECKING:
    from dripline.store.held import Held

_LONGEST = timedelta(days=7)
_CHUNK = 500


@dataclass(frozen=True)
class Overdue:
    """What becomes of messages that a pause has held."""

    verb: Literal["send", "drop"]
    within: timedelta = timedelta()
    said: str = ""


def read_overdue(text: str | None) -> Overdue | None:
    """`send`, `drop`, `spread 2h`; or the end of the command."""
    from dripline.language.durations import DurationError, parse_duration

    verb, _, length = (text or "").strip().partition(" ")
    if text is None:
        return None
    if verb in ("send", "drop") and not length:
        return Overdue("send" if verb == "send" else "drop")
    if verb != "spread":
        refuse('--overdue: say send, drop, or "spread 2h".')
    try:
        duration = parse_duration(length)
    except DurationError as error:
        refuse(f"--overdue: {error}" + (f"; {error.hint}" if error.hint else ""))
    within = timedelta(days=duration.days, seconds=duration.seconds)
    if duration.months or not timedelta() < within <= _LONGEST:
        refuse("--overdue: spread it over 7 days at most.")
    return Overdue("send", within, length.strip())


def put_off(house: Opened, journey: str) -> None:
    """Put off the waits of a journey that stood still, run by run; the sweep does what is left after a crash."""
    from dripline.publishing.moving import slowly
    from dripline.publishing.thawing import follow_one
    from dripline.store.freezing import behind

    done, after = 0, ""
    with progress_bar() as bar:
        task = bar.add_task("Putting its waits off", total=None)
        while True:
            with house.store.read() as connection:
                ids = behind(connection, _CHUNK, journey, after)
            if not ids:
                break
            after = ids[-1]
            for run in slowly(ids):
                done += follow_one(house.store, run, machine_clock)
            bar.update(task, advance=len(ids))
    typer.echo(f"The waits of {count(done, 'lead')} go on where they stopped.")


def settle(house: Opened, journey: str, reason: str, fate: Overdue, why: str | None) -> None:
    """Send (or never send) what was held for that reason."""
    from dripline.engine.draw import draw
    from dripline.store.answers import send_held, skip_held
    from dripline.store.held import Wanted, list_held

    def answer(
        connection: Any, part: Sequence[Held], at: datetime, machine_now: datetime, by: str
    ) -> set[str]:
        if fate.verb == "drop":
            return skip_held(connection, part, at, machine_now, by, why or "dropped when the journey went on")
        within = (lambda lead: at + draw("overdue", lead) * fate.within) if fate.within else None
        return send_held(connection, part, at, machine_now, by, within)

    with house.store.read() as connection:
        held = list_held(connection, house.clock, Wanted(("held",), journey, None, reason))
    chosen = [one for one in held if one.reason == reason and not one.may_double]
    done = answer_each(house, chosen, answer, "skip-held" if fate.verb == "drop" else "send-held", why)
    if fate.verb == "drop":
        typer.echo(f"{count(done, 'message')} will never be sent.")
    else:
        when = f"within {fate.said}" if fate.within else "in a moment"
        typer.echo(f"{count(done, 'message')} will leave {when}.")
    if done < len(held):
        typer.echo(f"{count(len(held) - done, 'message')} may have left already: see `dripline held`.")
