"""What many lives came to: counted while they end, and plain data in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from dripline.language.plan import Limit, Plan
from dripline.language.sms import measure
from dripline.simulate.life import Life
from dripline.simulate.timeline import Letter

HOUR = timedelta(hours=1)
UNDER_WAY = "under way"
STOPPED = "stopped for a person"


@dataclass(frozen=True)
class Peak:
    """The most messages of a journey within any `per`, and when that began."""

    journey: str
    count: int
    per: timedelta
    at: datetime | None
    most: int | None = None
    """What the journey's throttle lets through in that time."""


@dataclass(frozen=True)
class Ending:
    """How so many runs ended; after how many days in the middle, and nine of ten of them at the latest."""

    journey: str
    outcome: str
    reason: str
    count: int
    share: float
    """Of the runs of its journey, between 0 and 1."""
    days: float | None
    latest: float | None


@dataclass(frozen=True)
class Liability:
    """Discounts of one worth: how many, and what they come to at most, where that is known (major units)."""

    worth: str
    count: int
    amount: float | None
    currency: str | None


@dataclass(frozen=True)
class Forecast:
    """The sum of a crowd's lives."""

    leads: int
    kept_out: int
    """Leads that never entered."""
    runs: int
    endings: tuple[Ending, ...]
    messages: Mapping[tuple[date, str, str], int]
    """By day (in the workspace's zone), channel and locale."""
    by_message: Mapping[tuple[str, str], int]
    """By journey and step."""
    skipped: Mapping[tuple[str, str], int]
    """By step and reason."""
    held: Mapping[tuple[str, str], int]
    """By step and reason: what a person would have to look at."""
    notices: int
    """Messages to colleagues."""
    peaks: tuple[Peak, ...]
    segments: Mapping[str, int]
    """Of SMS, by locale."""
    discounts: tuple[Liability, ...]
    converted: int
    value: float
    control: int
    """Runs of the control group."""

    @property
    def sent(self) -> int:
        """Messages to leads."""
        return sum(self.messages.values())

    def cost(self, per_segment: float | None) -> float | None:
        """What the SMS cost, where it is known what a segment does."""
        return None if per_segment is None else per_segment * sum(self.segments.values())


def over_time(forecast: Forecast) -> tuple[list[str], dict[str, list[int]], str]:
    """The messages by day, week or month, whichever can be seen at once: labels, `email hy` to numbers, the unit."""
    days = [day for day, _, _ in forecast.messages]
    if not days:
        return [], {}, "day"
    length = (max(days) - min(days)).days + 1
    unit = "day" if length <= 42 else "week" if length <= 420 else "month"
    labels: list[str] = []
    first = _beginning(min(days), unit)
    place: dict[date, int] = {}
    while first <= max(days):
        place[first] = len(labels)
        labels.append(first.isoformat()[:7] if unit == "month" else first.isoformat())
        first = _following(first, unit)
    series: dict[str, list[int]] = {}
    for (day, channel, locale), count in sorted(forecast.messages.items(), key=lambda one: one[0][1:]):
        values = series.setdefault(f"{channel} {locale}", [0] * len(labels))
        values[place[_beginning(day, unit)]] += count
    return labels, series, unit


def _beginning(day: date, unit: str) -> date:
    if unit == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if unit == "week" else day


def _following(day: date, unit: str) -> date:
    if unit == "month":
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=7 if unit == "week" else 1)


