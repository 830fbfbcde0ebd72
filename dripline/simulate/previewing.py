"""A template as leads will see it: filled with what a scenario of the journey really puts into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dripline.composing import MessageContent, compose
from dripline.language.plan import Plan
from dripline.language.project import Project
from dripline.language.workspace import Workspace
from dripline.rendering import RenderError
from dripline.simulate.life import Life
from dripline.simulate.playing import begin
from dripline.simulate.setting import set_up
from dripline.simulate.timeline import Letter


@dataclass(frozen=True)
class Sample:
    """One message of a scenario, which can be written again for others."""

    journey: str
    scenario: str
    plan: Plan
    letter: Letter
    lead: Mapping[str, Any]
    at: datetime

    @property
    def locales(self) -> list[str]:
        """The languages that the template is written in, the workspace's first."""
        written = self.plan.templates[f"{self.letter.channel}:{self.letter.template}"]
        return sorted(written, key=lambda locale: (locale != self.plan.locale, locale))

    def written(self, locale: str, lead: Mapping[str, Any] | None = None) -> MessageContent:
        """The message in that language, to the scenario's lead or another one. Raises RenderError."""
        letter = self.letter
        reader = {**(lead or self.lead), "locale": locale}
        notice = letter.to is not None and locale == self.plan.locale
        return compose(
            self.plan, letter.step, letter.channel, letter.template, letter.context, reader, self.at, notice
        )


@dataclass(frozen=True)
class Previewed:
    """A message in one language; `content` None: it cannot be written, and `problem` is why."""

    locale: str
    content: MessageContent | None
    problem: str | None = None


def samples(project: Project, workspace: Workspace, template: str) -> Iterator[Sample]:
    """The first message of each journey and channel that is made from the template in any of its scenarios."""
    seen: set[tuple[str, str]] = set()
    for journey, file in sorted(project.scenarios.items()):
        if journey not in project.plans or not uses(project.plans[journey], template):
            continue
        for scenario in file.scenarios:
            if any(name not in project.plans for name in scenario.with_):
                continue
            setting = set_up(scenario, journey, project.plans, workspace)
            life = begin(setting)
            life.live(setting.until)
            for letter in _made_from(life, template):
                if (letter.journey, letter.channel) not in seen:
                    seen.add((letter.journey, letter.channel))
                    plan = project.plans[letter.journey]
                    yield Sample(letter.journey, scenario.scenario, plan, letter, life.state.lead, letter.at)


def uses(plan: Plan, template: str) -> bool:
    """Whether the journey has a message made from that template."""
    return any(key.partition(":")[2] == template for key in plan.templates)


def previews(
    sample: Sample, locales: list[str], lead: Mapping[str, Any] | None = None
) -> Iterator[Previewed]:
    """The message in each of these languages."""
    for locale in locales:
        try:
            yield Previewed(locale, sample.written(locale, lead))
        except RenderError as problem:
            yield Previewed(locale, None, problem.code)


def _made_from(life: Life, template: str) -> Iterator[Letter]:
    for letter in life.letters:
        if letter.template == template and letter.fate != "skipped":
            yield letter
