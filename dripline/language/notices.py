"""`notify` as a marketer writes it, and the people whom it tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from dripline.language.kinds import TemplateName, Text
from dripline.language.load import Written
from dripline.language.people import EMAIL, PHONE, PersonEntry
from dripline.language.plan import Channel, Person
from dripline.language.short_forms import ShortForm

OWNER = "owner"
"""Who looks after the lead, whoever that is."""


class NoticeArguments(Written):
    """Whom to tell, and what."""

    to: Text = Field(
        description="`owner`, a name of `people` in dripline.yaml, an e-mail address or a number."
    )
    template: TemplateName | None = Field(None, description="A template under templates/.")
    text: Text | None = Field(None, description="The message itself; may hold `{{ … }}`.")
    subject: Text | None = Field(None, description="The subject (e-mail only); may hold `{{ … }}`.")


Notice = Annotated[
    NoticeArguments,
    ShortForm(lambda value: {"to": value} if isinstance(value, str) else value, "to"),
]


def address_channel(text: str) -> Channel | None:
    """The channel that an address is of; None for what is no address."""
    if EMAIL.fullmatch(text):
        return "email"
    return "sms" if PHONE.fullmatch(text) else None


def person_channel(person: PersonEntry | Person) -> Channel | None:
    """The channel by which somebody is told: e-mail, else SMS."""
    if person.email:
        return "email"
    return "sms" if person.phone else None


def channels_to(to: str, people: Mapping[str, PersonEntry]) -> list[Channel]:
    """The channels that telling `to` may need."""
    direct = address_channel(to)
    if direct is not None:
        return [direct]
    told: Iterator[PersonEntry] = (
        iter(people.values()) if to == OWNER else iter(filter(None, [people.get(to)]))
    )
    found: set[Any] = {person_channel(person) for person in told} - {None}
    return sorted(found)
