"""Scenarios: `welcome.test.yaml` beside `welcome.yaml` says what must happen. Read and checked here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from dripline.language.check_scenarios import known_expectations, played
from dripline.language.fields import FieldErrors, coerce
from dripline.language.kinds import Flag, JourneyId, Length, TemplateName, Text
from dripline.language.load import Written, fit, wrong
from dripline.language.plan import Duration, Plan
from dripline.language.positions import Document, Loc
from dripline.language.positions import Mapping as MappingNode
from dripline.language.positions import Sequence as SequenceNode
from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.workspace import Workspace, ZoneName


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise wrong("bad-time", f"`{value}` is no time", "write it like `2026-03-02T10:00`") from None


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}"}),
]


class Consent(Written):
    """What the lead agreed to."""

    email: Flag | None = Field(None, description="To e-mail.")
    sms: Flag | None = Field(None, description="To text messages.")


class TouchOfScenario(Written):
    """Where the lead came from."""

    at: Moment | None = Field(None, description="When; without it, at the start, or when it is changed.")
    source: Text | None = Field(None, description="Who sent it, like `google`.")
    medium: Text | None = Field(None, description="By which kind of way, like `cpc`.")
    campaign: Text | None = Field(None, description="The campaign, like `spring`.")
    term: Text | None = Field(None, description="What was searched for.")
    content: Text | None = Field(None, description="Which advertisement or link it was.")
    channel: Text | None = Field(None, description="The channel, like `paid-search`.")
    cost: float | None = Field(None, ge=0, description="What it cost.")
    currency: Text | None = Field(None, description="The currency of the cost, like `AMD`.")
    page: Text | None = Field(None, description="The page that it came to.")
    referrer: Text | None = Field(None, description="The host that it came from.")


TopicOfScenario = Annotated[
    Consent,
    BeforeValidator(
        lambda value: value if isinstance(value, Mapping) else {"email": value, "sms": value},
        json_schema_input_type=bool | Consent,
    ),
]


_Fifth = Annotated[int, Field(ge=1, le=5)]


class RfmOfScenario(Written):
    """How the lead ranks by what it bought."""

    r: _Fifth = Field(1, description="By how lately, 1 to 5.")
    f: _Fifth = Field(1, description="By how often, 1 to 5.")
    m: _Fifth = Field(1, description="By how much, 1 to 5.")
    orders: int = Field(1, ge=1, description="How many orders.")
    spent: float = Field(0, ge=0, description="What was paid for them.")
    last: Text | None = Field(None, description="The day of the last one, like 2026-03-02.")

    def as_told(self) -> dict[str, Any]:
        """As leads have it."""
        return {**self.model_dump(exclude_none=True), "cell": f"{self.r}{self.f}{self.m}"}


class LeadOfScenario(Written):
    """The lead that the scenario is about; the workspace's attributes stand beside the built-in fields."""

    model_config = ConfigDict(frozen=True, extra="allow")

    external_id: Text | None = Field(None, description="The lead's id in your own systems.")
    email: Text | None = Field(None, description="E-mail address.")
    phone: Text | None = Field(None, description="Phone number, like +37491123456.")
    locale: Text | None = Field(None, description="Language, like `hy` or `hy-AM`.")
    timezone: ZoneName | None = Field(None, description="Time zone, like `Asia/Yerevan`.")
    country: Text | None = Field(None, description="Country, like `AM`.")
    stage: Text | None = Field(None, description="Where the lead stands, like `customer`.")
    score: float = Field(0, description="The lead's score.")
    tags: tuple[Text, ...] = Field((), description="The lead's tags.")
    owner: Text | None = Field(None, description="Who looks after the lead.")
    stage_at: Moment | None = Field(None, description="Since when it is at its stage.")
    owner_at: Moment | None = Field(None, description="Since when it has its owner.")
    customer: dict[str, Any] | None = Field(None, description="Its customer card, like `{contract: A-7}`.")
    consent: Consent = Field(Consent(), description="By channel, what the lead agreed to.")
    first_touch: TouchOfScenario | None = Field(
        None, description="Where the lead came from at first; its last touch as well, where that is not said."
    )
    last_touch: TouchOfScenario | None = Field(None, description="Where the lead came from last.")
    topics: dict[str, TopicOfScenario] = Field(
        default_factory=dict,
        description="Topics that the lead chose or left: on every channel, or as in `{sms: false}`.",
    )
    paused_until: Moment | None = Field(None, description="Until when the lead wants no marketing messages.")
    rfm: RfmOfScenario | None = Field(
        None, description="Its rank by what it bought, like `{r: 5, f: 2, m: 3}`: nobody can be ranked alone."
    )
    segments: tuple[Text, ...] = Field(
        (), description="Segments that it is in from beginning to end, whatever their rules say."
    )

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The workspace's own attributes, as written."""
        return self.model_extra or {}


