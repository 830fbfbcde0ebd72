"""What the API answers: the shapes of its bodies, as its documentation shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

_LEAD = "01a203d7-0ddb-7142-b744-1e0efdae44b7"
_RUN = "01a203d7-52f4-77c2-8cdb-f10d7d6c1891"
_AT = "2026-03-02T06:00:00+00:00"


class Answer(BaseModel):
    """An answer; what may be null is always there."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class OpenAnswer(BaseModel):
    """An answer that has more than is named here."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=True)


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Where, with dots: `properties.seats`. Empty: the whole body.")
    pointer: str | None = Field(None, description="The same as a JSON pointer (RFC 6901).")
    detail: str = Field(description="What is wrong, and where there is one, what is meant.")


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:dripline:problem:invalid",
                    "title": "Unprocessable Content",
                    "status": 422,
                    "code": "invalid",
                    "detail": "Some fields do not hold what they must.",
                    "errors": [
                        {
                            "field": "properties.seets",
                            "pointer": "#/properties/seets",
                            "detail": "is not declared, did you mean `seats`?",
                        }
                    ],
                }
            ]
        }
    )

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldProblem] = []


class LeadSaved(Answer):
    """What became of a lead."""

    id: str = Field(description="Dripline's own id.", examples=[_LEAD])
    created: bool = Field(examples=[True])
    changed: list[str] = Field(
        description="The names of what is different now; empty for a new one.", examples=[["stage"]]
    )
    lacks: list[str] = Field(
        description="What it needs to be a person who can be reached: `person`, `contact`.", examples=[[]]
    )
    doubts: dict[str, str] = Field(
        description="By field, what speaks against its address or number.",
        examples=[{"email": "belongs to a role, not to a person"}],
    )


class EventSaved(Answer):
    """An event that is kept."""

    id: str = Field(description="Yours, where you gave one.", examples=["booking-77"])
    lead: str = Field(description="Dripline's id of the lead.", examples=[_LEAD])


class RowProblem(Answer):
    """Why one row of a batch was not taken."""

    index: int = Field(description="Counted from 0.", examples=[1])
    status: int = Field(description="What the row would have been answered by itself.", examples=[422])
    code: str = Field(examples=["invalid"])
    detail: str = Field(examples=["Some fields do not hold what they must."])
    errors: list[FieldProblem] = Field(
        examples=[[{"field": "name", "detail": "is no declared event, did you mean `order.paid`?"}]]
    )


class BatchSaved(Answer):
    """What became of a batch."""

    recorded: int = Field(description="New ones.", examples=[2])
    repeated: int = Field(description="Known ones: nothing changed by them.", examples=[0])
    refused: int = Field(examples=[0])
    problems: list[RowProblem] = Field(examples=[[]])


class Enrolled(Answer):
    """A run that begins."""

    run: str = Field(examples=[_RUN])
    lead: str = Field(examples=[_LEAD])
    journey: str = Field(examples=["welcome"])
    event: str = Field(description="The event that stands for the trigger's.", examples=["booking-77"])


class LeadOut(OpenAnswer):
    """A lead, with the workspace's own attributes beside the built-in fields."""

    id: str = Field(examples=[_LEAD])
    external_id: str | None = Field(examples=["crm-1042"])
    email: str | None = Field(examples=["ani@example.com"])
    phone: str | None = Field(description="In E.164.", examples=["+37491123456"])
    locale: str | None = Field(examples=["hy-AM"])
    timezone: str | None = Field(examples=["Asia/Yerevan"])
    country: str | None = Field(examples=["AM"])
    stage: str | None = Field(examples=["customer"])
    score: float = Field(examples=[0.0])
    grade: str | None = Field(
        description="How well it fits: A to D, where the workspace names grades.", examples=["B"]
    )
    warmth: str | None = Field(
        description="`cold`, `warm` or `hot`; null where it is not scored.", examples=["warm"]
    )
    tags: list[str] = Field(examples=[["vip"]])
    owner: str | None = Field(examples=[None])
    consent: dict[str, bool] = Field(examples=[{"email": True}])
    topics: dict[str, bool | dict[str, bool]] = Field(examples=[{"newsletter": False}])
    tracking: bool | None = Field(
        description="Whether it may be kept what it opens and clicks; null: as the workspace says.",
        examples=[None],
    )
    first_touch: dict[str, Any] | None = Field(
        description="Where it came from at first: `at`, `source`, `channel` …", examples=[None]
    )
    last_touch: dict[str, Any] | None = Field(description="Where it came from last.", examples=[None])
    lacks: list[str] = Field(
        description="What it needs to be a person who can be reached: `person`, `contact`.", examples=[[]]
    )
    complete: bool = Field(description="Whether it lacks nothing.", examples=[True])
    created_at: datetime = Field(examples=[_AT])


class RunLine(Answer):
    """One run in a line."""

    id: str = Field(examples=[_RUN])
    journey: str = Field(examples=["welcome"])
    started_at: datetime = Field(examples=[_AT])
    ended_at: datetime | None = Field(examples=[None])
    outcome: str | None = Field(examples=[None])
    text: str = Field(examples=["waits for demo.booked, until 2026-03-05 10:00"])


