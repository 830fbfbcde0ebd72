"""The demo's script played over HTTP, as any other system would tell of its leads, each act at its moment."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count, takewhile
from typing import Any

import httpx
import structlog

from dripline.clock import machine_clock
from dripline.stack.demo.behaviour import Act, OnDay
from dripline.stack.demo.watching import Counts, Ledger

log = structlog.get_logger("dripline.demo")

_Planned = tuple[datetime, int, Act]
"""When (house time), a number that keeps the order, and what."""

TICK = 0.05
"""Seconds from one look at the clock to the next, at most."""
LOOK = 0.2
"""Seconds from one look into the leads' mailboxes to the next."""
PROGRESS = 10.0
"""Seconds from one word of how far it is to the next."""


class Playing:
    """Acts that are still to be played. What the store knows already is left out, so that nothing is doubled."""

    def __init__(self, script: Iterable[Act], ledger: Ledger, client: httpx.AsyncClient) -> None:
        acts = list(script)
        left = list(_left(acts, ledger.known()))
        self._leads = len({act.person.number for act in acts})
        self._ledger = ledger
        self._client = client
        self._number = count()
        self._midnight = self._first_midnight(min(act.days for act in acts))
        self._waiting = False
        self._coming: list[_Planned] = []
        self._after = [act for act in left if act.after is not None]
        for act in left:
            if act.after is None:
                self._plan(self._midnight + timedelta(days=act.days), act)

    def _first_midnight(self, first: float) -> datetime:
        """The midnight (UTC) from which days are counted: the last one, or that of a demo which goes on."""
        began = self._ledger.began()
        at = began - timedelta(days=int(first)) if began else self._ledger.clock().to_house(machine_clock())
        return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)

    @property
    def over(self) -> bool:
        """Whether there is nothing to be played, nor to be waited for."""
        told = all(act.does == "redeems" for _, _, act in self._coming)  # the control group has no codes
        return told and self._ledger.counts().quiet

    async def play(self) -> Counts:
        """Play everything, and return when every lead has come to the end of its journeys."""
        next_look, next_word = 0.0, time.monotonic() + PROGRESS
        while True:
            stuck = not await self._perform(self._due())
            if time.monotonic() >= next_look:
                next_look = time.monotonic() + LOOK
                await asyncio.to_thread(self._look)
                counts = await asyncio.to_thread(self._ledger.counts)
                if time.monotonic() >= next_word:
                    next_word += PROGRESS
                    log.info(f"{counts.leads} of {self._leads} leads are in, {counts.sent} messages sent")
                if not self._coming and counts.quiet:
                    return counts
            await asyncio.sleep(1.0 if stuck else self._until_next())

    # -- what is due -----------------------------------------------------------------------------------------

    def _plan(self, at: datetime, act: Act) -> None:
        heapq.heappush(self._coming, (at, next(self._number), act))

    def _due(self) -> list[_Planned]:
        now = self._ledger.clock().to_house(machine_clock())
        due = []
        while self._coming and self._coming[0][0] <= now:
            due.append(heapq.heappop(self._coming))
        return due

    def _until_next(self) -> float:
        """Seconds until the next act, or until it is time to look again."""
        if not self._coming:
            return TICK
        left = self._ledger.clock().to_machine(self._coming[0][0]) - machine_clock()
        return min(max(left.total_seconds(), 0.0), TICK)

    def _look(self) -> None:
        """Plan what leads do about messages that have reached them."""
        arrived = self._ledger.arrivals({act.after for act in self._after if act.after})
        for act in self._after.copy():
            at = arrived.get((act.person.external_id, act.after or ""))
            if at is not None:
                self._after.remove(act)
                self._plan(at + timedelta(days=act.days), act)

    # -- doing it --------------------------------------------------------------------------------------------

    async def _perform(self, due: list[_Planned]) -> bool:
        """Do them in order, events that stand together in one request. False where nobody answers: they stay due."""
        while due:
            together = _first_request([act for _, _, act in due])
            try:
                await self._do(together)
            except httpx.HTTPError as problem:
                if not self._waiting:
                    log.warning("the demo waits for the web process", error=type(problem).__name__)
                self._waiting = True
                for planned in due:
                    heapq.heappush(self._coming, planned)
                return False
            self._waiting = False
            due = due[len(together) :]
        return True

    async def _do(self, acts: list[Act]) -> None:
        act = acts[0]
        if act.does == "says":
            rows = [self._event(one) for one in acts]
            answer = await self._client.post("/v1/events/batch", json={"events": rows})
        elif act.does == "redeems":
            code = self._ledger.code(act.person.external_id, act.body["journey"], act.body["gives"])
            if code is None:
                return  # a lead of the control group has none
            said = {"reference": act.body["reference"]}
            answer = await self._client.post(f"/v1/discounts/{code}/redeem", json=said)
        else:
            lead = {"external_id": act.person.external_id, **act.body}
            answer = await self._client.put("/v1/leads", json=lead)
        if answer.status_code >= 500:
            answer.raise_for_status()
        if answer.status_code >= 400 or answer.status_code == 207:
            log.warning("the demo was refused", act=act.key, status=answer.status_code)

    def _event(self, act: Act) -> dict[str, Any]:
        friend_of = act.body.get("friend_of")
        code = self._ledger.friends_code(friend_of) if friend_of else None
        told = {"friend_code": code} if code else {}
        return {
            "id": act.key,
            "lead": {"external_id": act.person.external_id},
            "name": act.body["name"],
            "properties": {**self._dated(act.body["properties"]), **told},
        }

    def _dated(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """The properties with the days of the script as those of the calendar."""
        return {name: self._date(value) for name, value in properties.items()}

    def _date(self, value: Any) -> Any:
        if not isinstance(value, OnDay):
            return value
        at = self._midnight + timedelta(days=value.days)
        moment: date | datetime = at.date() if value.whole else at
        return moment.isoformat()


def _left(script: Iterable[Act], known: set[str]) -> Iterator[Act]:
    """What is still to be done: of each lead, what comes after the last thing that is known of it."""
    acts = list(script)
    reached: dict[str, int] = {}
    for act in acts:
        lead = act.person.external_id
        if act.trace in known:
            reached[lead] = max(act.number, reached.get(lead, 0))
    return (act for act in acts if act.number > reached.get(act.person.external_id, 0))


def _first_request(acts: list[Act]) -> list[Act]:
    """The first act, with the events that stand together with it, if it is one."""
    if acts[0].does != "says":
        return acts[:1]
    return list(takewhile(lambda act: act.does == "says", acts))
