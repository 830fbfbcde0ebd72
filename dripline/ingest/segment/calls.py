"""A call as Segment's spec has it (https://segment.com/docs/connections/spec/), and as it is read here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from dripline.ingest.refusal import FieldError, invalid
from dripline.ingest.words import field_errors

Kind = Literal["identify", "track", "page", "screen", "group", "alias"]
KINDS: tuple[Kind, ...] = ("identify", "track", "page", "screen", "group", "alias")

_OLD = timedelta(days=30)
"""What happened longer ago is history: it starts and moves nothing."""
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MOST_MILLISECONDS = 10**14


def _id(value: Any) -> Any:
    """A number is its digits; an empty text is nobody."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        return value.strip() or None
    return value


_OF_ID = Annotated[str, Field(max_length=256)] | float | None
Id = Annotated[
    Annotated[str, Field(max_length=256)] | None, BeforeValidator(_id, json_schema_input_type=_OF_ID)
]
Fields = dict[str, Any] | None
_ANI = "crm-1042"


class CallIn(BaseModel):
    """What every call may have. More is allowed, and is not looked at."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_camel)

    user_id: Id = Field(None, description="Your id of the person: `external_id` here.", examples=[_ANI])
    anonymous_id: Id = Field(None, description="The id of a browser or device.", examples=["b7c1-55"])
    message_id: Id = Field(
        None, description="Yours, new for each call: a repeat changes nothing.", examples=["m-1"]
    )
    timestamp: Any = Field(None, description="When it happened.", examples=["2026-03-02T10:00:00Z"])
    original_timestamp: Any = Field(None, description="The same, where `timestamp` is somebody else's.")
    sent_at: Any = Field(None, description="When it was sent, by the same clock.")
    context: Fields = Field(
        None, description="`locale`, `timezone`, `campaign`, `page`; an IP address is not kept."
    )
    integrations: Any = Field(None, description="Not looked at.")
    write_key: Any = Field(None, description="A key with the scope `track`, from browsers.")


class IdentifyIn(CallIn):
    """Who somebody is."""

    traits: Fields = Field(None, examples=[{"email": "ani@example.com", "firstName": "Ani"}])


class TrackIn(CallIn):
    """What somebody did."""

    event: str = Field(min_length=1, max_length=256, examples=["Demo Booked"])
    properties: Fields = Field(None, examples=[{"seats": 8}])


class PageIn(CallIn):
    """What somebody looks at: a page, or a screen of an app."""

    name: str | None = Field(None, max_length=1_000, examples=["Pricing"])
    category: str | None = Field(None, max_length=1_000)
    properties: Fields = Field(None, examples=[{"url": "https://example.com/pricing"}])


class GroupIn(CallIn):
    """Which company, or other group, somebody belongs to."""

    group_id: Id = Field(None, examples=["arpi"])
    traits: Fields = Field(None, examples=[{"name": "Arpi LLC"}])


class AliasIn(CallIn):
    """That two ids are one person's."""

    previous_id: Id = Field(None, description="The id that was used before.", examples=["b7c1-55"])


MODELS: Mapping[Kind, type[CallIn]] = {
    "identify": IdentifyIn,
    "track": TrackIn,
    "page": PageIn,
    "screen": PageIn,
    "group": GroupIn,
    "alias": AliasIn,
}


@dataclass(frozen=True)
class Call:
    """A call that can be done. `key` is the same for repeats of it, and no other's."""

    kind: Kind
    said: CallIn
    context: Mapping[str, Any]
    key: str | None
    occurred_at: datetime | None
    historical: bool

    def more(self, name: str) -> Any:
        """What only calls of its kind have. What others say by that name is not looked at."""
        return getattr(self.said, name) if name in type(self.said).model_fields else None

    def fields(self, name: str) -> dict[str, Any]:
        """Its `traits` or `properties`."""
        return self.more(name) or {}


def read_call(
    raw: Any, kind: Kind | None, received_at: datetime, sent_at: Any = None, *, historical: bool = False
) -> Call:
    """A call; without a `kind`, of the `type` that it names. Raises Refused, field by field.

    Times are machine times. `sent_at` is what the batch says, where the call does not.
    """
    if not isinstance(raw, dict):
        raise invalid([FieldError("", "must be an object")])
    kind = kind or _kind(raw)
    try:
        said = MODELS[kind].model_validate(raw)
    except ValidationError as error:
        raise invalid(field_errors(error.errors())) from None
    _refuse_nobody(said, kind)
    original = said.original_timestamp if said.original_timestamp is not None else said.timestamp
    occurred_at = corrected(original, said.sent_at if said.sent_at is not None else sent_at, received_at)
    is_old = occurred_at is not None and received_at - occurred_at > _OLD
    return Call(kind, said, said.context or {}, _key(said, raw), occurred_at, historical or is_old)


def corrected(original: Any, sent_at: Any, received_at: datetime) -> datetime | None:
    """When it happened by our clock, as Segment's spec says: what passed before it was sent, before we got it.

    None where that is not known, or is now.
    """
    happened, sent = _moment(original), _moment(sent_at)
    if happened is None:
        return None
    at = received_at - (sent - happened) if sent is not None else happened
    return at if _EARLIEST <= at < received_at else None


def _kind(raw: Mapping[str, Any]) -> Kind:
    said = raw.get("type") or raw.get("action")  # the name of it in the first libraries
    for kind in KINDS:
        if said == kind:
            return kind
    raise invalid([FieldError("type", f"must be one of {', '.join(KINDS)}")])


def _refuse_nobody(said: CallIn, kind: Kind) -> None:
    wanting = []
    if kind == "alias":
        wanting = [
            FieldError(name, "is required")
            for name, value in (("previousId", getattr(said, "previous_id", None)), ("userId", said.user_id))
            if value is None
        ]
    elif said.user_id is None and said.anonymous_id is None:
        wanting = [FieldError("userId", "is required, or anonymousId")]
    if kind == "group" and getattr(said, "group_id", None) is None:
        wanting.append(FieldError("groupId", "is required"))
    if wanting:
        raise invalid(wanting)


def _key(said: CallIn, raw: Mapping[str, Any]) -> str | None:
    """Of its messageId; without one, of all that it says, if it says when."""
    if said.message_id is not None:
        return hashlib.sha256(f"message:{said.message_id}".encode()).hexdigest()[:48]
    if said.timestamp is None and said.original_timestamp is None:
        return None
    told = {name: value for name, value in raw.items() if name not in ("sentAt", "writeKey")}
    content = json.dumps(told, sort_keys=True, default=str)
    return hashlib.sha256(f"content:{content}".encode()).hexdigest()[:48]


def _moment(value: Any) -> datetime | None:
    """A time as libraries write it: ISO 8601, without an offset UTC; or milliseconds since 1970."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC) if 0 < value < _MOST_MILLISECONDS else None
        if isinstance(value, str) and len(value) <= 40:
            at = datetime.fromisoformat(value.strip())
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None
