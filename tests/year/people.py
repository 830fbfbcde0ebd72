"""Who comes to a small shop within a year, and what they do: made up, and the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dripline.stack.demo.people import Person, person

PRODUCTS = {
    "sms-1000": 12_000,
    "sms-5000": 50_000,
    "sender-name": 30_000,
    "templates-shop": 25_000,
    "templates-events": 25_000,
}
"""What is bought of the shipped catalogue, and for how much (AMD)."""
START = datetime(2026, 1, 5, 6, 0, tzinfo=UTC)
"""When the year begins."""
SOURCES = (
    ("google", "cpc", "spring", 350),
    ("google", "organic", None, None),
    ("facebook", "paid-social", "autumn", 220),
    ("newsletter", "email", "news", None),
    (None, None, None, None),
)
NUMBERS = 999
"""Telephone numbers of a country that are nobody's."""
_LANGUAGES = ("hy", "hy", "hy", "ru", "ru", "en")
_COUNTRIES = ("AM", "GE", "RU", "US", "GB", "DE", "FR", "KZ", "IE", "AU", "ET")


@dataclass(frozen=True)
class Does:
    """Something that a person does, so many days after it came."""

    days: float
    event: str
    properties: dict[str, Any]


@dataclass(frozen=True)
class Shopper:
    """One of those who come, with what it will do of its own accord."""

    person: Person
    comes: timedelta
    agrees: bool
    touch: dict[str, Any] | None
    does: tuple[Does, ...]
    answers: float
    """How likely it reacts to a message at all."""

    @property
    def id(self) -> str:
        """The id that the shop gives it."""
        return self.person.external_id


def shoppers(number: int, seed: int) -> Iterator[Shopper]:
    """Those who come in a year, in no order."""
    draw = random.Random(seed)
    taken: set[str] = set()
    for place in range(1, number + 1):
        one = person(place, draw, _LANGUAGES, _COUNTRIES)
        if one.email in taken:  # there are not so many names
            user, _, domain = one.email.partition("@")
            one = replace(one, email=f"{user}.{place}@{domain}")
        if place > NUMBERS:
            one = replace(one, phone=None)
        taken.add(one.email)
        yield _shopper(one, draw)


def _shopper(one: Person, draw: random.Random) -> Shopper:
    source, medium, campaign, cost = draw.choice(SOURCES)
    touch = None
    if source is not None:
        touch = {"source": source, "medium": medium, "campaign": campaign, "cost": cost}
    return Shopper(
        one,
        timedelta(days=draw.random() * 300),
        draw.random() < 0.85,
        {name: value for name, value in touch.items() if value is not None} if touch else None,
        tuple(sorted(_acts(one, draw), key=lambda act: act.days)),
        draw.choice((0.0, 0.1, 0.3, 0.6)),
    )


def _acts(one: Person, draw: random.Random) -> Iterator[Does]:
    """What it does of its own accord, as far as events tell."""
    for _ in range(draw.choice((0, 0, 1, 2, 4))):
        yield Does(draw.random() * 60, "pricing.viewed", {"page": "/pricing"})
    for _ in range(draw.choice((0, 0, 1, 3))):
        yield Does(draw.random() * 90, "product.viewed", {"product": draw.choice(sorted(PRODUCTS))})
    if draw.random() < 0.12:
        yield Does(
            draw.random() * 20, "ebook.requested", {"title": "Post", "url": "https://x.example/post.pdf"}
        )
    if draw.random() < 0.08:
        yield from _attends(draw)
    fate = draw.random()
    if fate < 0.4:
        yield from _buys(one, draw)
    elif fate < 0.45:
        yield Does(5 + draw.random() * 20, "stage", {"stage": "lost"})
    elif fate < 0.55:
        reason = draw.choice(("price", "timing", "no answer", "other"))
        yield Does(5 + draw.random() * 20, "lead.rejected", {"reason": reason})
    elif fate < 0.63:
        yield Does(draw.random() * 9, "demo.booked", {"seats": draw.randint(1, 12)})
    elif fate < 0.71:
        left = draw.sample(sorted(PRODUCTS), k=draw.choice((1, 2)))
        cart = {"cart_id": f"{one.external_id}/cart", "items": left}
        yield Does(
            draw.random() * 9, "cart.abandoned", {**cart, "total": sum(PRODUCTS[name] for name in left)}
        )
    elif fate < 0.76:
        until = (START + timedelta(days=330)).date().isoformat()
        yield Does(draw.random() * 9, "demand.deferred", {"product": "sms-1000", "until": until})
    elif fate < 0.8:
        asked = {"form": "contact", "submission": f"{one.external_id}/asks", "message": "How much is it?"}
        yield Does(draw.random() * 9, "form.submitted", asked)


def _attends(draw: random.Random) -> Iterator[Does]:
    """A webinar on 1 December, for whoever hears of it by then."""
    held = START.replace(month=12, day=1, hour=14)
    said = {"webinar": "december", "starts_at": held.isoformat(), "url": "https://x.example/w"}
    yield Does(draw.random() * 20, "webinar.registered", said)


def _buys(one: Person, draw: random.Random) -> Iterator[Does]:
    day = draw.random() * 30
    for number in range(draw.choice((1, 1, 1, 2, 3, 6))):
        products = draw.sample(sorted(PRODUCTS), k=draw.choice((1, 1, 2)))
        order = f"{one.external_id}/order-{number}"
        paid = {"order_id": order, "total": sum(PRODUCTS[name] for name in products), "items": products}
        yield Does(day, "order.paid", {**paid, "currency": "AMD"})
        if draw.random() < 0.3:
            yield Does(day + 3, "order.delivered", {"order_id": order, "items": products})
        if draw.random() < 0.05:
            yield Does(day + 5, "order.refunded", {"order_id": order, "total": paid["total"]})
        day += 10 + draw.random() * 60
    if draw.random() < 0.4:
        yield Does(day, "feedback.given", {"score": draw.randint(4, 10), "comment": ""})
    if draw.random() < 0.4:
        yield Does(day, "onboarding.finished", {})
    if draw.random() < 0.2:
        yield Does(day + 20, "subscription.cancelled", {"plan": "team"})


def when(start: datetime, shopper: Shopper, act: Does) -> datetime:
    """The moment of an act."""
    return start + shopper.comes + timedelta(days=act.days)
