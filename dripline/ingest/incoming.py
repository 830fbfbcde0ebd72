"""What callers may say: the shapes of the API's bodies, as its documentation shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
EventId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
EventName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
_EARLIEST, _LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.,]+ ?(?:[Zz]|[+-][0-9:]+)?")


def _number(value: Any) -> Any:
    """A text is a number only where it looks like one; so spreadsheets may be read."""
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise PydanticCustomError("float_parsing", "no number")
    if isinstance(value, bool):
        raise PydanticCustomError("float_parsing", "no number")
    return value


def _written(value: Any) -> Any:
    """A time is written out: a bare number could be seconds, milliseconds or a year."""
    if (isinstance(value, str) and _TIME.fullmatch(value.strip())) or isinstance(value, datetime):
        return value
    raise PydanticCustomError("datetime_parsing", "no time")


_WRITTEN = BeforeValidator(
    _number, json_schema_input_type=float | Annotated[str, Field(pattern="^[+-]?[0-9]{1,15}$")]
)
Score = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False), _WRITTEN]
Cost = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False), _WRITTEN]
Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST), BeforeValidator(_written)]
TopicName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Channels = dict[Literal["email", "sms"], StrictBool | None]


def _one_problem(value: Any, fit: ValidatorFunctionWrapHandler) -> Any:
    """One problem at the topic, instead of one for each form that it could have."""
    try:
        return fit(value)
    except ValidationError:
        raise PydanticCustomError("topic", "neither a truth nor a truth by channel") from None


TopicIn = Annotated[StrictBool | Channels | None, WrapValidator(_one_problem)]


class ConsentProof(_Said):
    """What shows that the lead agreed. Nothing that names anybody else, and no IP address: it is not needed."""

    wording: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)] | None
    ) = Field(None, description="What the lead agreed to, word for word.")
    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)] | None = (
        Field(None, description="The page on which it did. What follows `?` or `#` is not kept.")
    )
    how: Text | None = Field(None, description="The way in which it did, for example `call` or `paper form`.")
    at: Moment | None = Field(None, description="When it did (ISO 8601 with offset), where that is not now.")


class TouchIn(_Said):
    """Where the lead came from this time. What is not said is read from the page's address and the referrer."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "page": "https://example.com/offer?utm_source=google&utm_medium=cpc&utm_campaign=spring",
                    "referrer": "https://www.google.com/",
                    "cost": 0.42,
                    "currency": "USD",
                }
            ]
        },
    )

    at: Moment | None = Field(None, description="When it was (ISO 8601 with offset), where that is not now.")
    source: Text | None = Field(None, description="Who sent the lead: `google` (`utm_source`).")
    medium: Text | None = Field(None, description="By which kind of way: `cpc` (`utm_medium`).")
    campaign: Text | None = Field(None, description="`utm_campaign`.")
    term: Text | None = Field(None, description="`utm_term`.")
    content: Text | None = Field(None, description="`utm_content`.")
    channel: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)] | None = (
        Field(None, description="The channel, where our rules are not to find it out: `paid-search`.")
    )
    cost: Cost | None = Field(None, description="What it cost, as an amount of the currency.")
    currency: Annotated[str, StringConstraints(strip_whitespace=True, max_length=3)] | None = Field(
        None, description="Currency of the cost (ISO 4217); without it, the workspace's."
    )
    page: Annotated[str, StringConstraints(strip_whitespace=True, max_length=8_192)] | None = Field(
        None, description="The address of the page. Of its query only `utm_…` and click ids are read."
    )
    referrer: Annotated[str, StringConstraints(strip_whitespace=True, max_length=8_192)] | None = Field(
        None, description="The address that led to the page. Its host is kept."
    )


