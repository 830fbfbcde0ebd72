"""Who the demo's leads are: believable, and nobody. Their addresses are reserved; none of their messages leaves."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

PREFIX = "demo-"
"""What the external ids of the demo's leads begin with."""

_FIRST = {  # and how an address spells it
    "en": ["Grace", "Peter", "Amelia", "Liam", "Charlotte", "Owen", "Hannah", "Marcus", "Fiona", "Daniel"],
    "hy": [
        "Անի ani",
        "Արամ aram",
        "Լիլիթ lilit",
        "Նարեկ narek",
        "Գայանե gayane",
        "Տիգրան tigran",
        "Մարիամ mariam",
        "Դավիթ davit",
        "Սոնա sona",
        "Հայկ hayk",
    ],
    "ru": [
        "Дмитрий dmitry",
        "Ольга olga",
        "Сергей sergey",
        "Наталья natalia",
        "Иван ivan",
        "Елена elena",
        "Павел pavel",
        "Мария maria",
        "Кирилл kirill",
        "Анна anna",
    ],
    "am": ["አበበ abebe", "ሰላም selam", "ዳዊት dawit", "ሃና hana", "ዮናስ yonas", "ቤተልሔም bethlehem"],
}
_LAST = {
    "en": ["Whitfield", "Lindqvist", "Harper", "Mitchell", "Brennan", "Carter", "Doyle", "Ellison"],
    "hy": [
        "Պետրոսյան petrosyan",
        "Գրիգորյան grigoryan",
        "Սարգսյան sargsyan",
        "Հակոբյան hakobyan",
        "Մկրտչյան mkrtchyan",
        "Ավետիսյան avetisyan",
        "Մարտիրոսյան martirosyan",
    ],
    "ru": [
        "Коваленко kovalenko",
        "Жданович zhdanovich",
        "Шевченко shevchenko",
        "Литвиненко litvinenko",
        "Гончаренко goncharenko",
        "Бондаренко bondarenko",
        "Юрченко yurchenko",
    ],
    "am": ["ተስፋዬ tesfaye", "ከበደ kebede", "ግርማ girma", "ታደሰ tadesse", "መኮንን mekonnen"],
}
_COMPANIES = [
    ("Ararat Textiles", "ararat-textiles.example"),
    ("Smith & Sons Bakery", "smith-bakery.example"),
    ("Северный Ветер", "severny-veter.example"),
    ("Նոր Գիրք", "nor-girq.example"),
    ("Harbour Yoga", "harbour-yoga.example"),
    ("Blue Nile Coffee", "blue-nile-coffee.example"),
]
_PRIVATE = ["example.com", "example.org", "example.net"]
_PLACES: dict[
    str, list[tuple[str, str, str | None]]
] = {  # locale, country, zone; the first ones are the more usual
    "en": [
        ("en-US", "US", "America/New_York"),
        ("en-GB", "GB", "Europe/London"),
        ("en-US", "US", "America/Los_Angeles"),
        ("en-IE", "IE", "Europe/Dublin"),
        ("en-AU", "AU", "Australia/Sydney"),
        ("en", "DE", "Europe/Berlin"),
    ],
    "hy": [
        ("hy-AM", "AM", "Asia/Yerevan"),
        ("hy-AM", "AM", "Asia/Yerevan"),
        ("hy-AM", "AM", None),
        ("hy", "GE", "Asia/Tbilisi"),
        ("hy", "US", "America/Los_Angeles"),
        ("hy", "FR", "Europe/Paris"),
    ],
    "ru": [
        ("ru-RU", "RU", "Europe/Moscow"),
        ("ru-KZ", "KZ", "Asia/Almaty"),
        ("ru", "AM", "Asia/Yerevan"),
        ("ru", "GE", "Asia/Tbilisi"),
        ("ru-RU", "RU", "Asia/Yekaterinburg"),
        ("ru", "DE", "Europe/Berlin"),
    ],
    "am": [("am-ET", "ET", "Africa/Addis_Ababa"), ("am", "US", "America/New_York")],
}
_PHONES = {  # valid ones; those of the USA are kept free for stories
    "AM": "+37477123{:03}",
    "AU": "+61491570{:03}",
    "DE": "+4915123456{:03}",
    "ET": "+251911234{:03}",
    "FR": "+33612345{:03}",
    "GB": "+447400123{:03}",
    "GE": "+995555123{:03}",
    "IE": "+353850123{:03}",
    "KZ": "+77710009{:03}",
    "RU": "+79123456{:03}",
    "US": "+12{}255501{:02}",
}


@dataclass(frozen=True)
class Person:
    """A lead to be."""

    number: int
    language: str
    first_name: str
    last_name: str
    company: str | None
    email: str
    phone: str | None
    agrees_to_sms: bool
    locale: str
    country: str
    timezone: str | None

    @property
    def external_id(self) -> str:
        """How the demo calls the lead."""
        return f"{PREFIX}{self.number:03}"

    def body(self, *, agrees: bool, historical: bool) -> dict[str, Any]:
        """What is put to /v1/leads. A `historical` lead has been there for long: no journey greets it."""
        names = {"first_name": self.first_name, "last_name": self.last_name, "company": self.company}
        said: dict[str, Any] = {
            "external_id": self.external_id,
            "email": self.email,
            "phone": self.phone,
            "locale": self.locale,
            "country": self.country,
            "timezone": self.timezone,
            "consent": {"email": True, "sms": self.agrees_to_sms} if agrees else {},
            "attributes": {name: value for name, value in names.items() if value},
        }
        if historical:
            said["historical"] = True
        return {name: value for name, value in said.items() if value not in (None, {})}


def person(
    number: int,
    draw: random.Random,
    languages: Collection[str],
    countries: Collection[str] | None = None,
) -> Person:
    """A lead who speaks one of these languages in one of these countries, the same for the same draw."""
    language = draw.choice(sorted(languages))
    places = [place for place in _PLACES[language] if countries is None or place[1] in countries]
    # the first places are the more usual: the smaller of two draws
    locale, country, timezone = places[min(draw.randrange(len(places)), draw.randrange(len(places)))]
    first_name, first = _name(draw.choice(_FIRST[language]))
    last_name, last = _name(draw.choice(_LAST[language]))
    company, domain = draw.choice([*_COMPANIES, *((None, private) for private in _PRIVATE * 2)])
    return Person(
        number=number,
        language=language,
        first_name=first_name,
        last_name=last_name,
        company=company,
        email=f"{first}.{last}@{domain}",
        phone=_phone(country, number) if draw.random() < 0.85 else None,
        agrees_to_sms=draw.random() < 0.75,
        locale=locale,
        country=country,
        timezone=timezone,
    )


def _name(written: str) -> tuple[str, str]:
    """A name, and the same as an address spells it."""
    name, _, latin = written.partition(" ")
    return name, latin or name.lower()


def _phone(country: str, number: int) -> str:
    if country == "US":  # 202 and 212, each with a hundred such numbers
        return _PHONES[country].format(number // 100 % 2, number % 100)
    return _PHONES[country].format(number)
