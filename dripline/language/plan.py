"""The plan: a journey compiled flat, frozen, and named by the hash of its content.

A run holds the plan's hash and a step's id, nothing else of it. Everything that decides what a lead gets is
in the plan (templates included), so two plans with one hash behave the same.
"""

from __future__ import annotations

import hashlib
import json
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from dripline.language.fields import FieldType
from dripline.language.recommending import FUNCTION
from dripline.language.surveys.questions import Survey
from dripline.language.tracking import channel_of

Channel = Literal["email", "sms"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Duration(_Frozen):
    """A length of time. Months and days are of the calendar (in the lead's zone), seconds are exact."""

    months: int = 0
    days: int = 0
    seconds: int = 0


class Limit(_Frozen):
    """At most `count` messages to one lead in any `per` (over all journeys)."""

    count: int
    per: Duration


class Hours(_Frozen):
    """Hours of some days of the week, by the clocks of a zone."""

    start: int
    """Minutes after midnight."""
    end: int
    """The same; where it is not after `start`, of the next day. 1440 is the end of the day."""
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)
    """Weekdays on which they begin, Monday being 0."""


class Moment(_Frozen):
    """A moment of the calendar, in the lead's zone. Without `date`, `day` and `holiday` it is the next such one."""

    date: str | None = None
    """An expression for a date or a time."""
    day: str | None = None
    """A date as such (ISO 8601)."""
    holiday: bool = False
    """The next public holiday of the lead's country."""
    offset: Duration | None = None
    """Added to the date; its numbers may be below zero."""
    at: int | None = None
    """Minutes after midnight."""
    weekdays: tuple[int, ...] = ()
    """The first of these weekdays from that day on, Monday being 0."""


class Otherwise(_Frozen):
    """What to do where there is nothing to wait for: `skip` goes on at `to`, `exit` ends the run."""

    do: Literal["continue", "exit", "skip"] = "continue"
    to: str | None = None


class EventFilter(_Frozen):
    """Events by name, narrowed by a condition in which `event` is the candidate."""

    events: tuple[str, ...]
    when: str | None = None
    event_only: bool = True
    """Whether `when` reads nothing but `event`, so that ingest may evaluate it without the run."""


class Yearly(_Frozen):
    """A date of the lead, each year, in the lead's zone."""

    attribute: str
    kind: Literal["date", "datetime"]
    offset: Duration = Duration()
    """After the date; before it where its parts are below zero."""
    at: str = "09:00"


class Schedule(_Frozen):
    """When the calendar comes round, on the wall clock of a zone: by a line of cron, once, or every so often."""

    said: str
    """As it was written."""
    cron: str | None = None
    """Five fields."""
    once: str | None = None
    """A moment as such (ISO 8601, to the minute)."""
    unit: Literal["day", "week", "month"] | None = None
    number: int = 1
    """Every so many of the unit, counted from Monday, 1 January 2024."""
    weekdays: tuple[int, ...] = ()
    """Of weeks, Monday being 0."""
    day: int = 1
    """Of months; of shorter ones, the last."""
    at: int = 0
    """Minutes after midnight."""


class Gathering(_Frozen):
    """An audience that a schedule lets in."""

    audience: str
    """A segment's name, or a condition over the lead."""
    schedule: Schedule
    own_zone: bool = False
    """Whether it comes round for each lead by its own clock; else by the workspace's."""
    per_hour: float | None = None
    """How many leads go in an hour; None: as fast as they can be taken."""


class Trigger(_Frozen):
    """Who enters, and how often. Where nobody enters by an event, `on` names none."""

    on: EventFilter
    reentry: Literal["never", "always"] | Duration = "never"
    key: str | None = None
    """The property of events of which every value has a run of its own."""
    yearly: Yearly | None = None
    gathering: Gathering | None = None


class Goal(_Frozen):
    """The conversion that the journey exists for. Reaching it ends the run as converted."""

    on: EventFilter
    value: str | None = None
    within: Duration | None = None


class Exit(_Frozen):
    """A way out that holds at any time, at any step."""

    on: EventFilter
    reason: str


class _Step(_Frozen):
    id: str
    condition: str | None = None
    """The step's `if`: it is skipped unless this holds."""
    result: str | None = None
    """The step's `as`: the name of its result."""
    next: str | None = None
    """Id of the step after this one; None ends the run as finished."""


class Asks(_Frozen):
    """A message that asks a survey."""

    survey: str
    within: Duration
    """How long the answer is waited for; a reply to a text message counts so long."""


