"""A journey as a marketer writes it: one class for each mapping, closed and frozen."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from dripline.language.kinds import (
    Cap,
    Condition,
    Events,
    Flag,
    JourneyId,
    Length,
    PropertyName,
    Text,
    read_expression,
    read_length,
)
from dripline.language.load import Written, wrong
from dripline.language.plan import Duration
from dripline.language.problems import listed
from dripline.language.schedules import Timetable
from dripline.language.segments import is_name
from dripline.language.steps import Steps
from dripline.language.times import OnLimit, Percent, QuietHours, Window

_DATE = re.compile(r"lead\.[A-Za-z_][A-Za-z0-9_]*")
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


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


def _date(value: str) -> str:
    if not _DATE.fullmatch(value):
        raise wrong("wrong-value", "this is no date of the lead", "write it like `lead.birthday`")
    return value


def _time_of_day(value: Any) -> Any:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise wrong("wrong-value", "this is no time of the day", "write it like `09:00`")
    return value


def _offset(value: Any) -> Any:
    if isinstance(value, str):
        text = value.strip()
        length = read_length(text.removeprefix("-").removeprefix("+"))
        if length.seconds:
            raise wrong(
                "bad-duration", "an offset is in days, weeks, months or years", "write it like `-7 days`"
            )
        sign = -1 if text.startswith("-") else 1
        return Duration(months=sign * length.months, days=sign * length.days)
    return read_length(value)


Offset = Annotated[Duration, BeforeValidator(_offset, json_schema_input_type=str)]


def _audience(value: str) -> str:
    return value.strip() if is_name(value) else read_expression(value)


Audience = Annotated[Text, AfterValidator(_audience)]
"""A segment's name, or a condition over the lead."""


class Trigger(Written):
    """What lets a lead enter: an event, a date of its own, an audience by the calendar, or somebody by hand."""

    event: Events = Field((), description="The event, or a list of events of which any will do.")
    when: Condition | None = Field(None, description="Only where this holds, like `lead.consent.email`.")
    reentry: Reentry = Field(
        "never", description="Whether a lead may enter again: `never`, `always`, or `after 30 days`."
    )
    key: PropertyName | None = Field(
        None, description="A property of the event, like `event.order_id`: one run per lead and value of it."
    )
    manual: Flag = Field(False, description="Nobody enters but by the API, the command line, or an `enroll`.")
    date: Annotated[str, AfterValidator(_date)] | None = Field(
        None, description="A date of the lead, like `lead.birthday`, on which it enters each year."
    )
    offset: Offset | None = Field(None, description="So long before (`-7 days`) or after that date.")
    at: Annotated[str, BeforeValidator(_time_of_day, json_schema_input_type=str)] | None = Field(
        None, description="The time of that day in the lead's zone; without it, `09:00`."
    )
    audience: Audience | None = Field(
        None, description="Whom a `schedule` lets in: a segment, or a condition like `lead.stage == 'lost'`."
    )
    schedule: Timetable | None = Field(
        None, description="When: `every monday at 09:00`, `once 2026-12-24 10:00`, or a line of cron."
    )
    in_: Literal["lead"] | None = Field(
        None, alias="in", description="`lead`: by each lead's own clock; without it, by the workspace's."
    )
    pace: Cap | None = Field(
        None, description="How fast the audience is let in: `500 per hour`; without it, as fast as it goes."
    )

    @model_validator(mode="after")
    def _one_kind(self) -> Trigger:
        kinds = [key for key in ("event", "manual", "date", "audience") if getattr(self, key)]
        if not kinds and self.schedule is not None:
            raise wrong(
                "missing-key", "`audience` is missing", "say whom the schedule lets in", key="schedule"
            )
        if not kinds:
            raise wrong("missing-key", "`event` is missing", "add `event: …`")
        if len(kinds) > 1:
            raise wrong(
                "wrong-value", f"a trigger has only one of {listed(kinds)}", "remove one", key=kinds[1]
            )
        beside = {
            "event": ("when", "reentry", "key"),
            "manual": ("reentry",),
            "date": ("when", "offset", "at"),
            "audience": ("reentry", "schedule", "in_", "pace"),
        }
        for key in ("when", "reentry", "key", "offset", "at", "schedule", "in_", "pace"):
            if key in self.model_fields_set and key not in beside[kinds[0]]:
                said = key.rstrip("_")
                raise wrong(
                    "unknown-key", f"`{said}` has no meaning beside `{kinds[0]}`", "remove it", key=said
                )
        if self.audience is not None and self.schedule is None:
            hint = "add `schedule: every day at 09:00`; for once and by hand, `dripline campaign start`"
            raise wrong("missing-key", "`schedule` is missing", hint, key="audience")
        return self


def _short_trigger(value: Any) -> Any:
    return {"manual": "true"} if value == "manual" else value


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
    trigger: Annotated[
        Trigger, BeforeValidator(_short_trigger, json_schema_input_type=Trigger | Literal["manual"])
    ] = Field(description="Who enters.")
    goal: Goal | None = Field(None, description="What the journey is for.")
    exit: tuple[Exit, ...] = Field((), description="Ways out that hold at any time.")
    messages: Messages = Field(Messages(), description="Defaults of its messages.")
    steps: Steps = Field(description="What happens, in order.")
