"""Two hundred believable leads of `welcome`: who they are, what each does and when, and what each must get.

What they must get is reckoned here from the journey as its author reads it, not by asking the engine.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

Moment = Literal["at once", "resting", "waiting", "ended"]
"""Right after the lead was made; when `hello` is settled; when its run stands at the wait; when it has ended."""

STARTS_AT = datetime(2027, 1, 18, 14, 5)
"""When booked demos start, in UTC (no summer time anywhere)."""


@dataclass(frozen=True)
class Act:
    """What a lead does: an event, or a change of its own data."""

    when: Moment
    event: str | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    historical: bool = False


@dataclass(frozen=True)
class Fate:
    """What a lead does, and what of the journey follows from it."""

    acts: tuple[Act, ...]
    messages: tuple[str, ...]
    """The templates that its run asks for, in order."""
    outcome: tuple[str, str | None] | None
    """How its run ends, and why; None: it never enters."""
    worth: float | None = None
    refused: Mapping[str, str] = field(default_factory=dict)
    """Templates that must not leave, with the reason."""
    lead: Mapping[str, Any] = field(default_factory=dict)
    """What is particular about the lead from the beginning."""


def _books(when: Moment, seats: int, historical: bool = False) -> Act:
    said = {"seats": seats, "starts_at": f"{STARTS_AT.isoformat()}Z"}
    return Act(when, "demo.booked", said, historical=historical)


def _pays(when: Moment, total: float, historical: bool = False) -> Act:
    said = {"order_id": f"A-{total:.0f}", "total": total, "currency": "AMD", "items": ["seat"]}
    return Act(when, "order.paid", said, historical=historical)


ALL = ("hello", "offer")
SEEN = ("hello", "see-you-there")
FINISHED = ("finished", None)
BOOKED = ("stopped", "booked")
BOUGHT = ("goal", "order.paid")

FATES: dict[str, Fate] = {
    "silent": Fate((), ALL, FINISHED),
    "books at once": Fate((_books("at once", 8),), SEEN, BOOKED),
    "books five seats": Fate((_books("at once", 5),), SEEN, BOOKED),
    "books without a time": Fate((Act("waiting", "demo.booked", {"seats": "6"}),), SEEN, BOOKED),
    "books too few": Fate((_books("at once", 4),), ALL, FINISHED),
    "books too few, then more": Fate((_books("at once", 2), _books("waiting", 12)), SEEN, BOOKED),
    "books while waiting": Fate((_books("waiting", 20),), SEEN, BOOKED),
    "books too late": Fate((_books("ended", 9),), ALL, FINISHED),
    "booked long ago": Fate((_books("at once", 9, historical=True),), ALL, FINISHED),
    "buys while resting": Fate((_pays("resting", 120.5),), ("hello",), BOUGHT, 120.5),
    "buys while waiting": Fate((_pays("waiting", 80.0),), ("hello",), BOUGHT, 80.0),
    "buys after the end": Fate((_pays("ended", 310.0),), ALL, FINISHED, 310.0),
    "books, and buys afterwards": Fate((_books("at once", 7), _pays("ended", 49.9)), SEEN, BOOKED, 49.9),
    "bought long ago": Fate((_pays("at once", 5.0, historical=True),), ALL, FINISHED),
    "unsubscribes": Fate((Act("resting", "lead.unsubscribed"),), ("hello",), ("exit", "unsubscribed")),
    "is rejected": Fate(
        (Act("waiting", "lead.rejected", {"reason": "a student"}),), ("hello",), ("exit", "rejected")
    ),
    "becomes a customer": Fate(
        (Act("resting", change={"stage": "customer"}),), ("hello",), ("exit", "became a customer")
    ),
    "leaves the newsletter": Fate(
        (Act("resting", change={"topics": {"newsletter": False}}),),
        ALL,
        FINISHED,
        refused={"offer": "left the topic newsletter"},
    ),
    "takes its consent back": Fate(
        (Act("waiting", change={"consent": {"email": False}}),),
        ALL,
        FINISHED,
        refused={"offer": "no consent for email"},
    ),
    "has no address": Fate(
        (_books("at once", 30),),
        SEEN,
        BOOKED,
        refused={"hello": "no e-mail address"},
        lead={"email": None},
    ),
    "never agreed": Fate(
        (_books("at once", 8), _pays("at once", 70.0)), (), None, lead={"consent": {"email": False}}
    ),
    "was imported": Fate((_books("at once", 8),), (), None, lead={"historical": True}),
}

_PEOPLE = {
    "en": [
        ("Grace", "Whitfield", "grace.whitfield"),
        ("Peter", "Lindqvist", "peter.lindqvist"),
        ("Zoë", "Marchetti", "zoe.marchetti"),
        ("Seán", "O'Malley", "sean.omalley"),
        (None, "Abernathy", "office.abernathy"),
    ],
    "hy": [
        ("Արամ", "Հովհաննիսյան", "aram.hovhannisyan"),
        ("Լիլիթ", "Պետրոսյան", "lilit.petrosyan"),
        ("Նարեկ", "Գրիգորյան", "narek.grigoryan"),
        ("Գայանե", "Սարգսյան", "gayane.sargsyan"),
        (None, "Մկրտչյան", "info.mkrtchyan"),
    ],
    "ru": [
        ("Дмитрий", "Колесников", "dmitry.kolesnikov"),
        ("Ольга", "Воробьёва", "olga.vorobyova"),
        ("Наталья", "Щербакова", "natalia.shcherbakova"),
        ("Сергей", "Ковалёв", "sergey.kovalyov"),
        (None, "Жуковский", "zakaz.zhukovsky"),
    ],
}
_COMPANIES = ["Smith & Sons Bakery", "Ararat Textiles", "Северный Ветер", "Նոր Գիրք", None]
_PLACES: dict[str, list[tuple[str | None, str | None, str | None, int]]] = {
    # locale, country, zone, and its hours ahead of UTC in January
    "en": [
        ("en-GB", "GB", "Europe/London", 0),
        ("en-US", "US", "America/New_York", -5),
        ("en", "IE", None, 0),
        ("fr-FR", "FR", None, 1),
        ("en-AM", "AM", None, 4),
        (None, None, None, 4),
    ],
    "hy": [
        ("hy-AM", "AM", "Asia/Yerevan", 4),
        ("hy", "AM", None, 4),
        ("hy", "US", "America/Los_Angeles", -8),
    ],
    "ru": [
        ("ru-RU", "RU", "Europe/Moscow", 3),
        ("ru-KZ", "KZ", "Asia/Almaty", 5),
        ("ru-AM", "AM", None, 4),
        ("ru", "GE", None, 4),
    ],
}


@dataclass(frozen=True)
class Guest:
    """A lead to be."""

    number: int
    fate_name: str
    language: str
    first_name: str | None
    last_name: str
    company: str | None
    email: str | None
    phone: str | None
    agreed_to_sms: bool
    locale: str | None
    country: str | None
    timezone: str | None
    hours: int

    @property
    def fate(self) -> Fate:
        return FATES[self.fate_name]

    @property
    def external_id(self) -> str:
        return f"crm-{1000 + self.number}"

    def body(self) -> dict[str, Any]:
        """What is put to /v1/leads."""
        attributes = {"first_name": self.first_name, "last_name": self.last_name, "company": self.company}
        said: dict[str, Any] = {
            "external_id": self.external_id,
            "email": self.email and self._spelled(self.email),
            "phone": self.phone and f"{self.phone[:4]} {self.phone[4:]}",
            "locale": self.locale,
            "country": self.country,
            "timezone": self.timezone,
            "consent": {"email": True, "sms": self.agreed_to_sms, **self.fate.lead.get("consent", {})},
            "attributes": {name: value for name, value in attributes.items() if value},
        }
        if self.fate.lead.get("historical"):
            said["historical"] = True
        return {name: value for name, value in said.items() if value is not None}

    def reference(self, nth: int) -> Any:
        """The lead as callers name it: now so, now so."""
        ways: list[Any] = [{"external_id": self.external_id}, self.external_id]
        if self.email:
            ways += [{"email": self.email.upper()}, self.email]
        if self.phone:
            ways.append({"phone": f"{self.phone[:3]} {self.phone[3:]}"})
        return ways[nth % len(ways)]

    def personal(self) -> list[str]:
        """Everything about the lead that Temporal and the logs must never hold."""
        known = [self.email, self.phone, self.first_name, self.last_name, self.company]
        return [text for text in known if text]

    # -- what it must get ------------------------------------------------------------------------------------

    def refusal(self, template: str) -> str | None:
        """Why that message of its journey must not leave; None: it must."""
        if template in self.fate.refused:
            return self.fate.refused[template]
        if template != "see-you-there":
            return None
        if not self.phone:
            return "no phone number"
        if not self.agreed_to_sms:
            return "no consent for sms"
        if not self.phone.startswith(("+120255501", "+447700900")):
            return "not on the list of those who may be messaged outside production"
        return None

    def arrivals(self) -> list[tuple[str, str]]:
        """Address and subject, or number and text, of everything that must reach it."""
        sent = [template for template in self.fate.messages if self.refusal(template) is None]
        return [self._arrival(template) for template in sent]

    def greeting(self) -> str:
        """The first words of its e-mails."""
        name = self.first_name
        return {
            "en": f"Hello {name}," if name else "Hello,",
            "hy": f"Բարև Ձեզ, {name}," if name else "Բարև Ձեզ,",
            "ru": f"Здравствуйте, {name}!" if name else "Здравствуйте!",
        }[self.language]

    def _arrival(self, template: str) -> tuple[str, str]:
        if template == "see-you-there":
            return self.phone or "", self._see_you_there()
        name = f", {self.first_name}" if self.first_name else ""
        subject = {
            ("hello", "en"): f"Welcome to Dripline{name}",
            ("hello", "hy"): f"Բարի գալուստ Dripline{name}",
            ("hello", "ru"): f"Добро пожаловать в Dripline{name}",
            ("offer", "en"): f"Shall we set up your first journey with you{name}?",
            ("offer", "hy"): f"Միասին կազմե՞նք Ձեր առաջին շղթան{name}",
            ("offer", "ru"): f"Соберём первую цепочку вместе{name}?",
        }[template, self.language]
        return self.email or "", subject

    def _see_you_there(self) -> str:
        at = None if self.fate_name == "books without a time" else self._time_of_demo()
        return {
            "en": f"Dripline: your demo is booked{f' for {at}' if at else ''}. See you there!",
            "hy": f"Dripline. Ցուցադրությունն ամրագրված է{f'՝ {at}' if at else ''}։ Կհանդիպենք այնտեղ։",
            "ru": f"Dripline: вы записаны на демонстрацию{f', {at}' if at else ''}. До встречи!",
        }[self.language]

    def _time_of_demo(self) -> str:
        local = STARTS_AT + timedelta(hours=self.hours)
        if self.locale == "en-GB":
            return f"{local:%d/%m/%Y, %H:%M}"
        if self.language == "en":
            return f"{local.month}/{local.day}/{local:%y}, {(local.hour - 1) % 12 + 1}:{local:%M} {local:%p}"
        return f"{local:%d.%m.%y, %H:%M}" if self.language == "hy" else f"{local:%d.%m.%Y, %H:%M}"

    def _spelled(self, email: str) -> str:
        name, domain = email.split("@")
        return f"{name}@{domain.upper()}" if self.number % 7 == 0 else email


def guests(count: int, seed: int) -> list[Guest]:
    """So many leads, the same for the same seed; every fate about as often as every other."""
    draw = random.Random(seed)
    fates = list(FATES)
    return [_guest(number, fates[number % len(fates)], draw) for number in range(count)]


def _guest(number: int, fate: str, draw: random.Random) -> Guest:
    language = draw.choice(list(_PEOPLE))
    first_name, last_name, written = draw.choice(_PEOPLE[language])
    locale, country, timezone, hours = draw.choice(_PLACES[language])
    email = f"{written}{number}@example.{draw.choice(['com', 'org', 'net'])}"
    reachable = f"+1202555{100 + number // 2:04}" if number % 2 else f"+447700900{number:03}"
    # +1 202 555 01xx, +44 7700 900xxx and +33 6 39 98 xx xx are kept free for stories; the last is not on our list
    phone = draw.choices([reachable, f"+3363998{number:04}", None], [55, 25, 20])[0]
    agreed = draw.random() < 0.8
    if fate == "has no address":
        phone, agreed = reachable, True
    return Guest(
        number=number,
        fate_name=fate,
        language=language,
        first_name=first_name,
        last_name=last_name,
        company=draw.choice(_COMPANIES),
        email=FATES[fate].lead.get("email", email),
        phone=phone,
        agreed_to_sms=agreed,
        locale=locale,
        country=country,
        timezone=timezone,
        hours=hours,
    )
