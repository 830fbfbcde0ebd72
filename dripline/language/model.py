"""A journey as a marketer writes it: one class for each mapping, closed and frozen."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from dripline.language.kinds import Cap, Condition, Events, JourneyId, Length, NotYet, Text, read_length
from dripline.language.load import Written, wrong
from dripline.language.plan import Duration
from dripline.language.steps import Steps
from dripline.language.times import OnLimit, Percent, QuietHours, Window


def _reentry(value: Any) -> Any:
    if value in ("never", "always") or isinstance(value, Duration):
        return value
    if not isinstance(value, str) or not value.startswith("after "):
        raise wrong(
            "wrong-value", "this is no rule of re-entry", "write `never`, `always` or `after 30 days`"
        )
    return read_length(value.removeprefix("after "))


Reentry = Annotated[
    Literal["never", "always"] | Duration,
    BeforeValidator(_reentry),
    WithJsonSchema({"anyOf": [{"enum": ["never", "always"]}, {"type": "string", "pattern": "^after .+$"}]}),
]


class Trigger(Written):
    """What lets a lead enter the journey."""

    event: Events = Field(description="The event, or a list of events of which any will do.")
    when: Condition | None = Field(None, description="Only where this holds, like `lead.consent.email`.")
    reentry: Reentry = Field(
        "never", description="Whether a lead may enter again: `never`, `always`, or `after 30 days`."
    )
    key: NotYet = None
    audience: NotYet = None
    schedule: NotYet = None
    in_: NotYet = Field(None, alias="in")
    date: NotYet = None
    offset: NotYet = None
    at: NotYet = None


def _event_trigger(value: Any) -> Any:
    if value == "manual":
        raise wrong(
            "not-yet-supported", "`trigger: manual` is not supported yet", "give it an `event` for now"
        )
    if not isinstance(value, dict) or "event" in value:
        return value
    later = next((key for key in ("audience", "schedule", "date") if key in value), None)
    if later is not None:
        raise wrong(
            "not-yet-supported",
            f"a trigger by `{later}` is part of the language, but not supported yet",
            "give it an `event` for now",
            key=later,
        )
    return value


class Goal(Written):
    """What the journey is for. A lead that reaches it has converted and leaves."""

    event: Events = Field(description="The event that counts as the conversion, like `order.paid`.")
    when: Condition | None = Field(None, description="Only where this holds, like `event.total > 0`.")
    value: Condition | None = Field(None, description="What it is worth, like `event.total`.")
    within: Length | None = Field(
        None, description="It still counts so long after entering, also after the journey's end."
    )


class Exit(Written):
    """A way out that holds at any time, at any step."""

    event: Events = Field(description="The event, or a list of events of which any will do.")
    when: Condition | None = Field(
        None, description="Only where this holds, like `lead.stage == 'customer'`."
    )
    reason: Text | None = Field(None, description="Why, for the reports; without it, the event's name.")


class Messages(Written):
    """What holds for every message of the journey, unless a step says otherwise."""

    topic: Text | None = Field(None, description="The subscription topic that a lead can leave on its own.")
    limit: Cap | None = Field(
        None, description="At most so many to a lead, over all journeys: `3 per 7 days`."
    )
    on_limit: OnLimit | None = Field(
        None, description="What to do over the limit: `skip`, or `wait 2 days` for a place."
    )
    quiet_hours: QuietHours | None = Field(
        None, description="When nothing goes, in the lead's zone: `21:00-09:00`, or `none`."
    )
    window: Window | None = Field(
        None, description="When messages go only, in the lead's zone: `mon-fri 09:00-18:00`."
    )
    throttle: Cap | None = Field(
        None, description="At most so many, all leads of this journey together: `500 per hour`."
    )
    holdout: Percent | None = Field(
        None, description="The part of the leads that gets no messages, for comparison: `10%`."
    )


class Journey(Written):
    """A plan for what a lead gets, and when."""

    journey: JourneyId = Field(description="The journey's id: the name of its file.")
    title: Text | None = Field(None, description="Its name for people.")
    priority: int = Field(
        50, ge=0, le=100, description="Which goes first of messages that are due at the same moment."
    )
    trigger: Annotated[Trigger, BeforeValidator(_event_trigger)] = Field(description="Who enters.")
    goal: Goal | None = Field(None, description="What the journey is for.")
    exit: tuple[Exit, ...] = Field((), description="Ways out that hold at any time.")
    messages: Messages = Field(Messages(), description="Defaults of its messages.")
    steps: Steps = Field(description="What happens, in order.")
