"""From a journey that was checked to its plan. There is no error path: what could be wrong was told before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, assert_never

from dripline.language import changing, plan, steps
from dripline.language.compile_changes import compile_update
from dripline.language.expressions import compile_expression, reads_only_event
from dripline.language.fields import FieldType
from dripline.language.model import Exit, Goal, Journey, Trigger
from dripline.language.naming import every_step, step_ids
from dripline.language.positions import Loc
from dripline.language.reading import expressions_of
from dripline.language.templates import Templates
from dripline.language.workspace import Workspace

Times = dict[str, Literal["date", "datetime"]]


def compile_journey(journey: Journey, workspace: Workspace, templates: Templates) -> plan.Plan:
    """The plan of a journey in which `check` found no error."""
    flat = _Flat(journey, workspace)
    flat.block(journey.steps, ("steps",), None)
    messages = [step for step in flat.steps if isinstance(step, plan.MessageStep)]
    keys = sorted({template_key(step.channel, step.template) for step in messages})
    senders = {step.sender or step.channel for step in messages}
    return plan.Plan(
        journey=journey.journey,
        title=journey.title or journey.journey,
        priority=journey.priority,
        topic=journey.messages.topic,
        timezone=workspace.timezone,
        locale=workspace.locales[0],
        currency=workspace.currency,
        senders={name: workspace.sender(name) for name in sorted(senders)},
        trigger=_trigger(journey.trigger, workspace),
        goal=_goal(journey.goal) if journey.goal else None,
        exits=tuple(map(_exit, journey.exit)),
        steps=tuple(flat.steps),
        templates={key: templates.sources(key) for key in keys},
        attribute_times=_attribute_times(journey, workspace, templates, keys),
        event_times=_event_times(journey, workspace),
    )


def template_key(channel: str, template: str) -> str:
    """How plans name a template: `email:welcome/hello`."""
    return f"{channel}:{template}"


def event_filter(events: tuple[str, ...], when: str | None) -> plan.EventFilter:
    """Those events for which the condition holds."""
    return plan.EventFilter(events=events, when=when, event_only=when is None or reads_only_event(when))


def _trigger(trigger: Trigger, workspace: Workspace) -> plan.Trigger:
    yearly = None
    if trigger.date is not None:
        name = trigger.date.removeprefix("lead.")
        yearly = plan.Yearly(
            attribute=name,
            kind="date" if workspace.attributes[name] == "date" else "datetime",
            offset=trigger.offset or plan.Duration(),
            at=trigger.at or "09:00",
        )
    return plan.Trigger(
        on=event_filter(trigger.event, trigger.when),
        reentry=trigger.reentry,
        key=trigger.key.removeprefix("event.") if trigger.key else None,
        yearly=yearly,
    )


def _goal(goal: Goal) -> plan.Goal:
    return plan.Goal(on=event_filter(goal.event, goal.when), value=goal.value, within=goal.within)


def _exit(exit_: Exit) -> plan.Exit:
    return plan.Exit(
        on=event_filter(exit_.event, exit_.when), reason=exit_.reason or " or ".join(exit_.event)
    )


class _Flat:
    """The steps in the order of the file, each knowing where it leads."""

    def __init__(self, journey: Journey, workspace: Workspace) -> None:
        self.workspace = workspace
        self.defaults = journey.messages
        self.ids = step_ids(journey.steps)
        self.steps: list[plan.Step] = []

    def block(self, block: steps.Steps, loc: Loc, after: str | None) -> str:
        """Add the steps of a block that leads to `after`; the id of its first."""
        for number, step in enumerate(block):
            last = number == len(block) - 1
            self.step(step, (*loc, number), after if last else self.ids[(*loc, number + 1)])
        return self.ids[(*loc, 0)]

    def step(self, step: steps.Step, loc: Loc, following: str | None) -> None:
        """Add a step and those within it."""
        place = len(self.steps)
        made = self.made(step, loc, following)
        self.steps.insert(place, made)

    def made(self, step: steps.Step, loc: Loc, following: str | None) -> plan.Step:
        """The step compiled; the steps within it are added."""
        id_, if_ = self.ids[loc], step.if_
        match step:
            case steps.EmailStep():
                return self.message(step, "email", id_, following)
            case steps.SmsStep():
                return self.message(step, "sms", id_, following)
            case steps.DelayStep():
                return plan.DelayStep(id=id_, condition=if_, next=following, duration=step.delay)
            case steps.WaitForStep():
                then, otherwise = following, following
                if step.then is not None:
                    then = self.block(step.then, (*loc, "then"), following)
                if step.else_ is not None:
                    otherwise = self.block(step.else_, (*loc, "else"), following)
                return plan.WaitForStep(
                    id=id_,
                    condition=if_,
                    result=step.as_,
                    next=following,
                    on=event_filter(step.wait_for.event, step.filter),
                    timeout=step.length,
                    since=step.counts_since or "message",
                    then=then,
                    otherwise=otherwise,
                )
            case steps.BranchStep():
                arms = tuple(
                    self.arm(arm, (*loc, "branch", number), following)
                    for number, arm in enumerate(step.branch)
                )
                return plan.BranchStep(id=id_, condition=if_, next=following, arms=arms)
            case steps.SplitStep():
                shares = tuple(
                    plan.Share(
                        percent=arm.percent,
                        name=arm.name,
                        to=self.block(arm.steps, (*loc, "split", number, "steps"), following),
                    )
                    for number, arm in enumerate(step.split)
                )
                return plan.SplitStep(id=id_, condition=if_, next=following, arms=shares)
            case steps.RepeatStep():
                begin = len(self.steps)
                first = self.block(step.repeat.steps, (*loc, "repeat", "steps"), id_)
                return plan.RepeatStep(
                    id=id_,
                    condition=if_,
                    next=following,
                    every=step.repeat.every,
                    times=step.repeat.times,
                    until=step.repeat.until,
                    first=first,
                    within=tuple(inner.id for inner in self.steps[begin:]),
                )
            case changing.UpdateStep():
                return compile_update(step, id_, following, self.workspace)
            case changing.SetStep():
                return plan.SetStep(id=id_, condition=if_, next=following, values=step.set)
            case steps.IncludeStep():
                begin_at = (
                    self.block(step.body, (*loc, "include", "steps"), following) if step.body else following
                )
                return plan.SetStep(
                    id=id_,
                    condition=if_,
                    next=following,
                    values=step.include.with_,
                    then=begin_at,
                    included=step.include.block,
                )
            case changing.EnrollStep():
                return plan.EnrollStep(id=id_, condition=if_, next=following, journey=step.enroll)
            case changing.UnenrollStep():
                return plan.UnenrollStep(id=id_, condition=if_, next=following, journey=step.unenroll)
            case steps.StopStep():
                return plan.StopStep(id=id_, condition=if_, next=following, reason=step.stop)
            case _:
                assert_never(step)

    def arm(self, arm: steps.WhenArm | steps.ElseArm, loc: Loc, following: str | None) -> plan.Arm:
        """An arm of a branch; its steps are added."""
        if isinstance(arm, steps.ElseArm):
            return plan.Arm(when=None, to=self.block(arm.else_, (*loc, "else"), following))
        return plan.Arm(when=arm.when, to=self.block(arm.steps, (*loc, "steps"), following))

    def message(
        self,
        step: steps.EmailStep | steps.SmsStep,
        channel: plan.Channel,
        id_: str,
        following: str | None,
    ) -> plan.MessageStep:
        """A message with the journey's defaults, which a transactional one does not have."""
        message = step.message
        free = message.transactional
        return plan.MessageStep(
            id=id_,
            condition=step.if_,
            result=step.as_,
            next=following,
            channel=channel,
            template=message.template,
            subject=message.subject,
            sender=message.from_,
            topic=message.topic or (None if free else self.defaults.topic),
            transactional=free,
            limit=message.limit or (None if free else self.defaults.limit),
        )