class MessageStep(_Step):
    """Queue one message. Its result has `sent`, `skipped` and `reason`."""

    verb: Literal["message"] = "message"
    channel: Channel
    template: str
    subject: str | None = None
    sender: str | None = None
    topic: str | None = None
    transactional: bool = False
    limit: Limit | None = None
    fallback: str | None = None
    """Id of the message that is tried where this one may not be sent to the lead at all."""
    on_limit: Duration | None = None
    """How long to wait for a place under the limit, from when the message was due; None: skip at once."""
    quiet_hours: Hours | None = None
    window: tuple[Hours, ...] = ()
    """The only hours in which it may go; none: any."""
    expires: Duration | None = None
    """How late it may go, from when it was due."""
    asks: Asks | None = None


class DelayStep(_Step):
    """Wait for a length of time."""

    verb: Literal["delay"] = "delay"
    duration: Duration


class DelayUntilStep(_Step):
    """Wait until a moment of the calendar."""

    verb: Literal["delay_until"] = "delay_until"
    moment: Moment
    if_missing: Otherwise = Otherwise()
    if_past: Otherwise = Otherwise()


class Reached(_Frozen):
    """The moment at which the run last came to a step."""

    step: str


class WaitForStep(_Step):
    """Wait for an event. `then` is where an accepted event leads, `otherwise` where the timeout does."""

    verb: Literal["wait_for"] = "wait_for"
    on: EventFilter
    timeout: Duration | None = None
    until: Moment | None = None
    """A moment instead of a timeout."""
    since: Literal["message", "now", "start"] | Duration | Reached = "message"
    survey: str | None = None
    """The survey whose answer it waits for: to the message of this run that asked last."""
    then: str | None = None
    otherwise: str | None = None


class Arm(_Frozen):
    """One arm of a branch; `when` None is the `else` arm. `to` None ends the run as finished."""

    when: str | None
    to: str | None


class BranchStep(_Step):
    """Go on at the first arm that holds, else at `next`."""

    verb: Literal["branch"] = "branch"
    arms: tuple[Arm, ...]


class Share(_Frozen):
    """One arm of a split: so many of a hundred leads, by lot."""

    percent: float
    name: str
    to: str | None


class SplitStep(_Step):
    """Go on at the arm that the lead's lot falls on: always the same for one lead and journey."""

    verb: Literal["split"] = "split"
    arms: tuple[Share, ...]


class RepeatStep(_Step):
    """Go through the steps within until `times` or `until`, and rest for `every` between two passes."""

    verb: Literal["repeat"] = "repeat"
    every: Duration
    times: int | None = None
    until: str | None = None
    first: str
    """Where a pass begins."""
    within: tuple[str, ...]
    """Ids of the steps within, those of loops within it too."""


class SetStep(_Step):
    """Remember values under names of the run, each reckoned before any is set."""

    verb: Literal["set"] = "set"
    values: dict[str, str]
    """By name, the expression."""
    included: str | None = None
    """The block that begins here, and whose names these are."""
    survey: str | None = None
    """The survey that is asked here: the block is the message that asks, and the wait for the answer."""
    then: str | None = None
    """Where the block begins; `next` is where it is passed over."""


class LeadValue(_Frozen):
    """What a field of the lead becomes: `value` as JSON of its type, or what `expression` gives."""

    kind: FieldType
    value: Any = None
    expression: str | None = None


class UpdateStep(_Step):
    """Change the lead, and tell of it as `lead.updated`."""

    verb: Literal["update"] = "update"
    stage: LeadValue | None = None
    stage_reason: LeadValue | None = None
    score_add: LeadValue | None = None
    score_set: LeadValue | None = None
    tags_add: tuple[str, ...] = ()
    tags_remove: tuple[str, ...] = ()
    attributes: dict[str, LeadValue] = {}


class EnrollStep(_Step):
    """Let the lead enter another journey."""

    verb: Literal["enroll"] = "enroll"
    journey: str


class UnenrollStep(_Step):
    """End another journey for this lead."""

    verb: Literal["unenroll"] = "unenroll"
    journey: str


class StopStep(_Step):
    """End the run, with a reason that reports count."""

    verb: Literal["stop"] = "stop"
    reason: str


class WebhookStep(_Step):
    """Call another system and wait for its answer. Texts are templates, filled in when the step is reached."""

    verb: Literal["webhook"] = "webhook"
    url: str
    method: str
    headers: dict[str, str] = {}
    """A header may read `secret.NAME`, which only the sender knows."""
    body: Any = None


