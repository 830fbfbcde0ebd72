"""Scenarios: `welcome.test.yaml` beside `welcome.yaml` says what must happen. Read and checked here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from dripline.language.fields import FieldErrors, coerce
from dripline.language.kinds import Flag, Length, TemplateName, Text
from dripline.language.load import Written, fit, wrong
from dripline.language.plan import Duration
from dripline.language.positions import Document, Loc
from dripline.language.positions import Mapping as MappingNode
from dripline.language.positions import Sequence as SequenceNode
from dripline.language.problems import Problem, did_you_mean
from dripline.language.workspace import Workspace


def _moment(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise wrong("bad-time", f"`{value}` is no time", "write it like `2026-03-02T10:00`") from None


Moment = Annotated[datetime, BeforeValidator(_moment)]


class Consent(Written):
    """What the lead agreed to."""

    email: Flag | None = Field(None, description="To e-mail.")
    sms: Flag | None = Field(None, description="To text messages.")


class LeadOfScenario(Written):
    """The lead that the scenario is about; the workspace's attributes stand beside the built-in fields."""

    model_config = ConfigDict(frozen=True, extra="allow")

    external_id: Text | None = Field(None, description="The lead's id in your own systems.")
    email: Text | None = Field(None, description="E-mail address.")
    phone: Text | None = Field(None, description="Phone number, like +37491123456.")
    locale: Text | None = Field(None, description="Language, like `hy` or `hy-AM`.")
    timezone: Text | None = Field(None, description="Time zone, like `Asia/Yerevan`.")
    country: Text | None = Field(None, description="Country, like `AM`.")
    stage: Text | None = Field(None, description="Where the lead stands, like `customer`.")
    consent: Consent = Field(Consent(), description="What the lead agreed to.")
    topics: dict[str, Flag] = Field(default_factory=dict, description="Topics that the lead chose or left.")

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The workspace's own attributes, as written."""
        return self.model_extra or {}


class EventOfScenario(Written):
    """Something that happens; its properties stand beside its name."""

    model_config = ConfigDict(frozen=True, extra="allow")

    after: Length | None = Field(None, description="How long after the start.")
    at: Moment | None = Field(None, description="When, in the lead's zone.")
    event: Text = Field(description="The event, like `demo.booked`.")

    @model_validator(mode="after")
    def _one_time(self) -> EventOfScenario:
        _need_one_time(self.after, self.at)
        return self

    @property
    def properties(self) -> Mapping[str, Any]:
        """The event's properties, as written."""
        return self.model_extra or {}


class Expectation(Written):
    """Something that must happen: exactly one of `email`, `sms` and `ends`."""

    after: Length | None = Field(None, description="How long after the start.")
    at: Moment | None = Field(None, description="When, in the lead's zone.")
    email: TemplateName | None = Field(None, description="The e-mail that is sent.")
    sms: TemplateName | None = Field(None, description="The text message that is sent.")
    skipped: Text | None = Field(None, description="The message is skipped, for this reason.")
    subject: Text | None = Field(
        None, description="Its subject; with `~` in front: what the subject contains."
    )
    text: Text | None = Field(None, description="Its text; with `~` in front: what the text contains.")
    ends: Text | None = Field(None, description="The run ends, with this reason.")

    @model_validator(mode="after")
    def _one_thing(self) -> Expectation:
        said = [name for name in ("email", "sms", "ends") if getattr(self, name) is not None]
        if len(said) != 1:
            raise wrong("wrong-value", "an expectation has one of `email`, `sms` and `ends`", "make it one")
        if said == ["ends"] and (self.subject or self.text or self.skipped):
            raise wrong("wrong-value", "an end has no message", "remove `subject`, `text` and `skipped`")
        _need_one_time(self.after, self.at)
        return self


def _need_one_time(after: Duration | None, at: datetime | None) -> None:
    if (after is None) == (at is None):
        raise wrong(
            "missing-key", "this has no time, or two", "write `after: 3 days` or `at: 2026-03-05T10:00`"
        )


class Scenario(Written):
    """One story of one lead."""

    scenario: Text = Field(description="What it tells, in a few words.")
    lead: LeadOfScenario = Field(description="The lead that it is about.")
    start: Moment = Field(description="When the lead enters, in its own zone.")
    trigger: dict[str, Any] = Field(default_factory=dict, description="Properties of the entry event.")
    events: tuple[EventOfScenario, ...] = Field((), description="What happens meanwhile.")
    expect: tuple[Expectation, ...] = Field(min_length=1, description="What must happen, in order.")


class _Scenarios(Written):
    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True)
class ScenarioFile:
    """The scenarios of one journey."""

    path: str
    scenarios: tuple[Scenario, ...]


def load_scenarios(
    documents: Sequence[Document], workspace: Workspace, folder: Path
) -> tuple[dict[str, ScenarioFile], list[Problem]]:
    """The scenarios of every journey, and what is wrong with them."""
    files: dict[str, ScenarioFile] = {}
    problems: list[Problem] = []
    for document in documents:
        scenarios, found = _load(document)
        found += _beside_its_journey(document, folder)
        for number, scenario in enumerate(scenarios):
            found += _declared(document, (number,), scenario, workspace)
        problems += found
        if not found:
            name = Path(document.path).name.removesuffix(".test.yaml")
            files[name] = ScenarioFile(document.path, scenarios)
    return files, problems


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


def _declared(document: Document, loc: Loc, scenario: Scenario, workspace: Workspace) -> Iterator[Problem]:
    """Attributes, topics, events and their properties are declared, and of their types."""
    yield from _typed(document, (*loc, "lead"), scenario.lead.attributes, workspace.attributes, workspace)
    for topic in scenario.lead.topics:
        if topic not in workspace.topics:
            place = document.key_place((*loc, "lead", "topics", topic))
            hint = did_you_mean(topic, workspace.topics)
            yield Problem(
                document.path, *place, "unknown-topic", "error", f"no topic `{topic}` is declared", hint
            )
    for number, event in enumerate(scenario.events):
        here = (*loc, "events", number)
        if event.event not in workspace.events:
            hint = did_you_mean(event.event, workspace.events)
            place = document.place((*here, "event"))
            message = f"no event `{event.event}` is declared"
            yield Problem(document.path, *place, "unknown-event", "error", message, hint)
            continue
        yield from _typed(document, here, event.properties, workspace.events[event.event], workspace)


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
