"""A whole installation in virtual time: real store, ingest, turns, deliveries and sweeps; no Temporal, no network.

What Temporal does for a run is little: it asks for the next turn when a wait ends or a wake is wanted, and delivers
what is open. That is done here, from one moment at which something happens to the next.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, Row

from activities.advance import Route, Turns
from activities.deliver import Deliveries, Later, Lease
from activities.gate import Gate
from activities.sweep import Patience, Sweeper
from dripline.ingest.catalogue import make_catalogue_known
from dripline.ingest.service import Ingest
from dripline.language.project import load_project
from dripline.providers import Accepted, Outgoing, Provider
from dripline.store import wakes
from dripline.store.database import Store
from dripline.store.house import House
from dripline.store.plans import publish
from dripline.store.rules import make_known
from dripline.wire import EFFECTS, AdvanceRequest

SWEEP_EVERY = timedelta(days=2)
"""As seldom as can be: a date of a lead still counts two days later."""
ROUTES = {"email": Route("email.recorder", local=True), "sms": Route("sms.recorder", local=True)}

Act = Callable[[], object]


class Recorder:
    """Takes every message at once, and tells whoever listens."""

    name = "recorder"
    repeatable = False

    def __init__(self, channel: str, sent: Callable[[Outgoing], None]) -> None:
        self.channel = channel
        self._sent = sent

    def send(self, message: Outgoing) -> Accepted:
        self._sent(message)
        return Accepted(f"id-{message.key[:12]}")

    def find(self, message: Outgoing, since: datetime, known: frozenset[str]) -> str | None:
        return None


class Installation:
    """Say what is to happen `at` which moment, then let it `live`. `sent` is told of every message that leaves."""

    def __init__(
        self, store: Store, root: Path, start: datetime, sent: Callable[[Outgoing], None] = lambda _: None
    ) -> None:
        self.store = store
        self.now = start
        self.counts: Counter[str] = Counter()
        project = load_project(root)
        assert not project.errors, project.problems
        assert project.workspace is not None
        self.workspace, self.plans = project.workspace, project.plans
        make_known(store, self.workspace, self.clock)
        make_catalogue_known(store, self.workspace, self.clock)
        with store.write() as connection:
            for plan in self.plans.values():
                publish(connection, plan, start)
        self.ingest = Ingest(store, self.workspace, machine=self.clock)
        providers: dict[str, Provider] = {channel: Recorder(channel, sent) for channel in ROUTES}
        self._turns = Turns(store, ROUTES, clock=self.clock)
        self._deliveries = Deliveries(store, providers, Gate(lambda channel, address: True), clock=self.clock)
        self._sweeper = Sweeper(store, providers, Patience(), self.clock)
        self._coming: list[tuple[datetime, int, Act]] = []
        self._number = count()
        self._seen: dict[str, int] = {}
        self.at(start + SWEEP_EVERY, self._sweep)

    def clock(self) -> datetime:
        """The machine's clock; the house's is the same."""
        return self.now

    def at(self, moment: datetime, act: Act) -> None:
        """Let this happen at a moment; at once, where that has passed."""
        heapq.heappush(self._coming, (max(moment, self.now), next(self._number), act))

    def live(self, until: datetime) -> None:
        """Let time pass until then."""
        while self._coming and self._coming[0][0] <= until:
            self.now = self._coming[0][0]
            while self._coming and self._coming[0][0] <= self.now:
                heapq.heappop(self._coming)[2]()
            self._wake()
        self.now = until

    def _wake(self) -> None:
        while True:
            with self.store.read() as connection:
                wanted = wakes.wanted(connection, 500)
            if not wanted:
                return
            for wake in wanted:
                self._advance(wake.run)
            with self.store.write() as connection:
                wakes.wakes_done(connection, wanted)

    def _advance(self, run: str) -> None:
        lease: list[Lease] = []

        def claim(connection: Connection, house: House, message: Row[object], lead: Row[object]) -> None:
            ahead = None if lease else self._deliveries.lease_ahead(connection, house, message, lead)
            lease.extend([ahead] if ahead else [])

        request = AdvanceRequest(run, self._seen.get(run, 0), self.now.timestamp())
        standing = self._turns.take(request, claim)
        self.counts["turns"] += 1
        self._seen[run] = standing.turn
        if lease:
            self._deliveries.send_ahead(lease[0])
        for one in standing.deliver:
            if one.queue == EFFECTS:
                self.counts["outside"] += 1
            elif not lease or one.message != lease[0].message.key:
                self._deliver(one.message)
        if standing.until is not None:
            turn = standing.turn
            self.at(datetime.fromtimestamp(standing.until, UTC), lambda: self._go_on(run, turn))

    def _go_on(self, run: str, turn: int) -> None:
        """The timer of a wait; a run that has moved since has another."""
        if self._seen[run] == turn:
            self._advance(run)

    def _deliver(self, message: str) -> None:
        result = self._deliveries.attempt(message)
        if isinstance(result, Later):
            self.at(self.now + timedelta(seconds=result.seconds or 60), lambda: self._deliver(message))

    def _sweep(self) -> None:
        self.counts["swept"] += self._sweeper.sweep()
        self.at(self.now + SWEEP_EVERY, self._sweep)
