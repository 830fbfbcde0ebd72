"""How the words of other systems become ours: `tracking_api` of the workspace file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from dripline.language.load import Written
from dripline.language.problems import did_you_mean
from dripline.language.short_forms import ShortForm

SETTABLE = ("email", "phone", "locale", "timezone", "country", "stage", "score", "tags")
"""Built-in fields of a lead that a trait may be."""
_CHANNELS = ("email", "sms")


def _written_out(value: Any) -> Any:
    return {"event": value} if isinstance(value, str) else value


class EventArguments(Written):
    """Which of your events it is, and what its properties are called."""

    event: str = Field(description="One of `events`.")
    properties: dict[str, str] = Field(
        default_factory=dict,
        description="Their name of a property, with dots into what is nested, and yours: `cart.value: total`.",
    )


class TrackingApi(Written):
    """How calls of Segment's kind are read. Names that differ in case and word breaks alone need no line here."""

    events: dict[str, Annotated[EventArguments, ShortForm(_written_out, "event")]] = Field(
        default_factory=dict, description="Their name of an event, and yours: `Order Completed: order.paid`."
    )
    traits: dict[str, str] = Field(
        default_factory=dict,
        description="Their name of a trait of a person, and yours: an attribute, a built-in field, `consent.email`,"
        " `topics.newsletter`.",
    )
    group_traits: dict[str, str] = Field(
        default_factory=dict,
        description="Their name of a trait of a group, and the attribute that it becomes of those who join it.",
    )
    pages: bool = Field(
        True, description="Whether pages and screens that are seen are kept, as the event `page.viewed`."
    )
    orders: Literal["servers", "anybody"] = Field(
        "servers",
        description="Who may tell of orders, of what is given back, of friends' codes, and of colleagues' reactions:"
        " `servers`, by a key with the scope `events:write` (also if it is not said), or `anybody` with a write key."
        " Where that one lies open on a"
        " web page, whoever reads it could then earn discounts and rewards without buying.",
    )
    aliases: Literal["visitors", "anybody"] = Field(
        "visitors",
        description="Whom `alias` may make one with another: `visitors` nobody knows yet (also if it is not said), or"
        " `anybody`. A write key that lies open on a web page can then merge people whose ids are guessed.",
    )


def wrong_targets(
    told: TrackingApi,
    events: Mapping[str, Iterable[str]],
    built_in: Iterable[str],
    attributes: Iterable[str],
    topics: Iterable[str],
) -> Iterator[tuple[str, str, str]]:
    """Code, message and hint of each name that leads nowhere. `events` has the properties of each."""
    ours = {name: fields for name, fields in events.items() if name not in set(built_in)}
    for theirs, entry in told.events.items():
        if entry.event not in ours:
            hint = did_you_mean(entry.event, ours) or "declare it under `events`"
            yield "unknown-event", f"`{theirs}` is to be `{entry.event}`, which is no event of yours", hint
            continue
        known = list(ours[entry.event])
        for name in entry.properties.values():
            if name not in known:
                hint = did_you_mean(name, known) or f"declare it under `{entry.event}`"
                yield "unknown-property", f"`{entry.event}` has no property `{name}`", hint
    own = list(attributes)
    fields = [*own, *SETTABLE, *(f"consent.{one}" for one in _CHANNELS), *(f"topics.{one}" for one in topics)]
    for group, known in ((told.traits, fields), (told.group_traits, own)):
        for theirs, name in group.items():
            if name not in known:
                hint = did_you_mean(name, known) or "declare it under `attributes`"
                yield "unknown-attribute", f"`{theirs}` is to be `{name}`, which leads do not have", hint
