"""Lengths, hours, moments, sums and events in the words of a language."""

from __future__ import annotations

from collections.abc import Iterable

from dripline.explaining.conditions import say_condition, say_value
from dripline.explaining.phrases import Phrases
from dripline.language.labels import say_clock
from dripline.language.money import to_major
from dripline.language.plan import DiscountStep, Duration, EventFilter, Hours, Moment

_WEEK = 7
_HOUR, _MINUTE = 3_600, 60


def say_length(length: Duration, phrases: Phrases, *, within: bool = False) -> str:
    """A length without its sign: `1 week 2 days`. `within`: for phrases that say within which length."""
    months, days, seconds = abs(length.months), abs(length.days), abs(length.seconds)
    weeks, days = divmod(days, _WEEK) if days % _WEEK == 0 else (0, days)
    counts = {
        "month": months,
        "week": weeks,
        "day": days,
        "hour": seconds // _HOUR,
        "minute": seconds % _HOUR // _MINUTE,
        "second": seconds % _MINUTE,
    }
    used = [unit for unit, count in counts.items() if count] or ["second"]
    words = {unit: phrases.durations[unit][counts[unit] != 1] for unit in used}
    if within:
        words[used[-1]] = phrases.durations_of.get(used[-1], words[used[-1]])
    return " ".join(f"{counts[unit]} {word}" for unit, word in words.items())


def either(texts: Iterable[str], phrases: Phrases) -> str:
    """`one`, `one or other`, `one or other or a third`."""
    said, *others = texts
    for other in others:
        said = phrases.or_.format(one=said, other=other)
    return said


def say_events(on: EventFilter, phrases: Phrases) -> str:
    """The names of the events."""
    return either(on.events, phrases)


def only(on: EventFilter, phrases: Phrases) -> str:
    """What narrows the events, as the end of a sentence."""
    return phrases.only_if.format(condition=say_condition(on.when, phrases)) if on.when else ""


def say_hours(hours: Iterable[Hours], phrases: Phrases) -> str:
    """Hours of some days: `Monday, Tuesday 09:00 to 18:00`."""
    said = []
    for one in hours:
        span = phrases.minutes.format(start=say_clock(one.start), end=say_clock(one.end))
        days = phrases.comma.join(phrases.weekdays[day] for day in one.days)
        said.append(span if len(one.days) == len(phrases.weekdays) else f"{days} {span}")
    return either(said, phrases)


def say_moment(moment: Moment, phrases: Phrases) -> str:
    """A moment of the calendar, by the lead's clock."""
    date = phrases.holiday if moment.holiday else moment.day
    if moment.date is not None:
        date = say_value(moment.date, phrases)
    if date is not None and moment.offset is not None:
        offset = moment.offset
        form = phrases.before if min(offset.months, offset.days, offset.seconds) < 0 else phrases.after
        date = form.format(duration=say_length(offset, phrases), date=date)
    if moment.weekdays:
        weekday = either((phrases.weekdays[day] for day in moment.weekdays), phrases)
        date = weekday if date is None else phrases.weekday_from.format(weekday=weekday, date=date)
    time = None if moment.at is None else say_clock(moment.at)
    if date is None:
        return phrases.next_time.format(time=time)
    return date if time is None else phrases.at.format(date=date, time=time)


def say_sum(amount: int, currency: str) -> str:
    """An amount in minor units of the currency: `5,000 AMD`."""
    return f"{to_major(amount, currency):,} {currency}"


def say_worth(step: DiscountStep, phrases: Phrases) -> str:
    """What a discount gives."""
    if step.percent is not None:
        return f"{step.percent:g}%"
    if step.amount is not None and step.currency is not None:
        return say_sum(step.amount, step.currency)
    return phrases.gift.format(gift=step.gift)
