"""What a turn asks of the world. A driver answers each: the store in production, a made-up world in tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from dripline.engine.picking import Choice, Handover
from dripline.language.plan import Duration, Limit


@dataclass(frozen=True)
class Event:
    """Something that happened to a lead. `received_at` (UTC) is when it became true for us."""

    id: str
    name: str
    properties: Mapping[str, Any]
    received_at: datetime


@dataclass(frozen=True)
class Answer(Event):
    """What a step that left the process came to: `properties` say it. It has no name, so that no filter takes it."""

    step: str = ""
    visit: int = 0


@dataclass(frozen=True)
class Wait:
    """The wait that a run is in: since when, and until when (None: until an event)."""

    began: datetime
    until: datetime | None
    held: Literal["hours", "limit", "throttle"] | None = None
    """What holds a message back: the run rests at its step. `began` is when the message was due."""


@dataclass(frozen=True)
class RunState:
    """Where a run is. With `wait` it rests at `step`; without, it is about to enter it."""

    id: str
    step: str | None
    wait: Wait | None
    variables: Mapping[str, Any]
    visits: Mapping[str, int]
    trigger: Event | None
    last_event: Event | None
    last_message_at: datetime | None
    started_at: datetime
    last_at: datetime
    holdout: bool = False
    """Whether the run is of the control group: it waits, branches and updates, but sends and issues nothing."""
    loops: Mapping[str, Any] = field(default_factory=dict)
    """By step id, how far a loop (`repeat`, `remind`) has come; left out before its first pass."""
    accepted: tuple[str, ...] = ()
    """Ids of the events that ended a wait of this run: none of them ends another."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `kind` is finished, stopped, exit, goal, unenrolled or too-long."""

    kind: str
    reason: str | None = None


@dataclass(frozen=True)
class TurnEnd:
    """The state after a turn, and why it ended: an outcome, a reason to be parked, or (neither) a wait."""

    state: RunState
    outcome: Outcome | None = None
    parked: str | None = None
    left: frozenset[str] = frozenset()
    """Ids of events in the inbox that were not looked at yet: the next turn does."""


@dataclass(frozen=True)
class FindEvents:
    """Answer: the lead's events of these names received after `after`, oldest first (`list[Event]`)."""

    names: tuple[str, ...]
    after: datetime


@dataclass(frozen=True)
class CountMessages:
    """Answer: messages to the lead, of all journeys, queued after `since` that went or may still go (`int`)."""

    since: datetime


@dataclass(frozen=True)
class FindMessages:
    """Answer: when those that CountMessages counts were queued, oldest first (`list[datetime]`)."""

    since: datetime


@dataclass(frozen=True)
class ReserveSlot:
    """Take a place in the journey's throttle, not before `at`. Answer: its moment (`datetime`)."""

    throttle: Limit
    at: datetime


@dataclass(frozen=True)
class AskSuppression:
    """Answer: why the lead's address for `channel` is suppressed (`str`), or None."""

    channel: str


@dataclass(frozen=True)
class QueueMessage:
    """Put a message in the ledger, once per run, step and visit. Answer: its id (`str`)."""

    step: str
    visit: int
    channel: str
    template: str
    topic: str | None
    transactional: bool
    context: Mapping[str, Any]
    at: datetime
    to: str | None = None
    """The address of a colleague; None: the lead's own."""
    notice: bool = False
    """Whether it is for a colleague: then no consent, no cap and no count of the lead concerns it."""
    expires_at: datetime | None = None
    """After this it must not leave any more."""


@dataclass(frozen=True)
class SkipMessage:
    """Put a message in the ledger that will not be sent, with the reason. Answer: its id (`str`)."""

    message: QueueMessage
    reason: str


@dataclass(frozen=True)
class OpenSurvey:
    """Take answers to the survey that a message asks. Answer: None."""

    message: str
    """Its id: answers name it."""
    step: str
    visit: int
    survey: str
    kind: str
    at: datetime
    closes_at: datetime
    """Until when a reply to a text message is an answer; links are good for longer."""
    about: Mapping[str, Any]
    """What is known of the lead that results are told apart by."""


@dataclass(frozen=True)
class AskOutside:
    """Let something be done outside the process, once per run, step and visit. An `Answer` comes later.

    `kind` is webhook or call. Answer: its key (`str`).
    """

    step: str
    visit: int
    kind: str
    request: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True)
