"""The welcome test's leads come over HTTP and do what they do, each at its moment, among much that means nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from sqlalchemy import func, select

from dripline.store.database import Store
from dripline.store.schema import leads, messages, runs
from tests.crash.account import OPEN
from tests.crash.guests import Act, Guest, Moment

AT_THE_WAIT = "after email:welcome/hello/2"
EVENTS = 1000
"""Distinct events that are told over HTTP, in all."""
BATCHES = 6
AT_THE_DOOR = 16
"""Leads without their first message beyond which nobody else is let in: a slow machine takes longer, not too long."""

RUBBISH: list[tuple[Any, int]] = [
    (42, 422),
    ({"name": "demo.boked", "lead": "crm-1001"}, 422),
    ({"name": "demo.booked", "lead": "crm-1001", "properties": {"seets": 8}}, 422),
    ({"name": "demo.booked", "lead": "crm-1001", "properties": {"seats": "eight"}}, 422),
    ({"name": "demo.booked", "properties": {"seats": 8}}, 422),
    ({"name": "order.paid", "lead": {"email": "nobody@example.com"}, "properties": {"total": 9}}, 404),
    ({"name": "order.paid", "lead": {"email": "no body"}, "properties": {"total": 9}}, 422),
    ({"name": "order.paid", "lead": "crm-1000", "properties": {"total": 9}, "id": "crm-1001/0"}, 409),
]
"""Rows that no batch may take, with the status that each must get."""


@dataclass
class Told:
    """What was said to the API, and what it answered that a test must know."""

    events: dict[str, str] = field(default_factory=dict)
    """Name by id, of every event that must have been recorded."""
    repeated: int = 0
    refused: int = 0
    acts: list[tuple[Guest, Act, str]] = field(default_factory=list)
    """What each lead did, and the id of the event, if it was one."""


class Party:
    """Lets everybody come, act and be done. Raises AssertionError where the API answers other than it must."""

    def __init__(self, url: str, store: Store, everyone: list[Guest], seed: int) -> None:
        self.told = Told()
        self._store = store
        self._everyone = everyone
        self._http = httpx.Client(base_url=url, timeout=20.0, trust_env=False)
        self._draw = random.Random(seed)
        decisive = sum(act.event is not None for guest in everyone for act in guest.fate.acts)
        self._left = {
            guest.external_id: [act for act in guest.fate.acts if act.when != "at once"] for guest in everyone
        }
        noise = [self._noise(number) for number in range(EVENTS - decisive)]
        self._batches = [noise[start::BATCHES] for start in range(BATCHES)]
        self._earlier: list[dict[str, Any]] = []

    def take_place(self, patience: float) -> Told:
        """All of it, until every run has ended and every message is settled."""
        give_up = time.monotonic() + patience
        with ThreadPoolExecutor(4) as door, ThreadPoolExecutor(4) as inside:
            outside = list(reversed(self._everyone))
            coming: list[Future[None]] = []
            done: list[Future[None]] = []
            next_batch = 0.0
            while True:
                assert time.monotonic() < give_up, f"not over: {self._open()}"
                reached = self._moments()
                while outside and self._ungreeted(outside, reached) < AT_THE_DOOR:
                    coming.append(door.submit(self._come, outside.pop()))
                for future in [*coming, *done]:
                    if future.done():
                        future.result()
                here = not outside and all(future.done() for future in coming)
                if here and self._batches and time.monotonic() > next_batch:
                    next_batch = time.monotonic() + 2.0
                    done.append(inside.submit(self._tell_batch, self._batches.pop()))
                done += [inside.submit(act) for act in self._due(reached)]
                if here and not (self._batches or any(self._left.values()) or any(self._open())):
                    break
                time.sleep(0.1)
        for future in done:
            future.result()
        return self.told

    # -- leads -----------------------------------------------------------------------------------------------

    def _come(self, guest: Guest) -> None:
        answer = self._http.put("/v1/leads", json=guest.body())
        assert answer.status_code == 201, answer.text
        for act in guest.fate.acts:
            if act.when == "at once":
                self._do(guest, act)

    def _do(self, guest: Guest, act: Act) -> None:
        if act.event is None:
            said = {"external_id": guest.external_id, **act.change}
            answer = self._http.put("/v1/leads", json=said)
            assert answer.json().get("changed") == list(act.change), answer.text
            self.told.acts.append((guest, act, ""))
            return
        event = f"{guest.external_id}/{guest.fate.acts.index(act)}"
        said = {
            "id": event,
            "name": act.event,
            "lead": guest.reference(guest.number),
            "properties": dict(act.properties),
        }
        if act.historical:
            said["historical"] = True
        self._tell(said)
        self.told.events[event] = act.event
        self.told.acts.append((guest, act, event))
        if guest.number % 3 == 0:  # a client that did not hear the answer
            self._tell({**said, "lead": guest.reference(guest.number + 1)})

    def _tell(self, event: Mapping[str, Any]) -> None:
        answer = self._http.post("/v1/events", json=event)
        assert answer.status_code == 202, answer.text
        assert answer.json()["id"] == event["id"], answer.text

    def _ungreeted(self, outside: list[Guest], reached: Mapping[str, set[Moment]]) -> int:
        """How many of those who came in wait for their first message: so many more than the machine is quick."""
        entering = [
            guest for guest in self._everyone[: len(self._everyone) - len(outside)] if guest.fate.outcome
        ]
        return sum(not reached.get(guest.external_id) for guest in entering)

    def _due(self, reached: Mapping[str, set[Moment]]) -> Iterable[Callable[[], None]]:
        """What leads do now that their moment has come; each once."""
        for guest in self._everyone:
            acts, now = self._left[guest.external_id], reached.get(guest.external_id, set())
            while acts and acts[0].when in now:
                yield partial(self._do, guest, acts.pop(0))
            missed = acts and acts[0].when != "ended" and "ended" in now
            assert not missed, (
                "a run ended before its lead could act: the machine is too slow for such short days"
            )

    def _moments(self) -> dict[str, set[Moment]]:
        settled = select(messages.c.run_id).where(
            messages.c.template == "welcome/hello", messages.c.state.not_in(OPEN)
        )
        query = select(
            leads.c.external_id, runs.c.step, runs.c.ended_at, runs.c.id.in_(settled).label("greeted")
        ).join(leads, leads.c.id == runs.c.lead_id)
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        reached: dict[str, set[Moment]] = {}
        for row in rows:
            of_run = reached.setdefault(row.external_id, set())
            if row.ended_at is not None:
                of_run.add("ended")
            elif row.greeted:
                of_run.add("resting")
                of_run |= {"waiting"} if row.step == AT_THE_WAIT else set()
        return reached

    def _open(self) -> tuple[int, int]:
        """Runs that have not ended, and messages that are not settled."""
        with self._store.read() as connection:
            open_runs = connection.execute(select(func.count()).where(runs.c.ended_at.is_(None))).scalar_one()
            unsettled = connection.execute(select(func.count()).where(messages.c.state.in_(OPEN)))
            return open_runs, unsettled.scalar_one()

    # -- what means nothing ----------------------------------------------------------------------------------

    def _noise(self, number: int) -> dict[str, Any]:
        guest = self._draw.choice(self._everyone)
        name, properties = self._draw.choice(
            [
                ("trial.started", {"plan": "team", "ends_at": "2027-02-01T09:00:00+04:00"}),
                (
                    "cart.abandoned",
                    {"cart_id": f"c-{number}", "total": number / 4, "items": ["seat", "hour"]},
                ),
                ("demo.cancelled", {"reason": "ill"}),
                ("demo.booked", {"seats": self._draw.randint(1, 4)}),
                ("demo.booked", {"starts_at": "2027-01-20T10:00:00Z"}),
            ]
        )
        event = {"id": f"noise/{number}", "name": name, "lead": guest.reference(number)}
        if number % 11 == 0:
            event["occurred_at"] = "2026-01-05T08:30:00+04:00"
        return {**event, "properties": properties}

    def _tell_batch(self, rows: list[dict[str, Any]]) -> None:
        """Post them with known ones and rubbish among them: only the rubbish is refused, each row by its index."""
        repeats = [*rows[:3], *self._earlier]
        self._earlier = rows[3:8]
        said: list[Any] = [*rows, *repeats]
        rubbish: dict[int, int] = {}
        for row, status in RUBBISH:
            at = self._draw.randrange(len(said) + 1)
            said.insert(at, row)
            rubbish = {index + (index >= at): code for index, code in rubbish.items()} | {at: status}
        answer = self._http.post("/v1/events/batch", json={"events": said})
        assert answer.status_code == 207, answer.text
        body = answer.json()
        assert {one["index"]: one["status"] for one in body["problems"]} == rubbish, body
        counts = (len(rows), len(repeats), len(rubbish))
        assert (body["recorded"], body["repeated"], body["refused"]) == counts, body
        self.told.events |= {row["id"]: row["name"] for row in rows}
        self.told.repeated += len(repeats)
        self.told.refused += len(rubbish)