class EventOfScenario(Written):
    """Something that happens: an event, with its properties beside its name, or a change of the lead."""

    model_config = ConfigDict(frozen=True, extra="allow")

    after: Length | None = Field(None, description="How long after the start.")
    at: Moment | None = Field(None, description="When, in the lead's zone.")
    event: Text | None = Field(None, description="The event, like `demo.booked`.")
    said: dict[str, Any] = Field(
        default_factory=dict,
        alias="properties",
        description="Properties whose names mean something else here, like `after`; the others stand beside `event`.",
    )
    lead: LeadOfScenario | None = Field(
        None, description="What becomes different about the lead, like `{stage: customer}`."
    )

    @model_validator(mode="after")
    def _one_time_and_one_thing(self) -> EventOfScenario:
        _need_one_time(self.after, self.at)
        if (self.event is None) == (self.lead is None):
            raise wrong(
                "missing-key",
                "this is no event and no change of the lead, or both",
                "write `event: demo.booked` or `lead: {stage: customer}`",
            )
        return self

    @property
    def properties(self) -> Mapping[str, Any]:
        """The event's properties, as written."""
        return {**(self.model_extra or {}), **self.said}


def _pattern(value: str) -> str:
    if len(value) > 1 and value.startswith("/") and value.endswith("/"):
        try:
            re.compile(value[1:-1])
        except re.error as error:
            raise wrong(
                "bad-pattern", f"`{value}` is no regular expression: {error}", "write it like `/10% off/`"
            ) from None
    return value


Wording = Annotated[Text, AfterValidator(_pattern)]
"""What a text must be: as it is, with `~` in front what it contains, between `/` a regular expression."""

_MESSAGES = ("email", "sms")


class Expectation(Written):
    """Something that must happen: one message, one message that is not sent, or the end."""

    after: Length | None = Field(None, description="How long after the start.")
    at: Moment | None = Field(None, description="When, in the lead's zone.")
    email: TemplateName | None = Field(None, description="The e-mail that is sent.")
    sms: TemplateName | None = Field(None, description="The text message that is sent.")
    skipped: Text | None = Field(
        None, description="The id of a step whose message is not sent, like `email:welcome/hello`."
    )
    held: Text | None = Field(
        None, description="The id of a step whose message is held for a person to look at."
    )
    discount: Text | None = Field(
        None, description="A discount is issued: `15%`, `5000 AMD`, or what is given along."
    )
    webhook: Text | None = Field(None, description="The address that is called.")
    call: Text | None = Field(None, description="The function of `extensions.py` that is called.")
    notify: Text | None = Field(None, description="The address of the colleague who is told.")
    update: dict[str, str | tuple[str, ...]] | None = Field(
        None, description="What the journey changes about the lead, like `{stage: customer}`."
    )
    assign: Text | None = Field(
        None, description="The person who gets the lead; `nobody`, where nobody can be had."
    )
    task: Text | None = Field(None, description="The title of a task that a colleague is given.")
    enroll: JourneyId | None = Field(
        None, description="The journey that the lead is let into; with `reason`, why it is not."
    )
    unenroll: JourneyId | None = Field(None, description="The journey that the lead is taken out of.")
    ends: Text | None = Field(None, description="The run ends, with this reason.")
    subject: Wording | None = Field(
        None,
        description="The e-mail's subject; `~text` for one that contains it, `/…/` for a regular expression.",
    )
    text: Wording | None = Field(
        None,
        description="The message's text; `~text` for one that contains it, `/…/` for a regular expression.",
    )
    expires_on: Wording | None = Field(None, description="The last day of a discount, like `2026-03-16`.")
    how: Wording | None = Field(
        None, description="How the person came by the lead: `best-first`, `kept`, `fallback` …"
    )
    person: Wording | None = Field(None, description="Whose task it is.")
    reason: Wording | None = Field(None, description="Why the message is skipped or held.")
    journey: JourneyId | None = Field(
        None, description="The journey that does it, where several are played together."
    )

    @model_validator(mode="after")
    def _one_thing(self) -> Expectation:
        said = [name for name in KINDS if getattr(self, name) is not None]
        if len(said) != 1:
            raise wrong("wrong-value", f"an expectation has one of {listed(KINDS)}", "make it one")
        for key, kinds in DETAILS.items():
            if getattr(self, key) is not None and said[0] not in kinds:
                raise wrong("wrong-value", f"`{key}` does not go with `{said[0]}`", "remove it", key=key)
        _need_one_time(self.after, self.at)
        return self

    @property
    def kind(self) -> str:
        """Which of the kinds of things must happen."""
        return next(name for name in KINDS if getattr(self, name) is not None)

    @property
    def name(self) -> str:
        """The template, step or reason that it is about."""
        said = getattr(self, self.kind)
        return ", ".join(sorted(said)) if isinstance(said, dict) else str(said)


