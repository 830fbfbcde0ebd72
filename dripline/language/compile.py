"""From a journey that was checked to its plan. There is no error path: what could be wrong was told before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from dripline.language import changing, people, plan, steps
from dripline.language.compile_changes import compile_update
from dripline.language.compile_notices import compile_notices, message_texts, own_text
from dripline.language.compile_reminders import day_notice, day_notice_id
from dripline.language.durations import per_hour
from dripline.language.expressions import compile_expression, reads_only_event
from dripline.language.fields import Times, times_of
from dripline.language.model import Exit, Goal, Journey, Trigger
from dripline.language.money import to_minor
from dripline.language.naming import every_discount, every_step, step_ids
from dripline.language.positions import Loc
from dripline.language.reading import expressions_of
from dripline.language.segments import is_name
from dripline.language.step_texts import step_texts
from dripline.language.surveys.answers import ANSWERED
from dripline.language.surveys.questions import Survey
from dripline.language.template_grammar import TemplateSandbox
from dripline.language.templates import Templates
from dripline.language.texts import reads
from dripline.language.times import MomentArguments, is_day
from dripline.language.workspace import Workspace

_SANDBOX = TemplateSandbox()


def compile_journey(journey: Journey, workspace: Workspace, templates: Templates) -> plan.Plan:
    """The plan of a journey in which `check` found no error."""
    flat = _Flat(journey, workspace)
    flat.block(journey.steps, ("steps",), None)
    messages = [step for step in flat.steps if isinstance(step, plan.MessageStep)]
    notices = compile_notices(journey, flat.ids, workspace)
    keys = sorted({template_key(step.channel, step.template) for step in messages} | notices.templates)
    senders = {step.sender or step.channel for step in messages} | notices.channels
    return plan.Plan(
        journey=journey.journey,
        title=journey.title or journey.journey,
        priority=journey.priority,
        topic=journey.messages.topic,
        throttle=journey.messages.throttle,
        holdout=journey.messages.holdout or 0,
        timezone=workspace.timezone,
        region=workspace.default_region,
        locale=workspace.locales[0],
        currency=workspace.currency,
        to_roles=workspace.role_addresses == "send",
        postal_address=workspace.postal_address or {},
        senders={name: workspace.sender(name) for name in sorted(senders)},
        trigger=_trigger(journey.trigger, workspace),
        goal=_goal(journey.goal) if journey.goal else None,
        exits=tuple(map(_exit, journey.exit)),
        steps=tuple(flat.steps),
        templates={key: templates.sources(key) for key in keys} | notices.texts,
        people=notices.people,
        teams=notices.teams,
        default_owner=notices.default_owner,
        budgets=_budgets(journey, workspace),
        shops=_shops(journey, workspace),
        surveys=_surveys(journey, workspace),
        attribute_times=_attribute_times(journey, workspace, templates, keys),
        event_times=_event_times(journey, workspace),
    )


def template_key(channel: str, template: str) -> str:
    """How plans name a template: `email:welcome/hello`."""
    return f"{channel}:{template}"


def event_filter(events: tuple[str, ...], when: str | None) -> plan.EventFilter:
    """Those events for which the condition holds."""
    return plan.EventFilter(events=events, when=when, event_only=when is None or reads_only_event(when))


def _budgets(journey: Journey, workspace: Workspace) -> dict[str, plan.Budget]:
    named = {step.discount.budget for _, step in every_discount(journey.steps)}
    found = {}
    for name in sorted(name for name in named if name is not None):
        entry = workspace.budgets[name]
        amount, currency = entry.minor(workspace.currency)
        found[name] = plan.Budget(amount=amount, currency=currency, codes=entry.codes)
    return found


def _shops(journey: Journey, workspace: Workspace) -> dict[str, plan.Shop]:
    named = {step.discount.shop for _, step in every_discount(journey.steps)}
    entries = {name: workspace.shops[name] for name in sorted(name for name in named if name is not None)}
    return {name: plan.Shop(url=entry.url, headers=entry.headers) for name, entry in entries.items()}


def _surveys(journey: Journey, workspace: Workspace) -> dict[str, Survey]:
    asked = {step.survey.ask for _, step in every_step(journey.steps) if isinstance(step, steps.SurveyStep)}
    return {name: workspace.surveys[name].compiled() for name in sorted(asked)}


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
    gathering = None
    if trigger.audience is not None and trigger.schedule is not None:
        gathering = plan.Gathering(
            audience=trigger.audience,
            schedule=trigger.schedule,
            own_zone=trigger.in_ == "lead",
            per_hour=per_hour(trigger.pace) if trigger.pace else None,
        )
    return plan.Trigger(
        on=event_filter(trigger.event, trigger.when),
        reentry=trigger.reentry,
        key=trigger.key.removeprefix("event.") if trigger.key else None,
        yearly=yearly,
        gathering=gathering,
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
        self.quiet_hours = (
            workspace.quiet_hours if journey.messages.quiet_hours is None else journey.messages.quiet_hours
        )
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
                return self.message(step, "email", loc, following)
            case steps.SmsStep():
                return self.message(step, "sms", loc, following)
            case steps.RemindStep():
                return self.remind(step, loc, following)
            case steps.NotifyStep():
                said = step.said
                template = said.template or own_text(id_)
                return plan.NotifyStep(
                    id=id_, condition=if_, next=following, to=said.to, template=template, subject=said.subject
                )
            case people.AssignStep():
                assign = step.assign
                return plan.AssignStep(
                    id=id_,
                    condition=if_,
                    result=step.as_,
                    next=following,
                    to=assign.to,
                    by=assign.by,
                    react=assign.react,
                    keep_owner=assign.keep_owner,
                )
            case people.TaskStep():
                task = step.task
                return plan.TaskStep(
                    id=id_,
                    condition=if_,
                    result=step.as_,
                    next=following,
                    to=task.for_,
                    title=task.title,
                    due=task.due,
                    escalate_to=task.escalate_to,
                )
            case steps.DelayStep():
                return plan.DelayStep(id=id_, condition=if_, next=following, duration=step.delay)
            case steps.DelayUntilStep():
                return plan.DelayUntilStep(
                    id=id_,
                    condition=if_,
                    next=following,
                    moment=_moment(step.delay_until),
                    if_missing=step.delay_until.if_missing or plan.Otherwise(),
                    if_past=step.delay_until.if_past or plan.Otherwise(),
                )
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
                    until=_moment(step.moment) if step.moment else None,
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
            case steps.SurveyStep():
                return self.survey(step, loc, following)
            case steps.StopStep():
                return plan.StopStep(id=id_, condition=if_, next=following, reason=step.stop)
            case steps.WebhookStep():
                return plan.WebhookStep(
                    id=id_,
                    condition=if_,
                    result=step.as_,
                    next=following,
                    url=step.webhook.url,
                    method=step.webhook.method,
                    headers=step.webhook.headers,
                    body=step.webhook.body,
                )
            case steps.DiscountStep():
                return self.discount(step, id_, following)
            case steps.ReferralStep():
                return plan.ReferralStep(
                    id=id_, condition=if_, result=step.as_, next=following, program=step.referral
                )
            case steps.CallStep():
                return plan.CallStep(
                    id=id_,
                    condition=if_,
                    result=step.as_,
                    next=following,
                    function=step.call.function,
                    arguments=step.call.with_,
                )
            case _:
                assert_never(step)

    def arm(self, arm: steps.WhenArm | steps.ElseArm, loc: Loc, following: str | None) -> plan.Arm:
        """An arm of a branch; its steps are added."""
        if isinstance(arm, steps.ElseArm):
            return plan.Arm(when=None, to=self.block(arm.else_, (*loc, "else"), following))
        return plan.Arm(when=arm.when, to=self.block(arm.steps, (*loc, "steps"), following))

    def remind(self, step: steps.RemindStep, loc: Loc, following: str | None) -> plan.RemindStep:
        """Reminders: the message leads back to the step, the one of the day to the notice for the owner."""
        said, id_ = step.remind, self.ids[loc]
        message = None
        if said.with_ is not None:
            message = self.block(said.with_, (*loc, "remind", "with"), id_)
        on_day = day_notice_id(id_)
        if said.on_day is not None:
            on_day = self.block(said.on_day, (*loc, "remind", "on_day"), on_day)
        self.steps.append(day_notice(id_, following))
        return plan.RemindStep(
            id=id_,
            condition=step.if_,
            result=step.as_,
            next=following,
            about=said.about,
            every=said.every,
            until=said.until,
            period=said.for_,
            unless=event_filter(said.unless, said.unless_when) if said.unless else None,
            message=message,
            on_day=on_day,
        )

    def survey(self, step: steps.SurveyStep, loc: Loc, following: str | None) -> plan.SetStep:
        """A block of its own: the message that asks, and the wait for the answer."""
        said, id_ = step.survey, self.ids[loc]
        channel, message = said.message
        begin, answer = len(self.steps), f"{id_}/answer"
        first = self.block(message, (*loc, "survey", channel), answer)
        asks = plan.Asks(survey=said.ask, within=said.timeout)
        self.steps[begin:] = [
            one.model_copy(update={"asks": asks}) if isinstance(one, plan.MessageStep) else one
            for one in self.steps[begin:]
        ]
        place, then, otherwise = len(self.steps), following, following
        if step.then is not None:
            then = self.block(step.then, (*loc, "then"), following)
        if step.else_ is not None:
            otherwise = self.block(step.else_, (*loc, "else"), following)
        wait = plan.WaitForStep(
            id=answer,
            result=step.as_,
            next=following,
            on=event_filter((ANSWERED,), None),
            timeout=said.timeout,
            survey=said.ask,
            then=then,
            otherwise=otherwise,
        )
        self.steps.insert(place, wait)
        return plan.SetStep(
            id=id_,
            condition=step.if_,
            next=following,
            values={},
            included=f"survey {said.ask}",
            survey=said.ask,
            then=first,
        )

    def discount(self, step: steps.DiscountStep, id_: str, following: str | None) -> plan.DiscountStep:
        """A discount, its amounts in minor units."""
        said = step.discount
        amounts = {"amount": said.amount, "min_order": said.min_order, "most": said.most}
        currencies = [money[1] or self.workspace.currency for money in amounts.values() if money]
        currency = currencies[0] if currencies else None
        minor = {name: to_minor(money[0], currency) for name, money in amounts.items() if money and currency}
        return plan.DiscountStep(
            id=id_,
            condition=step.if_,
            result=step.as_,
            next=following,
            percent=said.percent,
            amount=minor.get("amount"),
            min_order=minor.get("min_order"),
            currency=currency,
            gift=said.gift,
            valid=said.valid,
            code=said.code,
            pool=said.pool,
            if_empty=said.if_empty,
            shop=said.shop,
            if_failing=said.if_failing,
            budget=said.budget,
            most=minor.get("most"),
            stacks=said.stacks or self.workspace.discounts.stacking,
            once_per=said.once_per,
        )

    def message(
        self,
        step: steps.EmailStep | steps.SmsStep,
        channel: plan.Channel,
        loc: Loc,
        following: str | None,
    ) -> plan.MessageStep:
        """A message with the journey's defaults, which a transactional one does not have."""
        message = step.message
        free = message.transactional
        fallback = None
        if message.fallback is not None:
            fallback = self.block(message.fallback, (*loc, channel, "fallback"), following)
            # One of the two leads on: whatever is asked after the step asks of the one that was tried last.
            other = self.steps[-1]
            self.steps[-1] = other.model_copy(update={"result": step.as_})
        on_limit = message.on_limit or (None if free else self.defaults.on_limit)
        quiet = message.quiet_hours or (None if free else self.quiet_hours)
        window = message.window or (None if free else self.defaults.window)
        return plan.MessageStep(
            id=self.ids[loc],
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
            fallback=fallback,
            on_limit=None if on_limit == "skip" else on_limit,
            quiet_hours=None if quiet == "none" else quiet,
            window=() if window is None or window == "none" else window,
            expires=message.expires,
        )