def _attribute_times(
    journey: Journey, workspace: Workspace, templates: Templates, keys: Iterable[str]
) -> Times:
    read = {path for source in conditions(journey) for path in compile_expression(source).names}
    files = [file for key in keys for file in templates.files[key].values()]
    read |= {name.path for file in files for name in file.reads}
    named = {parts[1] for path in read if (parts := path.split("."))[0] == "lead" and len(parts) > 1}
    whole = "lead" in read
    return {name: kind for name, kind in _times(workspace.attributes).items() if whole or name in named}


def _event_times(journey: Journey, workspace: Workspace) -> dict[str, Times]:
    times = {name: _times(workspace.events[name]) for name in sorted(event_names(journey))}
    return {name: fields for name, fields in times.items() if fields}


def _times(fields: Mapping[str, FieldType]) -> Times:
    times: Times = {}
    for name, kind in sorted(fields.items()):
        if kind == "date" or kind == "datetime":
            times[name] = kind
    return times


def event_names(journey: Journey) -> set[str]:
    """Every event that the journey names."""
    names = {*journey.trigger.event, *(journey.goal.event if journey.goal else ())}
    names.update(name for exit_ in journey.exit for name in exit_.event)
    waits = (step for _, step in every_step(journey.steps) if isinstance(step, steps.WaitForStep))
    return names.union(*(wait.wait_for.event for wait in waits))


def conditions(journey: Journey) -> list[str]:
    """Every expression of the journey."""
    found = [journey.trigger.when, *(exit_.when for exit_ in journey.exit)]
    if journey.goal:
        found += [journey.goal.when, journey.goal.value]
    for _, step in every_step(journey.steps):
        found += [source for _, _, source in expressions_of(step)]
        if isinstance(step, steps.WaitForStep):
            found.append(step.filter)
    return [source for source in found if source is not None]
