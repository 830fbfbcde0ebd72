"""What somebody who walks a journey is told, line by line as it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.text import Text

from dripline.language.plan import Plan
from dripline.story import Entry
from dripline.trying.acts import Act
from dripline.trying.choosing import Choice
from dripline.trying.starting import CREATED, Given, Start
from dripline.trying.watching import View

_INDENT = " " * 22
_STYLES = {"event": "magenta", "message": "bold green"}


class Telling:
    """Tells it to a console, with times of the lead's zone. `url` is where the pages are."""

    def __init__(self, console: Console, url: str, where: ZoneInfo) -> None:
        self._console = console
        self._url = url
        self._where = where

    def say(self, text: str, style: str = "") -> None:
        """Tell something. What leads and journeys wrote does not steer the terminal."""
        self._console.print(Text(_clean(text), style=style))

    def beginning(self, plan: Plan, given: Given, start: Start, day: timedelta) -> None:
        """Who walks what, and how fast."""
        self.say(f"Trying {plan.journey}: {plan.title}", "bold")
        known = {name: value for name, value in start.lead.items() if value not in (None, "")}
        self.say(f"  lead    {given.email}, " + ", ".join(f"{name} {_told(known[name])}" for name in known))
        if start.act is None:
            why = "as on the day of its date" if plan.trigger.yearly else "as no event lets anybody in"
            if plan.trigger.gathering is not None:
                why = "as when its schedule comes round"
            self.say(f"  enters  by hand, {why}")
        elif start.act.event != CREATED:
            self.say(f"  enters  by {start.act}")
        self.say(f"  a day   takes {_real(day)}")

    def ways(self, real: Mapping[str, bool]) -> None:
        """Where messages go. `real`: by channel, whether they leave by a provider."""
        for channel, leaves in real.items():
            way = (
                "really leaves, to those only whom dripline.yaml allows"
                if leaves
                else f"to the mailbox at {self._url}/mailbox"
            )
            self.say(f"  {channel:<6}  {way}")
        self.say("")

    def entry(self, entry: Entry, view: View) -> None:
        """Something that happened; with a message, what it says first and where it can be read."""
        journey = f"[{entry.journey}] " if entry.journey and entry.journey != view.run.journey else ""
        line = Text.assemble(
            (f"{self._time(entry.at)}  ", "dim"), (_clean(journey + entry.text), _STYLES.get(entry.kind, ""))
        )
        self._console.print(line)
        message = (
            view.messages.get((entry.detail or {}).get("message", "")) if entry.kind == "message" else None
        )
        if message is not None and entry.what == "accepted":
            first = message.subject or (message.body or "").strip().partition("\n")[0]
            self.say(f"{_INDENT}“{first}” {self._url}/messages/{message.id}")

    def waiting(self, view: View) -> None:
        """What the run waits for, and how long that takes."""
        run = view.run
        if run.parked_reason:
            self.say(f"{_INDENT}It stands here for a person to look at: {run.parked_reason}", "bold red")
        elif run.until is not None:
            left = max(view.left(run.until), timedelta())
            self.say(f"{_INDENT}… {_real(left)} to go", "cyan")
        elif view.for_ever:
            self.say(f"{_INDENT}… for as long as it takes: only an event ends this wait", "cyan")

    def menu(self, choices: Sequence[Choice], *, may_skip: bool) -> None:
        """What the lead may do meanwhile."""
        self.say("  What does the lead do? A number, or EVENT name=value …, and Enter:", "cyan")
        width = max((len(choice.does) for choice in choices), default=0)
        for number, choice in enumerate(choices, 1):
            said = str(choice.act) if choice.act else f"{choice.event} …, such that {choice.when}"
            self.say(f"  {number:>3}  {choice.does:<{width}}  {said}")
        if may_skip:
            self.say("    s  skip to the end of the wait")
        self.say("    q  leave")

    def end(self, view: View, left: Sequence[Act]) -> None:
        """How the run ended, and what was still to be done by then."""
        run = view.run
        how = f"{run.outcome}: {run.outcome_reason}" if run.outcome_reason else str(run.outcome)
        sent = sum(row.accepted_at is not None and not row.notice for row in view.messages.values())
        self.say(
            f"\nThe run has ended, {how}. The lead got {sent} {'message' if sent == 1 else 'messages'}.",
            "bold",
        )
        for act in left:
            self.say(f"It ended before: {act}", "yellow")

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self._where):%a %Y-%m-%d %H:%M}"


def _real(length: timedelta) -> str:
    seconds = length.total_seconds()
    number, unit = (seconds, "second") if seconds < 120 else (seconds / 60, "minute")
    said = f"{number:.1f}".removesuffix(".0") if number < 10 else f"{number:.0f}"
    return f"{said} {unit}{'' if said == '1' else 's'}"


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _clean(text: str) -> str:
    return "".join(character for character in text if character.isprintable() or character == "\n")


__all__ = ["Telling"]