KINDS = (
    "email",
    "sms",
    "skipped",
    "held",
    "discount",
    "webhook",
    "call",
    "notify",
    "update",
    "assign",
    "task",
    "enroll",
    "unenroll",
    "ends",
)
"""The kinds of things that an expectation can be about."""

DETAILS = {
    "subject": ("email", "notify"),
    "text": ("email", "sms", "notify"),
    "expires_on": ("discount",),
    "reason": ("skipped", "held", "enroll"),
    "how": ("assign",),
    "person": ("task",),
}
"""What may be said of which kinds besides."""


def _need_one_time(after: Duration | None, at: datetime | None) -> None:
    if (after is None) == (at is None):
        raise wrong(
            "missing-key", "this has no time, or two", "write `after: 3 days` or `at: 2026-03-05T10:00`"
        )


class Circumstances(Written):
    """A lead, and everything that comes to it from outside."""

    lead: LeadOfScenario = Field(description="The lead that it is about.")
    start: Moment = Field(description="When the lead enters, in its own zone.")
    trigger: dict[str, Any] = Field(
        default_factory=dict,
        description="Properties of the event that the lead enters by; `event` says which, where there are several.",
    )
    events: tuple[EventOfScenario, ...] = Field((), description="What happens meanwhile.")
    with_: tuple[JourneyId, ...] = Field(
        (), alias="with", description="Other journeys that the lead may be in at the same time."
    )
    suppressed: dict[
        Literal["email", "sms"], Literal["bounced", "soft-bounced", "complained", "unsubscribed", "by hand"]
    ] = Field(
        default_factory=dict, description="Addresses of the lead that are not to be written to, and why."
    )
    holdout: Flag = Field(
        False, description="Whether the lead is of the control group, where a journey has one."
    )
    answers: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="By step id, what a `webhook` or a `call` answers, like `{ok: true, json: {rating: A}}`;"
        " `{reason: pool empty}` of a `discount`: why none is issued; `{absent: [anna]}` or `{person: aram}` of an"
        " `assign`: who is away, or who gets the lead.",
    )
    bought: tuple[Text, ...] = Field(
        (), description="Ids of products that the lead bought 30 days before: for `recommend(lead)`."
    )
    until: Length | None = Field(
        None,
        description="How long it is watched: 3 years without it, 1 year where leads enter on a date each year.",
    )


class Scenario(Circumstances):
    """One story of one lead."""

    scenario: Text = Field(description="What it tells, in a few words.")
    partial: Flag = Field(False, description="Whether other things may happen as well.")
    expect: tuple[Expectation, ...] = Field(
        description="Everything that must happen, in order; `[]` for nothing at all."
    )


class _Scenarios(Written):
    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True)
class ScenarioFile:
    """The scenarios of one journey."""

    path: str
    scenarios: tuple[Scenario, ...]
    lines: tuple[int, ...] = ()
    """Where each begins."""


def load_scenarios(
    documents: Sequence[Document], workspace: Workspace, folder: Path, plans: Mapping[str, Plan]
) -> tuple[dict[str, ScenarioFile], list[Problem]]:
    """The scenarios of every journey, and what is wrong with them."""
    files: dict[str, ScenarioFile] = {}
    problems: list[Problem] = []
    for document in documents:
        scenarios, found = _load(document)
        found += _beside_its_journey(document, folder)
        name = Path(document.path).name.removesuffix(".test.yaml")
        for number, scenario in enumerate(scenarios):
            found += _declared(document, (number,), scenario, workspace)
            found += _with_others(document, (number,), scenario, folder)
            if name in plans:
                found += _entering(document, (number,), scenario, plans[name], workspace)
            plans_played = played([name, *scenario.with_], plans)
            if plans_played is not None:
                expected = [(one.kind, one.name) for one in scenario.expect]
                found += known_expectations(document, (number,), expected, plans_played)
        problems += found
        if not any(problem.severity == "error" for problem in found):
            lines = tuple(document.place((number,))[0] for number in range(len(scenarios)))
            files[name] = ScenarioFile(document.path, scenarios, lines)
    return files, problems


