"""Made-up leads with a fate each, what they do over HTTP, and the messages that they must get."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

NAMES = ["Ani", "Armen", "Narek", "Lilit", "Дмитрий", "Ольга", "Grace", "Peter", "Արամ", "ሰላም"]

FATES: dict[str, tuple[tuple[str, dict[str, Any]] | None, frozenset[str]]] = {
    "silent": (None, frozenset({"crash/hello", "crash/offer"})),
    "books": (("demo.booked", {"seats": 8}), frozenset({"crash/hello", "crash/see-you-there"})),
    "books-too-few": (("demo.booked", {"seats": 2}), frozenset({"crash/hello", "crash/offer"})),
    "buys": (("order.paid", {"total": 12.5}), frozenset({"crash/hello"})),
    "leaves": (("lead.unsubscribed", {}), frozenset({"crash/hello"})),
}
"""By fate: the event that the lead causes at once, and the messages of its run."""

WITHDRAWN = {"buys", "leaves"}
"""Fates whose first message may be withdrawn before it leaves: the run was left."""


@dataclass(frozen=True)
class Person:
    """A lead to be."""

    number: int
    name: str
    fate: str

    @property
    def email(self) -> str:
        return f"lead{self.number}@example.com"

    @property
    def phone(self) -> str:
        return f"+3749{1_000_000 + self.number}"


def people(count: int, seed: int) -> list[Person]:
    """So many people, the same for the same seed."""
    draw = random.Random(seed)
    fates = list(FATES)
    return [Person(number, draw.choice(NAMES), draw.choice(fates)) for number in range(count)]


class Caller:
    """Posts until it is answered: what a careful client does while servers come and go."""

    def __init__(self, url: str, patience: float = 60.0) -> None:
        self._client = httpx.Client(base_url=url, timeout=10.0, trust_env=False)
        self._patience = patience

    def put_lead(self, person: Person) -> None:
        """Make the lead."""
        body = {
            "email": person.email,
            "phone": person.phone,
            "consent": {"email": True, "sms": True},
            "attributes": {"first_name": person.name},
        }
        self._until_answered(lambda: self._client.put("/v1/leads", json=body))

    def act(self, person: Person) -> None:
        """Let the person's fate happen, as an event with an id of its own."""
        event = FATES[person.fate][0]
        if event is None:
            return
        name, properties = event
        body = {
            "id": f"fate-{person.number}",
            "name": name,
            "lead": {"email": person.email},
            "properties": properties,
        }
        self._until_answered(lambda: self._client.post("/v1/events", json=body))

    def _until_answered(self, call: Callable[[], httpx.Response]) -> None:
        give_up = time.monotonic() + self._patience
        while True:
            try:
                answer = call()
                if answer.status_code < 300:
                    return
                if answer.status_code < 500 and answer.status_code != 429:
                    raise AssertionError(f"refused: {answer.status_code} {answer.text}")
            except httpx.HTTPError:
                pass
            if time.monotonic() > give_up:
                raise TimeoutError("the web process did not answer")
            time.sleep(0.1)


def live(
    url: str, everyone: list[Person], seconds: float, callers: int = 6, patience: float = 60.0
) -> Iterator[int]:
    """Let everyone come, spread evenly over so many seconds; yields how many have come so far."""
    caller = Caller(url, patience)
    began = time.monotonic()

    def come(numbered: tuple[int, Person]) -> None:
        number, person = numbered
        wait = began + seconds * number / len(everyone) - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        caller.put_lead(person)
        caller.act(person)

    with ThreadPoolExecutor(callers) as pool:
        for number, _ in enumerate(pool.map(come, enumerate(everyone)), 1):
            yield number
