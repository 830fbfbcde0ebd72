"""The parts of a plan in a few words: what stands in a picture, in a list, in the story of a lead."""

from __future__ import annotations

from typing import assert_never

from dripline.language.durations import say_duration
from dripline.language.money import to_major
from dripline.language.plan import (
    AssignStep,
    BranchStep,
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    Duration,
    EnrollStep,
    EventFilter,
    Gathering,
    MessageStep,
    Moment,
    NotifyStep,
    ReferralStep,
    RemindStep,
    RepeatStep,
    Schedule,
    SetStep,
    SplitStep,
    Step,
    StopStep,
    TaskStep,
    Trigger,
    UnenrollStep,
    UpdateStep,
    WaitForStep,
    WebhookStep,
    Yearly,
)
from dripline.language.segments import is_name

CHANNELS = {"email": "e-mail", "sms": "SMS"}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def say_trigger(trigger: Trigger) -> str:
    """Who enters: `on lead.created if lead.consent.email`."""
    if trigger.yearly is not None:
        return _yearly(trigger.yearly)
    if trigger.gathering is not None:
        return _gathering(trigger.gathering)
    if not trigger.on.events:
        return "by hand, or from another journey"
    return f"on {say_events(trigger.on)}" + (f" if {trigger.on.when}" if trigger.on.when else "")


def say_reentry(trigger: Trigger) -> str:
    """How often one lead may enter."""
    per = f"lead and {trigger.key}" if trigger.key else "lead"
    match trigger.reentry:
        case "never":
            return f"once per {per}"
        case "always":
            return f"as often as it happens{', side by side by ' + trigger.key if trigger.key else ''}"
        case Duration() as pause:
            return f"once per {per}, and again after {say_duration(pause)}"


def say_events(on: EventFilter) -> str:
    """The events, without what narrows them: `demo.booked or order.paid`."""
    return " or ".join(on.events)


def say_offset(offset: Duration) -> str:
    """A length before or after something: `7 days before`, `1 hour after`."""
    parts = (offset.months, offset.days, offset.seconds)
    length = Duration(months=abs(parts[0]), days=abs(parts[1]), seconds=abs(parts[2]))
    return f"{say_duration(length)} {'before' if min(parts) < 0 else 'after'}"


def say_step(step: Step) -> str:
    """What a step does, as an order: `E-mail welcome/hello`, `Wait 2 days`."""
    match step:
        case MessageStep():
            name = CHANNELS[step.channel]
            return f"{name[:1].upper()}{name[1:]} {step.template}"
        case DelayStep():
            return f"Wait {say_duration(step.duration)}"
        case DelayUntilStep():
            return f"Wait until {say_moment(step.moment)}"
        case WaitForStep():
            if step.survey is not None:
                return f"Wait for the answer to {step.survey}"
            return f"Wait for {say_events(step.on)}"
        case BranchStep():
            return "Choose"
        case SplitStep():
            return "Draw lots"
        case RepeatStep():
            return f"Repeat every {say_duration(step.every)}"
        case SetStep() if step.survey is not None:
            return f"Ask the survey {step.survey}"
        case SetStep():
            return f"Block {step.included}" if step.included else f"Set {', '.join(step.values)}"
        case UpdateStep():
            return "Change the lead"
        case EnrollStep():
            return f"Enter {step.journey}"
        case UnenrollStep():
            return f"Leave {step.journey}"
        case StopStep():
            return f"End: {step.reason}"
        case WebhookStep():
            return f"Ask {say_outside(step)}"
        case CallStep():
            return f"Call {step.function}"
        case DiscountStep():
            return f"Discount of {_worth(step)}"
        case ReferralStep():
            return f"Link for friends ({step.program})"
        case AssignStep():
            return f"Give to {step.to}"
        case TaskStep():
            return f"Task for {'the owner' if step.to == 'owner' else step.to}"
        case NotifyStep():
            return f"Tell {'the owner' if step.to == 'owner' else step.to}"
        case RemindStep():
            return f"Keep in touch every {say_duration(step.every)}"
        case _:
            assert_never(step)


