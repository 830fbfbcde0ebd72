"""Schedules in the words of a language."""

from __future__ import annotations

from dripline.explaining.conditions import say_condition
from dripline.explaining.phrases import Phrases
from dripline.language.labels import say_clock
from dripline.language.plan import Gathering, Schedule
from dripline.language.segments import is_name


def say_gathering(gathering: Gathering, zone: str, phrases: Phrases) -> str:
    """Whom the calendar lets in, when, by whose clock, how fast."""
    if is_name(gathering.audience):
        who = phrases.in_segment.format(segment=gathering.audience)
    else:
        who = phrases.for_whom.format(condition=say_condition(gathering.audience, phrases))
    pace = gathering.per_hour
    return phrases.enters_gathered.format(
        when=say_schedule(gathering.schedule, phrases),
        clock=phrases.own_clock if gathering.own_zone else phrases.our_clock.format(zone=zone),
        who=who,
        pace=phrases.at_pace.format(count=f"{pace:g}") if pace is not None else "",
    )


def say_schedule(schedule: Schedule, phrases: Phrases) -> str:
    """When it comes round, as the beginning of a sentence."""
    at, number = say_clock(schedule.at), schedule.number
    if schedule.cron is not None:
        return phrases.by_cron.format(cron=phrases.code.format(text=schedule.cron))
    if schedule.once is not None:
        day, _, hour = schedule.once.partition("T")
        return phrases.just_once.format(day=day, at=hour)
    if schedule.unit == "day":
        return (phrases.every_day if number == 1 else phrases.every_days).format(number=number, at=at)
    if schedule.unit == "week":
        days = phrases.comma.join(phrases.weekdays[day] for day in schedule.weekdays)
        form = phrases.every_week if number == 1 else phrases.every_weeks
        return form.format(number=number, days=days, at=at)
    day = phrases.month_end if schedule.day == 31 else phrases.month_day.format(day=schedule.day)
    return (phrases.every_month if number == 1 else phrases.every_months).format(
        number=number, day=day, at=at
    )
