"""What each step does, in a sentence or two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import assert_never
from urllib.parse import urlsplit

from dripline.engine.about import says_which
from dripline.explaining.conditions import say_condition, say_value
from dripline.explaining.phrases import Phrases
from dripline.explaining.wording import (
    either,
    only,
    say_events,
    say_length,
    say_moment,
    say_sum,
    say_worth,
)
from dripline.language.plan import (
    AssignStep,
    BranchStep,
    CallStep,
    DelayStep,
    DelayUntilStep,
    DiscountStep,
    Duration,
    EnrollStep,
    LeadValue,
    MessageStep,
    NotifyStep,
    Otherwise,
    Plan,
    Reached,
    ReferralStep,
    RemindStep,
    RepeatStep,
    SetStep,
    SplitStep,
    Step,
    StopStep,
    TaskStep,
    UnenrollStep,
    UpdateStep,
    WaitForStep,
    WebhookStep,
)
from dripline.language.spoken import in_language
from dripline.language.tracking import channel_of

_FILLED_IN = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


class Steps:
    """Says the steps of a plan. `locale` is whose subjects are quoted."""

    def __init__(self, plan: Plan, phrases: Phrases, locale: str) -> None:
        self._plan = plan
        self._phrases = phrases
        self._locale = locale

    def say(self, step: Step) -> str:
        """Everything but the ways that lead on from it."""
        said = " ".join(self._sentences(step))
        if not step.condition:
            return said
        condition = say_condition(step.condition, self._phrases)
        return self._phrases.condition.format(condition=condition) + said[:1].lower() + said[1:]

    def _sentences(self, step: Step) -> Iterator[str]:
        words = self._phrases
        match step:
            case MessageStep():
                yield from self._message(step)
            case DelayStep():
                yield words.delay.format(duration=say_length(step.duration, words))
            case DelayUntilStep():
                yield words.until.format(moment=say_moment(step.moment, words))
                yield from self._rules(step)
            case WaitForStep():
                yield from self._wait(step)
            case BranchStep():
                yield words.branch
            case SplitStep():
                yield words.split
            case RepeatStep():
                duration = say_length(step.every, words)
                yield words.repeat.format(duration=duration, end=self._end(step))
            case SetStep():
                if step.values and not step.included:
                    yield words.remembers.format(names=words.comma.join(step.values))
                if step.survey is not None:
                    yield words.survey.format(question=self._question(step.survey))
                elif step.included:
                    yield words.block.format(name=step.included)
            case UpdateStep():
                yield words.changes.format(changes=words.comma.join(self._changes(step)))
            case EnrollStep():
                yield words.enrolls.format(journey=step.journey)
            case UnenrollStep():
                yield words.unenrolls.format(journey=step.journey)
            case StopStep():
                yield words.stops.format(reason=step.reason)
            case WebhookStep():
                yield words.asks.format(host=urlsplit(step.url).netloc or step.url)
            case CallStep():
                yield words.calls.format(function=step.function)
            case DiscountStep():
                more = "".join(f"{words.comma}{part}" for part in self._of_discount(step))
                yield words.discount.format(worth=say_worth(step, words), more=more)
            case ReferralStep():
                yield words.refers.format(program=step.program)
            case AssignStep():
                yield from self._assign(step)
            case TaskStep():
                yield self._task(step)
            case NotifyStep():
                yield words.notifies.format(to=words.owner if step.to == "owner" else step.to)
            case RemindStep():
                yield self._reminder(step)
            case _:
                assert_never(step)

    def _message(self, step: MessageStep) -> Iterator[str]:
        words = self._phrases
        if step.channel == "sms":
            yield words.sms.format(template=step.template)
        else:
            subject = self._subject(step)
            form = words.email_titled if subject else words.email
            yield form.format(template=step.template, subject=subject)
        if step.transactional:
            yield words.transactional
        if step.expires:
            yield words.expires.format(duration=say_length(step.expires, words))

    def _subject(self, step: MessageStep) -> str:
        """What the subject says whoever reads it; what is filled in is left out."""
        sources = self._plan.templates.get(f"{step.channel}:{step.template}", {})
        source = sources.get(self._locale) or sources.get(self._plan.locale)
        subject = step.subject or (source.subject if source else None) or ""
        return re.sub(r"[\s,…]*…[\s…]*", "… ", _FILLED_IN.sub("…", subject)).strip()

    def _question(self, survey: str) -> str:
        asked = self._plan.surveys.get(survey)
        return in_language(asked.first.text, [self._locale, self._plan.locale]) if asked else survey

    def _rules(self, step: DelayUntilStep) -> Iterator[str]:
        words = self._phrases
        if step.moment.date is None:
            return
        yield words.no_date.format(rule=self._rule(step.if_missing))
        yield words.is_past.format(rule=self._rule(step.if_past))

    def _rule(self, rule: Otherwise) -> str:
        words = self._phrases
        if rule.do == "skip":
            return words.skips_to.format(step=rule.to)
        return words.ends if rule.do == "exit" else words.goes_on

    def _wait(self, step: WaitForStep) -> Iterator[str]:
        words = self._phrases
        length = words.for_ever
        if step.timeout is not None:
            length = words.at_most.format(duration=say_length(step.timeout, words))
        elif step.until is not None:
            length = words.at_most_until.format(moment=say_moment(step.until, words))
        if step.survey is not None:
            yield words.awaits_answer.format(length=length.strip(" ,՝"))
            return
        yield words.wait.format(events=say_events(step.on, words), only=only(step.on, words), length=length)
        if any(channel_of(name) for name in step.on.events) and not says_which(step.on):
            yield words.of_last
        match step.since:
            case "now":
                yield words.since_now
            case "start":
                yield words.since_start
            case Reached():
                yield words.since_step.format(step=step.since.step)
            case Duration():
                yield words.since_ago.format(duration=say_length(step.since, words, within=True))

    def _end(self, step: RepeatStep) -> str:
        words = self._phrases
        ends = [words.times.format(times=step.times)] if step.times is not None else []
        if step.until is not None:
            ends.append(words.until_holds.format(condition=say_condition(step.until, words)))
        return words.either.format(one=ends[0], other=ends[1]) if len(ends) > 1 else "".join(ends)

    def _changes(self, step: UpdateStep) -> Iterator[str]:
        words = self._phrases
        named = {"stage": step.stage, "score": step.score_set, **step.attributes}
        for name, value in named.items():
            if value is not None:
                yield self._becomes(name, value)
        if step.score_add is not None:
            yield words.adds_to_score.format(value=self._worth(step.score_add))
        if step.tags_add:
            yield words.adds_tags.format(tags=words.comma.join(step.tags_add))
        if step.tags_remove:
            yield words.removes_tags.format(tags=words.comma.join(step.tags_remove))

    def _becomes(self, name: str, value: LeadValue) -> str:
        words = self._phrases
        field = words.fields.get(name, name.replace("_", " "))
        if value.expression is None and value.value is None:
            return words.takes_away.format(field=field)
        return words.sets.format(field=field, value=self._worth(value))

    def _worth(self, value: LeadValue) -> str:
        if value.expression is not None:
            return say_value(value.expression, self._phrases)
        worth = value.value
        return f"{worth:g}" if isinstance(worth, float) else str(worth)

    def _assign(self, step: AssignStep) -> Iterator[str]:
        words, team = self._phrases, self._plan.teams.get(step.to)
        by = words.assigns_by[step.by or team.by] if team else ""
        yield words.assigns.format(to=step.to, by=by)
        if team is None:
            return
        if step.keep_owner:
            yield words.keeps_owner
        react = step.react or team.react
        if react is not None:
            yield words.reacts.format(duration=say_length(react, words, within=True))

    def _task(self, step: TaskStep) -> str:
        words = self._phrases
        to = words.owner if step.to == "owner" else step.to
        due = words.task_due.format(duration=say_length(step.due, words, within=True)) if step.due else ""
        then = words.task_then.format(to=step.escalate_to) if step.escalate_to else ""
        title = re.sub(r"\s*…\s*", " … ", _FILLED_IN.sub("…", step.title)).strip()
        return words.gives_task.format(to=to, title=title, due=due, then=then)

    def _of_discount(self, step: DiscountStep) -> Iterator[str]:
        words = self._phrases
        if step.valid is not None:
            yield words.valid.format(duration=say_length(step.valid, words))
        if step.min_order is not None and step.currency is not None:
            yield words.min_order.format(amount=say_sum(step.min_order, step.currency))
        if step.most is not None and step.currency is not None:
            yield words.most.format(amount=say_sum(step.most, step.currency))
        if step.code is not None:
            yield words.shared_code.format(code=step.code)
        if step.pool is not None:
            yield (words.of_pool if step.if_empty == "skip" else words.of_pool_or_own).format(pool=step.pool)
        if step.shop is not None:
            yield (words.of_shop if step.if_failing == "skip" else words.of_shop_or_own).format(
                shop=step.shop
            )
        if step.budget is not None:
            yield words.of_budget.format(budget=step.budget)
        if step.once_per == "lead":
            yield words.once_ever

    def _reminder(self, step: RemindStep) -> str:
        words = self._phrases
        to = ""
        if step.until is not None:
            to = words.to_that_day.format(date=say_value(step.until, words))
        elif step.period is not None:
            to = words.for_so_long.format(duration=say_length(step.period, words))
        unless = words.unless.format(events=either(step.unless.events, words)) if step.unless else ""
        every = say_length(step.every, words, within=True)
        return words.reminds.format(about=step.about, every=every, to=to, unless=unless)
