"""Walking a journey: the lead comes in, its story is told as it happens, and somebody at the terminal lets it act."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.console import Console

from dripline.clock import machine_clock
from dripline.engine.calendar import add, zone_of
from dripline.engine.effects import Event
from dripline.engine.entering import hears
from dripline.language.plan import Plan
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.trying.acts import UPDATED, Act, Misunderstood, Order, changed, read_act
from dripline.trying.choosing import Choice, choices
from dripline.trying.keyboard import END, Keyboard
from dripline.trying.speaking import NotTaken, Speaking
from dripline.trying.starting import CREATED, Given, Start, making
from dripline.trying.telling import Telling
from dripline.trying.watching import View, Watching

ENDED, STUCK = 0, 1
_LOOK = 0.15
"""Seconds between two looks at the store."""
_FIRST_TURN = 60.0
"""Seconds that the worker may take to begin."""
_LAST_MESSAGES = 15.0
"""Seconds that messages may take which are under way when the run has ended."""


class NotEntered(Exception):
    """The lead did not come in. Says why."""


@dataclass(frozen=True)
class Wanted:
    """What is to be walked, and how."""

    plan: Plan
    workspace: Workspace
    given: Given
    start: Start
    orders: Sequence[Order]
    day: timedelta
    """Real time that a day of the journey takes."""
    at_terminal: bool
    real: Mapping[str, bool]
    """By channel, whether messages leave by a provider; else they are in the throw-away mailbox alone."""


class Walk:
    """One walk. `result` is the exit code once `go` has come back; None while it has not."""

    def __init__(self, wanted: Wanted, store: Store, url: str, console: Console) -> None:
        self.result: int | None = None
        self._wanted = wanted
        self._store = store
        lead = wanted.start.lead
        self._where = zone_of(lead.get("timezone"), lead.get("country"), wanted.plan.timezone)
        self._telling = Telling(console, url, self._where)
        self._speaking = Speaking(url, wanted.workspace)
        self._keyboard: Keyboard | None = None
        self._orders = list(wanted.orders)
        self._offered: list[Choice] = []
        self._announced: object = None

    async def go(self) -> None:
        """From the door to the end. Raises NotEntered."""
        wanted = self._wanted
        self._telling.beginning(wanted.plan, wanted.given, wanted.start, wanted.day)
        self._telling.ways(wanted.real)
        self._keyboard = Keyboard() if self._wanted.at_terminal else None
        try:
            watching = await self._enter()
            self.result = await self._follow(watching)
        finally:
            if self._keyboard is not None:
                self._keyboard.close()
            await self._speaking.close()

    # -- coming in -------------------------------------------------------------------------------------------

    async def _enter(self) -> Watching:
        start, journey = self._wanted.start, self._wanted.plan.journey
        try:
            await self._speaking.introduce(self._wanted.given.email, start.lead, start.historical)
            if start.act is None:
                await self._speaking.enrol(journey)
            elif start.act.event != CREATED:
                await self._speaking.act(start.act)
        except NotTaken as refusal:
            raise NotEntered(str(refusal)) from None
        watching = Watching(self._store, journey, self._speaking.lead_id, self._where)
        view = watching.look()
        if view is None:
            raise NotEntered("The trigger did not let the lead in.")
        give_up = asyncio.get_running_loop().time() + _FIRST_TURN
        while view is not None and not view.run.turn:
            if asyncio.get_running_loop().time() > give_up:
                raise NotEntered("The worker does not begin.")
            await asyncio.sleep(_LOOK)
            view = watching.look()
        watching.go_on_at(timedelta(days=1) / self._wanted.day)  # only now: programs take their time to start
        await self._speaking.nudge()
        return watching

    # -- what happens ----------------------------------------------------------------------------------------

    async def _follow(self, watching: Watching) -> int:
        ended_at: float | None = None
        while True:
            view = watching.look()
            assert view is not None
            for entry in watching.news(view):
                if not (entry.kind == "event" and entry.what == CREATED and self._wanted.start.historical):
                    self._telling.entry(entry, view)  # that it was made before is no news
            now = asyncio.get_running_loop().time()
            if view.ended:
                ended_at = ended_at or now
                if view.settled or now > ended_at + _LAST_MESSAGES:
                    self._telling.end(view, [order.act for order in self._orders])
                    return await self._stay()
            elif view.rests and view.wait != self._announced:
                self._announce(view)
            if (code := await self._next(watching, view)) is not None:
                return code

    def _announce(self, view: View) -> None:
        self._announced = view.wait
        self._telling.waiting(view)
        if self._keyboard is not None:
            self._offer(view)

    def _offer(self, view: View) -> None:
        made = making(self._wanted.given, self._wanted.plan, self._wanted.workspace, self._house_now(view))
        self._offered = choices(view.seen, self._wanted.workspace, made)
        self._telling.menu(self._offered, may_skip=view.next is not None)

    async def _next(self, watching: Watching, view: View) -> int | None:
        """Do what is due, or what is typed within a moment; an exit code where it is the last."""
        pause = _LOOK
        if self._orders:
            due = add(view.run.started_at, self._orders[0].after, self._where)
            left = view.left(due).total_seconds()
            if left <= 0:
                await self._act(self._orders.pop(0).act, view)
                return None
            pause = min(pause, left)
        elif self._keyboard is None and (view.for_ever or (view.rests and view.run.parked_reason)):
            self._telling.say(
                "\nIt would wait for ever, as no --send is left. The walk ends here.", "bold yellow"
            )
            return STUCK
        if self._keyboard is None:
            await asyncio.sleep(pause)
            return None
        typed = await self._keyboard.line(pause)
        return await self._obey(typed, watching, view) if typed is not None else None

    async def _stay(self) -> int:
        """Where messages are in the mailbox only, let them be read."""
        if self._keyboard is not None and not all(self._wanted.real.values()):
            self._telling.say("The pages stay until you press Enter.", "cyan")
            await self._keyboard.line(None)
        return ENDED

    # -- what somebody wants ---------------------------------------------------------------------------------

    async def _obey(self, typed: str, watching: Watching, view: View) -> int | None:
        if typed == END:
            return ENDED
        if typed == "s":
            await self._skip(watching, view)
        elif typed in ("", "?"):
            self._offer(view)
        else:
            try:
                await self._act(self._meant(typed), view)
            except Misunderstood as problem:
                self._telling.say(f"  {problem}", "red")
        return None

    def _meant(self, typed: str) -> Act:
        """The act that a number with or without other values means, or one that is written out."""
        number, _, more = typed.partition(" ")
        if not number.isdigit():
            return read_act(typed, self._wanted.workspace)
        if not 0 < int(number) <= len(self._offered):
            raise Misunderstood(f"there is no {number} to choose")
        choice = self._offered[int(number) - 1]
        if choice.act is None and not more:
            raise Misunderstood(f"say its values, such that {choice.when}: `{number} name=value`")
        return changed(choice.act or Act(choice.event), more, self._wanted.workspace)

    async def _act(self, act: Act, view: View) -> None:
        try:
            await self._speaking.act(act)
        except (NotTaken, Misunderstood) as refusal:
            self._telling.say(f"  {refusal}", "red")
            return
        event = Event("", act.event, act.values, self._house_now(view))
        if act.event != UPDATED and not hears(view.seen.plan, view.run.step, event):
            self._telling.say(
                "  The run does not listen for that now; a later wait may look back at it.", "yellow"
            )

    async def _skip(self, watching: Watching, view: View) -> None:
        """Let it be the end of the wait, or the moment of an order before it: nothing happens until then."""
        due = [add(view.run.started_at, order.after, self._where) for order in self._orders[:1]]
        moments = [moment for moment in (view.next, *due) if moment is not None]
        if not view.rests or not moments:
            self._telling.say("  There is nothing to skip just now.", "red")
            return
        moment = min(moments)
        if moment > self._house_now(view):
            watching.go_on_from(moment)
            await self._speaking.nudge()

    def _house_now(self, view: View) -> datetime:
        return view.clock.to_house(machine_clock())


__all__ = ["NotEntered", "Walk", "Wanted"]
