"""What a plan needs to tell colleagues: whom, by which channels, and the texts that stand in the journey itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dripline.language.compile_reminders import day_notice_id, day_text
from dripline.language.model import Journey
from dripline.language.naming import every_step
from dripline.language.notices import OWNER, channels_to
from dripline.language.people import AssignStep, TaskStep
from dripline.language.plan import Person, Team, TemplateSource
from dripline.language.positions import Loc
from dripline.language.steps import EmailStep, NotifyStep, RemindStep, SmsStep
from dripline.language.workspace import Workspace


@dataclass(frozen=True)
class Notices:
    """The part of a plan that is about colleagues."""

    templates: frozenset[str]
    """Keys of the templates that notices use."""
    texts: dict[str, dict[str, TemplateSource]]
    """By key, the texts that stand in the journey, as templates in the default locale."""
    channels: frozenset[str]
    people: dict[str, Person]
    default_owner: str | None
    teams: dict[str, Team]


def own_text(step_id: str) -> str:
    """The name of the template that a step's own text is."""
    return f"#{step_id}"


def compile_notices(journey: Journey, ids: Mapping[Loc, str], workspace: Workspace) -> Notices:
    """Everything that the `notify` steps of a journey need."""
    templates, texts, channels, names = set(), {}, set(), set()
    for loc, step in every_step(journey.steps):
        if isinstance(step, RemindStep):
            names |= set(workspace.people)
            for channel in channels_to(OWNER, workspace.people):
                key = f"{channel}:{own_text(day_notice_id(ids[loc]))}"
                channels.add(channel)
                texts[key] = {workspace.locales[0]: _text(journey, channel, day_text(step.remind.about))}
        if isinstance(step, AssignStep | TaskStep):
            names |= named(step, workspace)
        if not isinstance(step, NotifyStep):
            continue
        said = step.said
        names |= set(workspace.people) if said.to == OWNER else {said.to}
        for channel in channels_to(said.to, workspace.people):
            channels.add(channel)
            if said.text is None:
                templates.add(f"{channel}:{said.template}")
            else:
                texts[f"{channel}:{own_text(ids[loc])}"] = {
                    workspace.locales[0]: _text(journey, channel, said.text)
                }
    people = {name: person.compiled() for name, person in sorted(workspace.people.items()) if name in names}
    needs_owner = any(
        isinstance(step, RemindStep)
        or (isinstance(step, NotifyStep) and step.said.to == OWNER)
        or (isinstance(step, TaskStep) and step.task.for_ == OWNER)
        for _, step in every_step(journey.steps)
    )
    owner = workspace.default_owner if needs_owner else None
    wanted = {step.assign.to for _, step in every_step(journey.steps) if isinstance(step, AssignStep)}
    teams = {name: team.compiled() for name, team in sorted(workspace.teams.items()) if name in wanted}
    return Notices(frozenset(templates), texts, frozenset(channels), people, owner, teams)


def named(step: AssignStep | TaskStep, workspace: Workspace) -> set[str]:
    """The people whom the step may give something."""
    if isinstance(step, AssignStep):
        return set(workspace.people)  # one of them may have the lead already, and keep it
    to = set(workspace.people) if step.task.for_ == OWNER else {step.task.for_}
    return to | ({step.task.escalate_to} if step.task.escalate_to else set())


def message_texts(journey: Journey) -> list[str]:
    """Every text of the journey's messages that stands in the journey itself."""
    found: list[str | None] = []
    for _, step in every_step(journey.steps):
        if isinstance(step, NotifyStep):
            found += [step.said.text, step.said.subject]
        elif isinstance(step, EmailStep | SmsStep):
            found.append(step.message.subject)
    return [text for text in found if text is not None]


def _text(journey: Journey, channel: str, text: str) -> TemplateSource:
    if channel == "sms":
        return TemplateSource(markup="text", body=text)
    return TemplateSource(markup="md", body=text, subject=journey.title or journey.journey)