@dataclass
class Tally:
    """Counts lives as they end."""

    plans: Mapping[str, Plan]
    where: ZoneInfo
    leads: int = 0
    kept_out: int = 0
    control: int = 0
    converted: int = 0
    value: float = 0.0
    notices: int = 0
    _ends: dict[tuple[str, str, str], list[float]] = field(default_factory=dict)
    _messages: Counter[tuple[date, str, str]] = field(default_factory=Counter)
    _by_message: Counter[tuple[str, str]] = field(default_factory=Counter)
    _skipped: Counter[tuple[str, str]] = field(default_factory=Counter)
    _held: Counter[tuple[str, str]] = field(default_factory=Counter)
    _moments: dict[str, list[datetime]] = field(default_factory=dict)
    _segments: Counter[str] = field(default_factory=Counter)
    _discounts: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)

    def close(self, life: Life) -> None:
        """Count a life that is over, or is watched no longer."""
        self.leads += 1
        self.kept_out += not life.runs
        for run in life.runs:
            outcome = run.outcome
            kind = outcome.kind if outcome else STOPPED if run.parked else UNDER_WAY
            reason = (outcome.reason if outcome else run.parked) or ""
            days = (run.state.last_at - run.state.started_at) / timedelta(days=1)
            self._ends.setdefault((run.plan.journey, kind, reason), []).append(days)
            self.control += run.state.holdout
            self.converted += run.converted
            self.value += run.value or 0.0
        for letter in life.letters:
            self._letter(letter)
        for entry in life.timeline:
            if entry.kind == "deed" and entry.what == "discount":
                self._discounts.setdefault(str(entry.detail["name"]), []).append(entry.detail)

    def _letter(self, letter: Letter) -> None:
        if letter.fate == "skipped":
            self._skipped[letter.step, letter.reason or ""] += 1
        elif letter.fate == "held":
            self._held[letter.step, letter.reason or ""] += 1
        if letter.fate != "sent" or letter.content is None:
            return
        if letter.channel == "sms":
            self._segments[letter.content.locale] += measure(letter.content.body).segments
        if letter.to is not None:
            self.notices += 1
            return
        day = letter.at.astimezone(self.where).date()
        self._messages[day, letter.channel, letter.content.locale] += 1
        self._by_message[letter.journey, letter.step] += 1
        if not letter.transactional:
            self._moments.setdefault(letter.journey, []).append(letter.at)

    def forecast(self) -> Forecast:
        """Everything that was counted."""
        return Forecast(
            leads=self.leads,
            kept_out=self.kept_out,
            runs=sum(len(days) for days in self._ends.values()),
            endings=tuple(self._endings()),
            messages=dict(sorted(self._messages.items())),
            by_message=dict(self._by_message.most_common()),
            skipped=dict(self._skipped.most_common()),
            held=dict(self._held.most_common()),
            notices=self.notices,
            peaks=tuple(self._peak(journey, at) for journey, at in sorted(self._moments.items())),
            segments=dict(sorted(self._segments.items())),
            discounts=tuple(_liability(worth, those) for worth, those in sorted(self._discounts.items())),
            converted=self.converted,
            value=self.value,
            control=self.control,
        )

    def _endings(self) -> Iterator[Ending]:
        runs: Counter[str] = Counter()
        for (journey, _, _), days in self._ends.items():
            runs[journey] += len(days)
        ordered = sorted(self._ends.items(), key=lambda one: (one[0][0], -len(one[1]), one[0]))
        for (journey, kind, reason), days in ordered:
            middle, latest = (None, None) if kind == UNDER_WAY else (median(days), _most(days))
            yield Ending(journey, kind, reason, len(days), len(days) / runs[journey], middle, latest)

    def _peak(self, journey: str, moments: list[datetime]) -> Peak:
        throttle = self.plans[journey].throttle
        per = _length(throttle) if throttle else HOUR
        count, at = peak(moments, per)
        return Peak(journey, count, per, at, throttle.count if throttle else None)


def peak(moments: Iterable[datetime], per: timedelta) -> tuple[int, datetime | None]:
    """The most of these moments within any time of that length (its end not counted), and the first of them."""
    ordered = sorted(moments)
    most, at, first = 0, None, 0
    for number, moment in enumerate(ordered):
        while moment - ordered[first] >= per:
            first += 1
        if number - first + 1 > most:
            most, at = number - first + 1, ordered[first]
    return most, at


def _most(values: list[float]) -> float:
    """What nine of ten are not above."""
    return sorted(values)[-(-len(values) * 9 // 10) - 1]


def _length(limit: Limit) -> timedelta:
    return timedelta(days=limit.per.months * 30 + limit.per.days, seconds=limit.per.seconds)


def _liability(worth: str, those: list[Mapping[str, Any]]) -> Liability:
    amounts = [float(one["amount"]) for one in those if "amount" in one]
    currency = str(those[0].get("currency")) if amounts else None
    return Liability(worth, len(those), sum(amounts) if amounts else None, currency)