class IssueDiscount:
    """Issue a discount, once per run, step and visit (or per lead, journey and step), within the turn.

    Amounts are in minor units of `currency`. Answer: what conditions and templates read of it, with its `code`;
    where none can be issued, `skipped` and the `reason`.
    """

    step: str
    visit: int
    once_per_lead: bool
    shared_code: str | None
    pool: str | None
    own_if_empty: bool
    """Whether a code of our own is issued where the pool has none left."""
    shop: str | None
    shop_code: str | None
    """The code that the shop has made for this lead."""
    budget: str | None
    most: int | None
    stacks: bool
    percent: float | None
    amount: int | None
    min_order: int | None
    currency: str | None
    gift: str | None
    expires_on: str | None
    """The last day (ISO 8601) in the lead's zone."""
    expires_at: datetime | None
    """The end of that day, UTC."""
    at: datetime


@dataclass(frozen=True)
class GiveReferralCode:
    """Give the lead its code for bringing friends by a program: the one that it has, else a new one.

    Answer: what conditions and templates read of it (`code`, `link`, `qr`); its `reason` where there is none.
    """

    step: str
    program: str
    at: datetime


@dataclass(frozen=True)
class UpdateLead:
    """Change the lead: columns, attributes (None takes one away), and tell of it as `lead.updated`.

    Answer: `Updated`; None where journeys set one another going for too long, and nothing was changed.
    """

    columns: Mapping[str, Any]
    attributes: Mapping[str, Any]
    changed: tuple[str, ...]
    at: datetime
    points: float | None = None
    """What was added to the score, where it was not set."""
    stage_reason: str | None = None
    """Why its stage changes."""


@dataclass(frozen=True)
class Updated:
    """The lead as it is now, and the event that told of the change."""

    lead: Mapping[str, Any]
    event: Event
    more: tuple[Event, ...] = ()
    """Those that told of what the change means: a stage, a conversion."""


@dataclass(frozen=True)
class AssignLead:
    """Give the lead an owner, once per run, step and visit, and tell of it. Answer: `Assigned`.

    None where journeys set one another going for too long, and nothing was changed.
    """

    step: str
    visit: int
    wanted: Handover
    """Without what only the world knows: the lead's language and owner, and who did not react."""
    react: Duration | None
    """Working time within which a reaction is expected."""
    at: datetime


@dataclass(frozen=True)
class Assigned:
    """Who got the lead, the lead as it is now, and the events that told of it."""

    choice: Choice
    lead: Mapping[str, Any]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True)
class SetTask:
    """Give somebody something to do for the lead, once per run, step and visit. Answer: its id (`str`)."""

    step: str
    visit: int
    person: str | None
    title: str
    due_at: datetime | None
    escalate_to: str | None
    at: datetime


@dataclass(frozen=True)
class EnrollLead:
    """Let the lead enter another journey. Answer: why it does not (`str`), or None where it does.

    Raises nothing; where journeys set one another going for too long the answer is TOO_LONG.
    """

    journey: str
    at: datetime


@dataclass(frozen=True)
class UnenrollLead:
    """End the lead's runs of another journey. Answer: how many ended (`int`)."""

    journey: str
    at: datetime


TOO_LONG = "journeys set one another going without end"
"""Why a run ends that is the last of too long a chain of runs."""


@dataclass(frozen=True)
class FindProducts:
    """Answer: what there is to recommend to the lead at that moment, way by way, the best first (`list[Pick]`)."""

    at: datetime


@dataclass(frozen=True)
class RecordGoal:
    """The run converted, worth `value` in the workspace's currency. Answer: None."""

    at: datetime
    value: float | None


@dataclass(frozen=True)
class Note:
    """A line for the story of the run. Answer: None."""

    at: datetime
    step: str | None
    what: str
    detail: Mapping[str, Any] = field(default_factory=dict)


Effect = (
    FindEvents
    | CountMessages
    | AskSuppression
    | QueueMessage
    | SkipMessage
    | OpenSurvey
    | AskOutside
    | IssueDiscount
    | GiveReferralCode
    | FindMessages
    | ReserveSlot
    | UpdateLead
    | AssignLead
    | SetTask
    | EnrollLead
    | UnenrollLead
    | FindProducts
    | RecordGoal
    | Note
)
