"""A store with a lead in it and journeys published, and a provider that does what a test tells it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event as sa_event
from sqlalchemy import select

from activities.advance import Route, Turns
from activities.content import Tracking
from activities.deliver import Deliveries
from activities.gate import Gate
from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.plan import Plan
from dripline.providers import Accepted, Outgoing
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.leads import add_lead
from dripline.store.plans import publish
from dripline.wire import AdvanceRequest, Standing

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ROUTES = {"email": Route("email.fake", local=True), "sms": Route("sms.fake", local=True)}


class FakeProvider:
    """Takes every message, after whatever `meanwhile` does (it may raise what a provider raises)."""

    name = "fake"
    repeatable = False

    def __init__(self, channel: str = "email") -> None:
        self.channel = channel
        self.sent: list[str] = []
        self.meanwhile: Callable[[Outgoing], None] = lambda message: None
        self.records: dict[str, str] = {}

    def send(self, message: Outgoing) -> Accepted:
        self.sent.append(message.key)
        self.meanwhile(message)
        return Accepted(f"id-{message.key[:8]}")

    def find(self, message: Outgoing, since: datetime, known: frozenset[str]) -> str | None:
        return self.records.get(message.key)


class Clock:
    """A machine clock that a test moves."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def __call__(self) -> datetime:
        return machine_clock() + self.offset


class House:
    """Everything of one installation but Temporal: turns and deliveries are called by hand."""

    def __init__(
        self,
        store: Store,
        *plans: Plan,
        gate: Gate | None = None,
        lease: float = 30.0,
        tracking: Tracking | None = None,
    ) -> None:
        self.store = store
        self.clock = Clock()
        self.email, self.sms = FakeProvider("email"), FakeProvider("sms")
        self.turns = Turns(store, ROUTES, clock=self.clock)
        self.deliveries = Deliveries(
            store,
            {"email": self.email, "sms": self.sms},
            gate or Gate(lambda channel, address: True),
            lease=lease,
            tracking=tracking,
            clock=self.clock,
        )
        with store.write() as connection:
            for plan in plans:
                publish(connection, plan, NOW)
            add_lead(
                connection,
                "lead-1",
                {
                    "email": "ani@example.com",
                    "phone": "+37491123456",
                    "timezone": "UTC",
                    "consent": {"email": True, "sms": True},
                },
                NOW,
            )

    def happens(self, name: str, at: datetime = NOW, **properties: Any) -> list[str]:
        """Record an event of the lead; the ids of the runs that it started."""
        event = Event(f"{name}-{time.monotonic_ns()}", "lead-1", name, properties, at)
        with self.store.write() as connection:
            return list(record(connection, event, machine_clock()).started)

    def advance(self, run: str, now: datetime, seen: int | None = None) -> Standing:
        """The turn after `seen` (by default: after the row's own)."""
        if seen is None:
            seen = self.run(run).turn
        return self.turns.advance(AdvanceRequest(run, seen, now.timestamp()))

    def run(self, run: str) -> Any:
        with self.store.read() as connection:
            return connection.execute(select(schema.runs).where(schema.runs.c.id == run)).one()

    def messages(self) -> list[Any]:
        with self.store.read() as connection:
            return list(
                connection.execute(select(schema.messages).order_by(schema.messages.c.queued_at)).all()
            )

    def message(self) -> Any:
        [only] = self.messages()
        return only

    def queued_message(self) -> str:
        """Let the lead in and take the first turn: the message that it queued."""
        [run] = self.happens("lead.created")
        return self.advance(run, NOW).deliver[0].message


@contextmanager
def paused_at(store: Store, thread: str, statement: str) -> Any:
    """Stop the thread of that name before it executes a statement that begins so; yields (reached, go_on)."""
    reached, go_on = threading.Event(), threading.Event()

    def before(_connection: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if threading.current_thread().name == thread and sql.startswith(statement) and not reached.is_set():
            reached.set()
            assert go_on.wait(20)

    sa_event.listen(store.engine, "before_cursor_execute", before)
    try:
        yield reached, go_on
    finally:
        go_on.set()
        sa_event.remove(store.engine, "before_cursor_execute", before)


class Thread(threading.Thread):
    """A thread whose result, or failure, `done` gives."""

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        super().__init__(name=name, daemon=True)
        self._work = work
        self._result: Any = None
        self._failure: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as failure:
            self._failure = failure

    def done(self) -> Any:
        self.join(30)
        assert not self.is_alive(), f"{self.name} hangs"
        if self._failure:
            raise self._failure
        return self._result