class CallStep(_Step):
    """Call a Python function of the workspace and wait for its answer."""

    verb: Literal["call"] = "call"
    function: str
    arguments: dict[str, Any] = {}
    """By name; texts in them are templates."""


class Budget(_Frozen):
    """What the discounts of a campaign may cost together: `amount` in minor units of `currency` (ISO 4217)."""

    amount: int | None = None
    currency: str | None = None
    codes: int | None = None
    """How many may be issued."""


class Shop(_Frozen):
    """Where a shop is asked for codes of its own."""

    url: str
    headers: dict[str, str] = {}
    """A header may read `secret.NAME`, which only the sender knows."""


class DiscountStep(_Step):
    """Issue a discount: `percent`, `amount` or `gift`. Amounts are in minor units of `currency` (ISO 4217)."""

    verb: Literal["discount"] = "discount"
    percent: float | None = None
    amount: int | None = None
    gift: str | None = None
    min_order: int | None = None
    currency: str | None = None
    valid: Duration | None = None
    code: str | None = None
    """The code that all leads share; None: each gets its own."""
    pool: str | None = None
    """The imported codes of which each gets one."""
    if_empty: Literal["skip", "own"] = "skip"
    shop: str | None = None
    """The shop of the plan that makes the code."""
    if_failing: Literal["skip", "own"] = "skip"
    budget: str | None = None
    """The budget of the plan that pays."""
    most: int | None = None
    """What a percentage comes to at most, in minor units."""
    stacks: bool = False
    once_per: Literal["visit", "lead"] = "visit"


class ReferralStep(_Step):
    """Give the lead its link and code for bringing friends by a program."""

    verb: Literal["referral"] = "referral"
    program: str


class AssignStep(_Step):
    """Give the lead an owner: a person, or one of a team. Its result says whom, and why."""

    verb: Literal["assign"] = "assign"
    to: str
    """A team of the plan, or a person."""
    by: Literal["best-first", "round-robin", "load"] | None = None
    react: Duration | None = None
    """Working time of the person within which a reaction is expected."""
    keep_owner: bool = True


class TaskStep(_Step):
    """Give a colleague something to do. `title` is a template; `due` is working time of theirs."""

    verb: Literal["task"] = "task"
    to: str
    """`owner`, or a person of the plan."""
    title: str
    due: Duration | None = None
    escalate_to: str | None = None


class NotifyStep(_Step):
    """Tell a colleague. A `template` that begins with # is the step's own text."""

    verb: Literal["notify"] = "notify"
    to: str
    template: str
    subject: str | None = None


class RemindStep(_Step):
    """Keep in touch until a day, `message` every so often; on the day go on at `on_day`, else at `next`."""

    verb: Literal["remind"] = "remind"
    about: str
    every: Duration
    until: str | None = None
    """An expression; a date means 09:00 of that day in the lead's zone."""
    period: Duration | None = None
    unless: EventFilter | None = None
    message: str | None = None
    """Id of the reminder, which leads back here."""
    on_day: str | None = None


Step = Annotated[
    MessageStep
    | DelayStep
    | DelayUntilStep
    | WaitForStep
    | BranchStep
    | SplitStep
    | RepeatStep
    | UpdateStep
    | SetStep
    | EnrollStep
    | UnenrollStep
    | StopStep
    | WebhookStep
    | CallStep
    | DiscountStep
    | ReferralStep
    | AssignStep
    | TaskStep
    | NotifyStep
    | RemindStep,
    Field(discriminator="verb"),
]


def asks_outside(step: Step) -> bool:
    """Whether the step asks another system, and rests until its answer comes."""
    return isinstance(step, WebhookStep | CallStep) or (
        isinstance(step, DiscountStep) and step.shop is not None
    )


class TemplateSource(_Frozen):
    """One template in one locale, as written (Jinja2 not yet rendered)."""

    markup: Literal["mjml", "html", "md", "text"]
    body: str
    subject: str | None = None
    preheader: str | None = None


class Sender(_Frozen):
    """Who an e-mail or an SMS comes from."""

    address: str
    name: str | None = None


class Person(_Frozen):
    """A colleague who can be told things and given leads."""

    email: str | None = None
    phone: str | None = None
    name: str | None = None
    languages: tuple[str, ...] = ()
    """BCP 47; none: every one."""
    hours: tuple[Hours, ...] = ()
    """When the person works; none: always."""
    timezone: str | None = None
    """Of those hours; None: the workspace's."""
    most: int | None = None
    """Open leads at most."""