def read_circumstances(
    document: Document, workspace: Workspace, folder: Path, plan: Plan
) -> tuple[Circumstances | None, list[Problem]]:
    """One lead of a file of its own, for the journey of that plan, and what is wrong with it."""
    told, problems = fit(document, Circumstances)
    if told is not None:
        problems += _declared(document, (), told, workspace)
        problems += _with_others(document, (), told, folder)
        problems += _entering(document, (), told, plan, workspace)
    return (None if problems else told), problems


def _load(document: Document) -> tuple[tuple[Scenario, ...], list[Problem]]:
    if not isinstance(document.root, SequenceNode):
        message, hint = "a file of scenarios is a list", "begin each scenario with `- scenario: …`"
        return (), [Problem(document.path, *document.place(()), "wrong-type", "error", message, hint)]
    root = MappingNode(1, 1, {}, {"scenarios": document.root})
    loaded, problems = fit(Document(document.path, document.lines, root), _Scenarios)
    return (loaded.scenarios if loaded else ()), problems


def _beside_its_journey(document: Document, folder: Path) -> list[Problem]:
    name = Path(document.path).name.removesuffix(".test.yaml")
    if any(folder.rglob(f"{name}.yaml")):
        return []
    message = f"there is no journey `{name}` beside these scenarios"
    return [Problem(document.path, 1, 1, "no-journey", "error", message, "name the file after its journey")]


def _declared(
    document: Document, loc: Loc, scenario: Circumstances, workspace: Workspace
) -> Iterator[Problem]:
    """Attributes, topics, events and their properties are declared, and of their types."""
    yield from _known_lead(document, (*loc, "lead"), scenario.lead, workspace)
    for number, event in enumerate(scenario.events):
        here = (*loc, "events", number)
        if event.lead is not None:
            yield from _known_lead(document, (*here, "lead"), event.lead, workspace)
            yield from _typed(document, here, event.properties, {}, workspace)
        elif event.event not in workspace.events:
            hint = did_you_mean(event.event or "", workspace.events)
            place = document.place((*here, "event"))
            message = f"no event `{event.event}` is declared"
            yield Problem(document.path, *place, "unknown-event", "error", message, hint)
        else:
            yield from _typed(document, here, event.properties, workspace.events[event.event], workspace)


def _with_others(document: Document, loc: Loc, scenario: Circumstances, folder: Path) -> Iterator[Problem]:
    known = {path.stem for path in folder.rglob("*.yaml") if not path.name.endswith(".test.yaml")}
    for number, journey in enumerate(scenario.with_):
        if journey not in known:
            place = document.place((*loc, "with", number))
            hint = did_you_mean(journey, known)
            yield Problem(
                document.path, *place, "no-journey", "error", f"there is no journey `{journey}`", hint
            )


def _entering(
    document: Document, loc: Loc, scenario: Circumstances, plan: Plan, workspace: Workspace
) -> Iterator[Problem]:
    """The entry event is one of the trigger's, and its properties are declared."""
    names = plan.trigger.on.events
    if scenario.trigger and not names:
        place = document.key_place((*loc, "trigger"))
        message = "nobody enters the journey by an event"
        yield Problem(document.path, *place, "unknown-key", "error", message, "leave `trigger` out")
        return
    name = scenario.trigger.get("event", names[0] if names else None)
    properties = {key: value for key, value in scenario.trigger.items() if key != "event"}
    if name is not None and name not in names:
        place = document.place((*loc, "trigger", "event"))
        message = f"`{name}` does not let anyone into the journey"
        hint = did_you_mean(str(name), names) or f"there are {listed(names)}"
        yield Problem(document.path, *place, "unknown-event", "error", message, hint)
    elif name is not None:
        yield from _typed(document, (*loc, "trigger"), properties, workspace.events.get(name, {}), workspace)


def _known_lead(
    document: Document, loc: Loc, lead: LeadOfScenario, workspace: Workspace
) -> Iterator[Problem]:
    yield from _typed(document, loc, lead.attributes, workspace.attributes, workspace)
    for topic in lead.topics:
        if topic not in workspace.topics:
            place = document.key_place((*loc, "topics", topic))
            hint = did_you_mean(topic, workspace.topics)
            message = f"no topic `{topic}` is declared"
            yield Problem(document.path, *place, "unknown-topic", "error", message, hint)


def _typed(
    document: Document, loc: Loc, values: Mapping[str, Any], types: Mapping[str, Any], workspace: Workspace
) -> Iterator[Problem]:
    try:
        coerce(values, types, workspace.zone)
    except FieldErrors as error:
        for name, message in error.errors:
            known = name in types
            place = document.place((*loc, name)) if known else document.key_place((*loc, name))
            code = "wrong-type" if known else "unknown-key"
            yield Problem(document.path, *place, code, "error", f"`{name}` {message}")
