"""A crowd's lives, all in one virtual time, so that they share what leads of a journey share: its throttle."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from datetime import datetime
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

Progress = Callable[[float], None]
"""Is told how much of the time has passed, from 0 to 1."""


def live_all(crowd: Crowd, progress: Progress = lambda _: None) -> Forecast:
    """Let every lead live until the crowd's last moment, and count."""
    tally = Tally(crowd.plans, ZoneInfo(crowd.plans[crowd.journey].timezone))
    slots: dict[str, datetime] = {}
    write = _Sparing()
    living: list[tuple[datetime, int, Life]] = []
    born, told, whole = 0, 0.0, crowd.until - crowd.start
    while born < crowd.count or living:
        while born < crowd.count and (not living or crowd.enters(born) <= living[0][0]):
            life = _life(crowd, lead_of(crowd, born), slots, write)
            _go_on(crowd, life, born, living, tally)
            born += 1
        if not living:
            continue
        moment, number, life = heapq.heappop(living)
        life.go_to(moment)
        _go_on(crowd, life, number, living, tally)
        passed = (moment - crowd.start) / whole
        if passed - told > 0.01:
            told = passed
            progress(passed)
    progress(1.0)
    return tally.forecast()


def _go_on(
    crowd: Crowd, life: Life, number: int, living: list[tuple[datetime, int, Life]], tally: Tally
) -> None:
    moment = life.next()
    if moment is None or moment > crowd.until:
        tally.close(life)
    else:
        heapq.heappush(living, (moment, number, life))


def _life(crowd: Crowd, setting: Setting, slots: dict[str, datetime], write: _Sparing) -> Life:
    answers = Responding(crowd, str(setting.lead["id"]))
    life = begin(setting, answers.rested, slots, write)
    life.state.timeline = _Deeds()
    answers.bind(life)
    return life


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