class Team(_Frozen):
    """People of whom one is given each lead."""

    people: tuple[str, ...]
    by: Literal["best-first", "round-robin", "load"] = "round-robin"
    fallback: str | None = None
    react: Duration | None = None
    """Working time within which a reaction is expected, where no step says another."""
    reactions: tuple[str, ...] = ()
    """Events that are one."""
    enough: int = 20
    """Leads after which somebody's own conversion rate counts."""


class Plan(_Frozen):
    """A compiled journey."""

    journey: str
    title: str
    priority: int = 50
    topic: str | None = None
    throttle: Limit | None = None
    """At most so many messages in so long, all leads of this journey together."""
    holdout: float = 0
    """Percent of the leads that are the control group."""
    timezone: str
    """The workspace's zone: for leads that have none, nor a country with just one."""
    region: str | None = None
    """The workspace's country (ISO 3166-1 alpha-2): for the holidays of leads that have none."""
    locale: str
    """The workspace's default locale."""
    currency: str | None = None
    """ISO 4217: the currency of amounts that name none."""
    to_roles: bool = False
    """Whether marketing goes to addresses of roles, such as `info@…`."""
    postal_address: dict[str, str] = {}
    """By language ("" for any), the sender's address that every marketing e-mail shows."""
    senders: dict[str, Sender]
    """By channel (`email`, `sms`), the default sender; other keys are names that a step's `from` may use."""
    people: dict[str, Person] = {}
    """Those whom its steps may tell, by name."""
    teams: dict[str, Team] = {}
    """Those of whom its steps give leads to somebody, by name."""
    default_owner: str | None = None
    """Who is told where a lead has no owner."""
    budgets: dict[str, Budget] = {}
    """Those that its discounts are paid of, by name."""
    shops: dict[str, Shop] = {}
    """Those that make codes for its discounts, by name."""
    surveys: dict[str, Survey] = {}
    """Those that its steps ask, by name."""
    trigger: Trigger
    goal: Goal | None = None
    exits: tuple[Exit, ...] = ()
    steps: tuple[Step, ...]
    """Every step once, ids unique; the first is where a run enters."""
    templates: dict[str, dict[str, TemplateSource]]
    """`email:welcome/hello` to locale to source."""
    attribute_times: dict[str, Literal["date", "datetime"]] = {}
    """The lead's custom attributes that are times; conditions and templates get them as such."""
    event_times: dict[str, dict[str, Literal["date", "datetime"]]] = {}
    """The same for the properties of the events that this journey names."""

    @cached_property
    def by_id(self) -> dict[str, Step]:
        """The steps by their ids."""
        return {step.id: step for step in self.steps}

    @cached_property
    def landmarks(self) -> frozenset[str]:
        """The steps from which a wait counts events, so that a run remembers when it came there."""
        waits = (step.since for step in self.steps if isinstance(step, WaitForStep))
        return frozenset(since.step for since in waits if isinstance(since, Reached))

    @cached_property
    def minds_messages(self) -> bool:
        """Whether a step waits for what becomes of a message, so that a run remembers its last ones."""
        waits = (step.on for step in self.steps if isinstance(step, WaitForStep))
        return any(channel_of(name) for wanted in waits for name in wanted.events)

    @cached_property
    def recommending(self) -> frozenset[str]:
        """The templates that ask what there is to recommend to the lead: `email:thanks/more`."""
        return frozenset(
            key
            for key, sources in self.templates.items()
            if any(FUNCTION in f"{one.body}{one.subject}{one.preheader}" for one in sources.values())
        )

    @cached_property
    def awaited(self) -> frozenset[str]:
        """The events that this journey hears anywhere: at its trigger, its goal, its exits and its steps."""
        filters = [self.trigger.on, *(way_out.on for way_out in self.exits)]
        filters += [self.goal.on] if self.goal else []
        filters += [step.on for step in self.steps if isinstance(step, WaitForStep)]
        filters += [step.unless for step in self.steps if isinstance(step, RemindStep) and step.unless]
        return frozenset(name for wanted in filters for name in wanted.events)

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of the canonical JSON of what the plan says.

        What it leaves at its default is left out: so a release that teaches plans something new does not
        rename those that say nothing of it.
        """
        said = self.model_dump(mode="json", exclude_defaults=True)
        said["steps"] = [
            {"verb": step.verb, **one} for step, one in zip(self.steps, said["steps"], strict=True)
        ]
        canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()