def name_step(step: Step) -> str:
    """What a step is: `the e-mail welcome/hello`, `the wait for demo.booked`."""
    match step:
        case MessageStep():
            return f"the {CHANNELS[step.channel]} {step.template}"
        case DelayStep():
            return f"the wait of {say_duration(step.duration)}"
        case DelayUntilStep():
            return f"the wait for {say_moment(step.moment)}"
        case WaitForStep():
            if step.survey is not None:
                return f"the wait for the answer to {step.survey}"
            return f"the wait for {say_events(step.on)}"
        case BranchStep():
            return "the branch"
        case SplitStep():
            return "the split"
        case RepeatStep():
            return f"the repeat every {say_duration(step.every)}"
        case SetStep() if step.survey is not None:
            return f"the survey {step.survey}"
        case SetStep():
            return (
                f"the block {step.included}" if step.included else f"the setting of {', '.join(step.values)}"
            )
        case UpdateStep():
            return "the change of the lead"
        case EnrollStep():
            return f"the way into {step.journey}"
        case UnenrollStep():
            return f"the way out of {step.journey}"
        case StopStep():
            return f"the end “{step.reason}”"
        case WebhookStep():
            return f"the call of {say_outside(step)}"
        case CallStep():
            return f"the call of {step.function}"
        case DiscountStep():
            return f"the discount of {_worth(step)}"
        case ReferralStep():
            return f"the link for friends ({step.program})"
        case AssignStep():
            return f"the hand-over to {step.to}"
        case TaskStep():
            return f"the task for {'the owner' if step.to == 'owner' else step.to}"
        case NotifyStep():
            return f"the notice to {'the owner' if step.to == 'owner' else step.to}"
        case RemindStep():
            return f"the reminders ({step.about})"
        case _:
            assert_never(step)


def say_outside(step: WebhookStep | CallStep) -> str:
    """Whom a step asks: the host of an address, or a function."""
    if isinstance(step, CallStep):
        return f"the function {step.function}"
    return step.url.partition("://")[2].partition("/")[0] or step.url


def say_clock(minutes: int) -> str:
    """Minutes after midnight as the clock shows them: `09:00`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def say_moment(moment: Moment) -> str:
    """A moment of the calendar: `Monday 09:00`, `1 hour before trigger.starts_at`."""
    base = "the next public holiday" if moment.holiday else moment.date or moment.day
    said = [f"{say_offset(moment.offset)} {base}" if moment.offset and base else base]
    if moment.weekdays:
        days = " or ".join(_DAYS[day] for day in moment.weekdays)
        said = [f"{days} from {said[0]}" if base else days]
    if moment.at is not None:
        said.append(say_clock(moment.at))
    return " ".join(part for part in said if part)


def _worth(step: DiscountStep) -> str:
    if step.percent is not None:
        return f"{step.percent:g}%"
    if step.amount is not None and step.currency is not None:
        return f"{to_major(step.amount, step.currency):,} {step.currency}"
    return step.gift or "a gift"


def _yearly(yearly: Yearly) -> str:
    when = "on" if yearly.offset == Duration() else say_offset(yearly.offset)
    return f"{when} the lead's {yearly.attribute.replace('_', ' ')}, each year at {yearly.at}"


def _gathering(gathering: Gathering) -> str:
    named = is_name(gathering.audience)
    whose = ", by the lead's own clock" if gathering.own_zone else ""
    if_so = f"if in segment {gathering.audience}" if named else f"if {gathering.audience}"
    return f"{say_schedule(gathering.schedule)}{whose} {if_so}"


def say_schedule(schedule: Schedule) -> str:
    """When the calendar comes round: `every 2 weeks on Monday, Thursday at 09:00`."""
    if schedule.cron is not None:
        return f"by the cron line {schedule.cron}" if schedule.said == schedule.cron else schedule.said
    if schedule.once is not None:
        return f"once on {schedule.once.replace('T', ' at ')}"
    every = "every" if schedule.number == 1 else f"every {schedule.number}"
    unit = schedule.unit if schedule.number == 1 else f"{schedule.unit}s"
    days = ", ".join(_DAYS[day] for day in schedule.weekdays)
    said = f"{every} {unit}"
    if schedule.unit == "week":
        said = f"every {days}" if schedule.number == 1 else f"{said} on {days}"
    elif schedule.unit == "month":
        said += " on the last day" if schedule.day == 31 else f" on day {schedule.day}"
    return f"{said} at {say_clock(schedule.at)}"