class Entry(Answer):
    """One thing that happened."""

    at: datetime = Field(examples=[_AT])
    kind: str = Field(description="`event`, `step`, `message` …", examples=["event"])
    text: str = Field(examples=["event lead.created"])
    journey: str | None = Field(examples=[None])
    run: str | None = Field(examples=[None])
    step: str | None = Field(examples=[None])
    what: str = Field(examples=["lead.created"])
    detail: dict[str, Any] | None = Field(description="The same for programs.", examples=[{}])


class Timeline(Answer):
    """Everything that happened to a lead, oldest first."""

    lead: LeadOut
    runs: list[RunLine]
    entries: list[Entry]


class RunOut(Answer):
    """A run."""

    id: str = Field(examples=[_RUN])
    journey: str = Field(examples=["welcome"])
    lead: str = Field(examples=[_LEAD])
    step: str | None = Field(description="Where it stands.", examples=["after email:welcome/hello"])
    standing: str = Field(description="The same for people.", examples=["waits 2 days"])
    until: datetime | None = Field(description="When its wait ends.", examples=[_AT])
    started_at: datetime = Field(examples=[_AT])
    ended_at: datetime | None = Field(examples=[None])
    outcome: str | None = Field(examples=[None])
    outcome_reason: str | None = Field(examples=[None])
    converted_at: datetime | None = Field(examples=[None])
    goal_value: float | None = Field(examples=[None])
    parked_reason: str | None = Field(examples=[None])
    holdout: bool = Field(description="Whether it is of the control group.", examples=[False])


class Runs(Answer):
    """A page of runs."""

    runs: list[RunOut]
    next: str | None = Field(description="For `after`; null: there are no more.", examples=[None])


class ActOut(Answer):
    """Something that a person, or a program of theirs, did to the installation."""

    id: int = Field(examples=[42])
    at: datetime = Field(examples=[_AT])
    what: str = Field(examples=["key-revoked"])
    by: str | None = Field(description="Who; null: who the line is about.", examples=["ani"])
    why: str | None = Field(examples=["lost"])
    about: str | None = Field(description="Whose account it is about, if it is.", examples=[None])
    detail: dict[str, Any] = Field(description="Counts and ids.", examples=[{"name": "the shop"}])


class Acts(Answer):
    """A page of the audit log."""

    acts: list[ActOut]
    next: int | None = Field(description="For `after`; null: there are no more.", examples=[None])


class DiscountOut(BaseModel):
    """A discount. Of `percent`, `amount` and `gift` it has one."""

    code: str = Field(examples=["7K3M-9QWE"])
    state: Literal["open", "reserved", "redeemed", "revoked", "expired"] = Field(examples=["open"])
    lead: str = Field(examples=[_LEAD])
    journey: str = Field(examples=["welcome"])
    percent: float | None = Field(None, examples=[15])
    amount: float | None = Field(None, description="In whole units of `currency`.", examples=[None])
    gift: str | None = Field(None, examples=[None])
    min_order: float | None = Field(None, examples=[None])
    most: float | None = Field(None, description="What a percentage comes to at most.", examples=[5000])
    currency: str | None = Field(None, description="ISO 4217.", examples=["AMD"])
    expires_on: str | None = Field(
        None, description="The last day, where the lead is.", examples=["2026-03-16"]
    )
    issued_at: datetime = Field(examples=[_AT])
    expires_at: datetime | None = Field(None, examples=["2026-03-16T20:00:00+00:00"])
    redeemed_at: datetime | None = Field(None, examples=[None])
    redeemed_for: str | None = Field(None, examples=[None])
    total: float | None = Field(None, description="What the order came to.", examples=[None])
    given: float | None = Field(None, description="What came off.", examples=[None])
    reserved_for: str | None = Field(None, description="The order that alone may redeem it.", examples=[None])
    reserved_until: datetime | None = Field(None, examples=[None])
    revoked_at: datetime | None = Field(None, examples=[None])
    revoked_why: str | None = Field(None, examples=[None])


class Tracked(Answer):
    """As Segment answers."""

    success: bool = Field(examples=[True])


class TrackedBatch(Answer):
    """As Segment answers, and what became of the calls."""

    success: bool = Field(examples=[True])
    taken: int = Field(description="New ones.", examples=[2])
    repeated: int = Field(description="Known ones: nothing changed by them.", examples=[0])
    refused: int = Field(examples=[0])
    problems: list[RowProblem] = Field(examples=[[]])


class Stray(Answer):
    """A name that the workspace has no place for."""

    kind: Literal["event", "property", "trait"] = Field(examples=["event"])
    event: str = Field(description="Whose property it is, else empty.", examples=[""])
    name: str = Field(
        description="As it was said; addresses and numbers in it are masked.", examples=["Demo Bookd"]
    )
    why: str = Field(examples=["is not declared"])
    times: int = Field(examples=[12])
    first_at: datetime = Field(examples=[_AT])
    last_at: datetime = Field(examples=[_AT])


class Strays(Answer):
    """What had no place."""

    strays: list[Stray]


class Health(OpenAnswer):
    """How every part is."""

    status: Literal["ok", "degraded", "away"] = Field(examples=["ok"])
    store: str = Field(examples=["ok"])
    temporal: str = Field(examples=["ok"])
    stopped: bool = Field(
        description="Whether `dripline stop-all` keeps every message back.", examples=[False]
    )


class Ready(Answer):
    """Whether to send requests here."""

    ready: bool = Field(examples=[True])
