"""A journey under examination: what it says, where it says it, and what it is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dripline.language.extensions import Extensions
from dripline.language.flow import Flow, Names
from dripline.language.model import Journey
from dripline.language.naming import every_step, step_ids
from dripline.language.notices import channels_to
from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem
from dripline.language.steps import EmailStep, MessageArguments, NotifyStep, SmsStep
from dripline.language.templates import Templates
from dripline.language.value_types import Types, accepted_events, types_at
from dripline.language.ways import Ways, ways_of
from dripline.language.workspace import Workspace


@dataclass(frozen=True)
class Draft:
    """A journey that has the right form, and the file that it stands in."""

    journey: Journey
    document: Document
    mended: bool = False
    """Whether something in it was mended, so that it cannot be compiled."""
    complete: bool = True
    """Whether everything that it says is there: false where a part had to be left out."""

    included: Mapping[Loc, Document] = field(default_factory=dict)
    """Where the steps of included blocks stand, and the file that each is written in."""

    def written(self, loc: Loc) -> tuple[Document, Loc]:
        """The file that what stands at `loc` is written in, and where it stands there."""
        for end in range(len(loc), 0, -1):
            if loc[:end] in self.included:
                return self.included[loc[:end]], ("steps", *loc[end:])
        return self.document, loc

    def messages(self) -> Iterator[tuple[Loc, str, MessageArguments]]:
        """Every message: where its arguments stand, its channel, its arguments."""
        for loc, step in every_step(self.journey.steps):
            if isinstance(step, EmailStep):
                yield (*loc, "email"), "email", step.email
            elif isinstance(step, SmsStep):
                yield (*loc, "sms"), "sms", step.sms

    def templates(self) -> set[str]:
        """The templates that it names: `email:welcome/hello`."""
        return {f"{channel}:{message.template}" for _, channel, message in self.messages()}

    def problem(
        self, loc: Loc, code: str, message: str, hint: str = "", *, offset: int = 0, key: bool = False
    ) -> Problem:
        """An error at the value that stands at `loc`, or at its key."""
        document, loc = self.written(loc)
        place = document.key_place(loc) if key else document.place(loc, offset)
        return Problem(document.path, *place, code, "error", message, hint)

    def warning(
        self, loc: Loc, code: str, message: str, hint: str = "", *, offset: int | None = None
    ) -> Problem:
        """A warning at the key of what stands at `loc`, or at a character of its value."""
        document, loc = self.written(loc)
        place = document.key_place(loc) if offset is None else document.place(loc, offset)
        return Problem(document.path, *place, code, "warning", message, hint)


@dataclass(frozen=True)
class Look:
    """A draft, beside what it is held against."""

    draft: Draft
    workspace: Workspace
    templates: Templates
    extensions: Extensions
    journeys: frozenset[str] = frozenset()
    """The ids of all journeys of the workspace."""

    @property
    def journey(self) -> Journey:
        """The journey that is looked at."""
        return self.draft.journey

    @cached_property
    def sent(self) -> list[tuple[Loc, str, MessageArguments]]:
        """Every message to the lead, and every notice to a colleague as if it were one, by each of its channels."""
        found = list(self.draft.messages())
        for loc, step in every_step(self.journey.steps):
            said = step.said if isinstance(step, NotifyStep) else None
            if said is not None and said.template is not None:
                message = MessageArguments(template=said.template, subject=said.subject, transactional=True)
                channels = channels_to(said.to, self.workspace.people)
                found += [((*loc, "notify"), channel, message) for channel in channels]
        return found

    @cached_property
    def flow(self) -> Flow:
        """The walk through its steps."""
        places = {id_: loc for loc, id_ in step_ids(self.journey.steps).items()}
        flow = Flow(self.workspace, places=places)
        flow.block(self.journey.steps, ("steps",), {})
        return flow

    @cached_property
    def accepted(self) -> tuple[str, ...]:
        """The events of which `event` is one at its steps."""
        return accepted_events(self.journey)

    @cached_property
    def ways(self) -> Ways:
        """What is known of values on each way through its steps."""
        return ways_of(self.journey, self.workspace)

    def types(self, event: tuple[str, ...] | None = None) -> Types:
        """The types of what can be read at its steps, or in a filter on those events."""
        return types_at(self.journey, self.workspace, event)

    @cached_property
    def before(self) -> dict[Loc, Names]:
        """The names that are set on every way to each step."""
        return {loc: names for loc, _, names in self.flow.visits}


Rule = Callable[[Look], Iterator[Problem]]
"""Finds what breaks one rule; its docstring is the rule."""
