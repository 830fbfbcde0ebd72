"""What becomes of messages, as events that journeys hear; and what a workspace keeps of what leads do with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dripline.language.fields import FieldType
from dripline.language.load import Written, wrong

_ABOUT: Mapping[str, FieldType] = {
    "message": "text",
    "template": "text",
    "journey": "text",
    "run": "text",
    "step": "text",
}
_WHY: Mapping[str, FieldType] = {**_ABOUT, "reason": "text"}
_WHERE: Mapping[str, FieldType] = {**_ABOUT, "link": "text"}

MESSAGE_EVENTS: Mapping[str, Mapping[str, FieldType]] = {
    "email.delivered": _ABOUT,
    "email.opened": _ABOUT,
    "email.clicked": _WHERE,
    "email.bounced": _WHY,
    "email.failed": _WHY,
    "email.complained": _ABOUT,
    "sms.delivered": _ABOUT,
    "sms.clicked": _WHERE,
    "sms.failed": _WHY,
}
"""What becomes of messages, each event with its properties."""

NEEDS: Mapping[str, str] = {"email.opened": "opens", "email.clicked": "clicks", "sms.clicked": "sms"}
"""The events that only tracking tells of, and the key of `tracking` that lets them come."""

SAYS_WHICH = frozenset({"event.message", "event.template", "event.journey", "event.run", "event.step"})
"""What a filter reads that says by itself which message it means."""


def channel_of(event: str) -> str | None:
    """The channel of the messages that the event is about; None for one that is about no message."""
    return event.partition(".")[0] if event in MESSAGE_EVENTS else None


def _rule(value: Any) -> Any:
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, str) and value != "asked":
        message = f"`{value}` stands where true, false or asked should be"
        raise wrong("wrong-type", message, "write `true`, `false` or `asked`")
    return value


Rule = Annotated[bool | Literal["asked"], BeforeValidator(_rule)]
"""`true`, `false`, or `asked`: only of leads who agreed to be tracked."""


class TrackingEntry(Written):
    """What is kept of what leads do with messages. Each is `true`, `false`, or `asked` (of leads who agreed)."""

    clicks: Rule = Field(False, description="Which links of an e-mail were followed.")
    opens: Rule = Field(
        False, description="Whether an e-mail was opened, told by a picture that nobody sees."
    )
    sms: Rule = Field(False, description="Which links of a text message were followed: they become longer.")


def is_tracked(rule: bool | str, lead: bool | None) -> bool:
    """Whether something of a lead is kept. `lead` is what the lead has said, None where it said nothing."""
    return lead is True if rule == "asked" else bool(rule) and lead is not False


__all__ = ["MESSAGE_EVENTS", "NEEDS", "SAYS_WHICH", "TrackingEntry", "channel_of", "is_tracked"]