def _moment(moment: MomentArguments) -> plan.Moment:
    return plan.Moment(
        date=moment.expression,
        day=moment.date if moment.date is not None and is_day(moment.date) else None,
        holiday=moment.date == "holiday",
        offset=moment.offset,
        at=moment.at,
        weekdays=moment.weekday or (),
    )


def _attribute_times(
    journey: Journey, workspace: Workspace, templates: Templates, keys: Iterable[str]
) -> Times:
    read = {path for source in conditions(journey) for path in compile_expression(source).names}
    files = [file for key in keys for file in templates.files[key].values()]
    read |= {name.path for file in files for name in file.reads}
    read |= {name.path for text in texts(journey) for name in reads(text)}
    read |= {name.path for text in message_texts(journey) for name in _SANDBOX.read(text)[1]}
    named = {parts[1] for path in read if (parts := path.split("."))[0] == "lead" and len(parts) > 1}
    whole = "lead" in read
    return {name: kind for name, kind in times_of(workspace.attributes).items() if whole or name in named}


def _event_times(journey: Journey, workspace: Workspace) -> dict[str, Times]:
    times = {name: times_of(workspace.events[name]) for name in sorted(event_names(journey))}
    return {name: fields for name, fields in times.items() if fields}


def event_names(journey: Journey) -> set[str]:
    """Every event that the journey names."""
    names = {*journey.trigger.event, *(journey.goal.event if journey.goal else ())}
    names.update(name for exit_ in journey.exit for name in exit_.event)
    waits = (step for _, step in every_step(journey.steps) if isinstance(step, steps.WaitForStep))
    names.update(name for _, step in every_step(journey.steps) for name in unless_events(step))
    return names.union(*(wait.wait_for.event for wait in waits))


def unless_events(step: steps.Step) -> tuple[str, ...]:
    """The events that stop a `remind`."""
    return (step.remind.unless or ()) if isinstance(step, steps.RemindStep) else ()


def texts(journey: Journey) -> list[str]:
    """Every text of the journey's steps that is filled in when the step is reached."""
    return [text for _, step in every_step(journey.steps) for _, text in step_texts(step)]


def conditions(journey: Journey) -> list[str]:
    """Every expression of the journey."""
    audience = journey.trigger.audience
    whom = audience if audience is not None and not is_name(audience) else None
    found = [journey.trigger.when, whom, *(exit_.when for exit_ in journey.exit)]
    if journey.goal:
        found += [journey.goal.when, journey.goal.value]
    for _, step in every_step(journey.steps):
        found += [source for _, _, source in expressions_of(step)]
        if isinstance(step, steps.WaitForStep):
            found.append(step.filter)
        if isinstance(step, steps.RemindStep):
            found.append(step.remind.unless_when)
    return [source for source in found if source is not None]
