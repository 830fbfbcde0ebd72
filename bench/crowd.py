"""The leads of a bench, and the caller that tells Dripline what they do."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert

from dripline.clock import machine_clock
from dripline.store.database import Store
from dripline.store.schema import identities, leads

BATCH = 100
"""Events of one batch."""


@dataclass(frozen=True)
class Lead:
    """A lead that is in the store."""

    id: str
    email: str


class Crowd:
    """Makes leads, straight into the store: how they came there is no part of what is measured."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._made = 0

    def take(self, count: int, company: str = "Ararat") -> list[Lead]:
        """So many leads of whom nothing is known yet but that they agreed to e-mail."""
        first, self._made = self._made, self._made + count
        taken = [Lead(f"lead-{n:07}", f"lead{n}@example.com") for n in range(first, self._made)]
        now = machine_clock()
        made = {
            "country": "AM",
            "consent": {"email": True},
            "topics": {},
            "attributes": {"first_name": "Ani", "company": company},
            "created_at": now,
            "updated_at": now,
        }
        with self._store.write() as connection:
            connection.execute(
                insert(leads), [{"id": lead.id, "email": lead.email, **made} for lead in taken]
            )
            connection.execute(
                insert(identities),
                [
                    {"kind": "email", "value": lead.email, "lead_id": lead.id, "created_at": now}
                    for lead in taken
                ],
            )
        return taken


class Caller:
    """Posts events as a careful program would: connections kept, each answer read."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._own = threading.local()

    def say(self, name: str, lead: Lead, **properties: Any) -> None:
        """Record one event."""
        self._post("/v1/events", _event(name, lead, properties))

    def say_singly(self, name: str, whom: Sequence[Lead], callers: int = 4, **properties: Any) -> float:
        """Record the event for each lead in a request of its own; the seconds that it took."""
        return self._all(callers, whom, lambda lead: self.say(name, lead, **properties))

    def say_in_batches(self, name: str, whom: Sequence[Lead], callers: int = 2, **properties: Any) -> float:
        """Record the event for each lead, a hundred in a request; the seconds that it took."""
        batches = [whom[start : start + BATCH] for start in range(0, len(whom), BATCH)]

        def post(batch: Sequence[Lead]) -> None:
            events = [_event(name, lead, properties) for lead in batch]
            self._post("/v1/events/batch", {"events": events})

        return self._all(callers, batches, post)

    def _all(self, callers: int, work: Iterable[Any], do: Any) -> float:
        began = time.monotonic()
        with ThreadPoolExecutor(callers) as pool:
            for _ in pool.map(do, work):
                pass
        return time.monotonic() - began

    def _post(self, path: str, body: Any) -> None:
        connection = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=60
            )
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 202:
            raise RuntimeError(f"{path} answered {answer.status}: {said[:300]!r}")


def _event(name: str, lead: Lead, properties: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "lead": {"email": lead.email}, "properties": properties}
