"""A crowd's lives, all in one virtual time, so that they share what leads of a journey share: its throttle."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from dripline.composing import MessageContent
from dripline.language.plan import Plan
from dripline.language.templates import locale_for
from dripline.simulate.crowd import Crowd, lead_of
from dripline.simulate.forecast import Forecast, Tally
from dripline.simulate.life import Life
from dripline.simulate.playing import begin
from dripline.simulate.responding import Responding
from dripline.simulate.setting import Setting
from dripline.simulate.timeline import Entry, Letter
from dripline.simulate.world import written

_STEP = 0.01
Progress = Callable[[float], None]
"""Is told how much of the time has passed, from 0 to 1."""


def live_all(crowd: Crowd, progress: Progress = lambda _: None) -> Forecast:
    """Let every lead live until the crowd's last moment, and count."""
    slots: dict[str, datetime] = {}
    write = _Sparing()

    def born(number: int) -> Life:
        setting = lead_of(crowd, number)
        answers = Responding(crowd, str(setting.lead["id"]))
        life = begin(setting, answers.rested, slots, write)
        answers.bind(life)
        return life

    coming = ((crowd.enters(number), partial(born, number)) for number in range(crowd.count))
    return _live_together(coming, crowd.plans[crowd.journey], crowd.plans, crowd.start, crowd.until, progress)


def live_again(
    settings: Sequence[Setting], plan: Plan, plans: Mapping[str, Plan], until: datetime, progress: Progress
) -> Forecast:
    """Let leads live through what really happened to them, and count."""
    slots: dict[str, datetime] = {}
    write = _Sparing()
    ordered = sorted(settings, key=lambda one: one.start)
    coming = ((one.start, partial(begin, one, None, slots, write)) for one in ordered)
    start = ordered[0].start if ordered else until
    return _live_together(coming, plan, plans, start, until, progress)


def _live_together(
    coming: Iterator[tuple[datetime, Callable[[], Life]]],
    plan: Plan,
    plans: Mapping[str, Plan],
    start: datetime,
    until: datetime,
    progress: Progress,
) -> Forecast:
    """All lives in one time; each begins when it is its time, and is forgotten when it has been counted."""
    tally = Tally(plans, ZoneInfo(plan.timezone))
    living: list[tuple[datetime, int, Life]] = []
    born, told, next_one = 0, 0.0, next(coming, None)
    while next_one is not None or living:
        if next_one is not None and (not living or next_one[0] <= living[0][0]):
            life, number = next_one[1](), born
            life.state.timeline = _Deeds()
            born, next_one = born + 1, next(coming, None)
        else:
            moment, number, life = heapq.heappop(living)
            life.go_to(moment)
            if (passed := (moment - start) / (until - start)) - told > _STEP:
                told = passed
                progress(passed)
        again = life.next()
        if again is None or again > until:
            tally.close(life)
        else:
            heapq.heappush(living, (again, number, life))
    progress(1.0)
    return tally.forecast()


class _Deeds(list[Entry]):
    """A timeline that keeps what is counted in the end, and forgets the rest."""

    def append(self, entry: Entry) -> None:
        """Keep it, if it is a deed."""
        if entry.kind == "deed":
            super().append(entry)


class _Sparing:
    """Writes every SMS, for its length is counted, and an e-mail once for each step and language: can it be?"""

    def __init__(self) -> None:
        self._written: set[tuple[str, str, str]] = set()

    def __call__(
        self, plan: Plan, letter: Letter, lead: Mapping[str, Any], now: datetime
    ) -> MessageContent | None:
        sources = plan.templates.get(f"{letter.channel}:{letter.template}", {})
        locale = locale_for(lead.get("locale"), set(sources), plan.locale) or plan.locale
        key = (plan.journey, letter.step, locale)
        if letter.channel == "sms" or key not in self._written:
            content = written(plan, letter, lead, now)
            self._written.add(key)
            return content
        return MessageContent(locale, "", None, None, None, "")