class LeadIn(_Said):
    """A lead, as far as it is known. What is left out stays as it is; null empties."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "external_id": "crm-1042",
                    "email": "ani@example.com",
                    "phone": "+374 91 123456",
                    "locale": "hy-AM",
                    "timezone": "Asia/Yerevan",
                    "consent": {"email": True, "sms": True},
                }
            ]
        },
    )

    id: Text | None = Field(None, description="Dripline's own id, where known: for changing an identity.")
    external_id: Text | None = Field(None, description="The caller's id of this person.")
    email: Annotated[str, StringConstraints(strip_whitespace=True, max_length=320)] | None = Field(
        None, description="E-mail address."
    )
    phone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None = Field(
        None,
        description="Phone number, best in E.164; a local one is read in the workspace's default region.",
    )
    anonymous_id: Text | None = Field(
        None,
        description="The id of a browser or device, before it is known whose it is. A lead may have many; with"
        " nothing else, it is an anonymous visitor.",
    )
    locale: Annotated[str, StringConstraints(strip_whitespace=True, max_length=35)] | None = Field(
        None, description="Language tag (BCP 47) such as `hy-AM`."
    )
    timezone: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None = Field(
        None, description="Zone of the tz database such as `Asia/Yerevan`."
    )
    country: Annotated[str, StringConstraints(strip_whitespace=True, max_length=2)] | None = Field(
        None, description="Two-letter country code (ISO 3166-1)."
    )
    stage: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32)] | None = (
        Field(None, description="Where the lead is on its way to being a customer.")
    )
    stage_reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=256)] | None = Field(
        None, description="Why: kept with the change of stage, and told by `lead.lost`."
    )
    score: Score | None = Field(None, description="How warm the lead is, as a number. Journeys add to it.")
    tags: (
        list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]] | None
    ) = Field(
        None, max_length=200, description="All tags of the lead: those that are left out are taken away."
    )
    consent: dict[Literal["email", "sms"], StrictBool | None] = Field(
        {}, description="By channel, whether the lead agreed to marketing messages."
    )
    topics: dict[TopicName, TopicIn] = Field(
        {},
        description="By subscription topic, whether the lead wants it: on every channel, or by channel as in"
        ' `{"sms": false}`.',
    )
    consent_proof: ConsentProof | None = Field(
        None, description="What shows the consent of this request: kept in the lead's log of consent."
    )
    tracking: bool | None = Field(
        None,
        description="Whether it may be kept what the lead opens and clicks; null: as the workspace says.",
    )
    attributes: dict[str, Any] = Field({}, description="The workspace's own attributes, as it declares them.")
    touch: TouchIn | None = Field(
        None, description="Where the lead came from this time: kept if it says anything new."
    )
    historical: StrictBool = Field(False, description="True for imported history: starts and moves nothing.")


class LeadRef(_Said):
    """A lead that exists, by any of its identities."""

    id: Text | None = None
    external_id: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    anonymous_id: Text | None = None


class EventIn(_Said):
    """Something that happened to a lead."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "name": "demo.booked",
                    "lead": {"email": "ani@example.com"},
                    "properties": {"seats": 8},
                    "id": "booking-77",
                }
            ]
        },
    )

    name: EventName = Field(description="As the workspace declares it, for example `demo.booked`.")
    lead: LeadRef | Text = Field(
        description="Who: an object with any identity, or one text that is an id, an external id, an e-mail"
        " address or a phone number."
    )
    properties: dict[str, Any] = Field({}, description="As the workspace declares them for this event.")
    id: EventId | None = Field(
        None, description="The caller's id of this event: repeats of it change nothing. Best always given."
    )
    occurred_at: Moment | None = Field(
        None, description="When it happened (ISO 8601 with offset), where that is not now. For reports only."
    )
    historical: StrictBool = Field(False, description="True for imported history: starts and moves nothing.")


class EnrolIn(_Said):
    """Put a lead into a journey by hand."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"lead": {"email": "ani@example.com"}}]},
    )

    lead: LeadRef | Text = Field(description="Who, as in an event.")
    properties: dict[str, Any] = Field(
        {}, description="What stands for the properties of the journey's trigger event (`trigger.…`)."
    )


MAX_BATCH = 1000
"""Events that one batch may hold."""
