"""Which names of a run a step needs, and which it gives."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from dripline.language.expressions import ExpressionError, compile_expression
from dripline.language.plan import (
    BranchStep,
    CallStep,
    DelayUntilStep,
    EventFilter,
    MessageStep,
    NotifyStep,
    Plan,
    RemindStep,
    RepeatStep,
    SetStep,
    Step,
    UpdateStep,
    WaitForStep,
    WebhookStep,
)
from dripline.language.template_grammar import TemplateError, TemplateSandbox
from dripline.language.texts import reads, split_secrets, texts_of

_ALWAYS = frozenset({"lead", "trigger", "event", "journey", "now", "today"})
_SANDBOX = TemplateSandbox()


def gives(step: Step) -> frozenset[str]:
    """The names that the step sets."""
    if isinstance(step, SetStep):
        return frozenset(step.values)
    return frozenset({step.result} if step.result else ())


def needs(plan: Plan, step: Step) -> frozenset[str]:
    """The names of the run that must be set before the step: what only asks whether they are is left out."""
    found: set[str] = set()
    for source in _expressions(step):
        found |= _of_expression(source)
    for text in _texts(step):
        found |= _of_text(text)
    for text in _templates(plan, step):
        found |= _of_template(text) - ({"survey"} if isinstance(step, MessageStep) and step.asks else set())
    return frozenset(found - _ALWAYS)


def _expressions(step: Step) -> Iterator[str]:
    found: list[str | None] = [step.condition]
    if isinstance(step, BranchStep):
        found += [arm.when for arm in step.arms]
    elif isinstance(step, DelayUntilStep):
        found.append(step.moment.date)
    elif isinstance(step, WaitForStep):
        found += [_filter(step.on), step.until.date if step.until else None]
    elif isinstance(step, RemindStep):
        found += [step.until, _filter(step.unless)]
    elif isinstance(step, RepeatStep):
        found.append(step.until)
    elif isinstance(step, SetStep):
        found += step.values.values()
    elif isinstance(step, UpdateStep):
        values = [step.stage, step.score_add, step.score_set, *step.attributes.values()]
        found += [value.expression for value in values if value]
    return (source for source in found if source is not None)


def _filter(on: EventFilter | None) -> str | None:
    return on.when if on else None


def _texts(step: Step) -> Iterator[str]:
    if isinstance(step, WebhookStep):
        yield step.url
        for header in step.headers.values():
            yield from (piece for kind, piece in split_secrets(header) if kind == "text")
        yield from (text for _, text in texts_of(step.body))
    elif isinstance(step, CallStep):
        yield from (text for _, text in texts_of(step.arguments))


def _templates(plan: Plan, step: Step) -> Iterator[str]:
    if not isinstance(step, MessageStep | NotifyStep):
        return
    if step.subject:
        yield step.subject
    for channel in ("email", "sms"):
        if isinstance(step, MessageStep) and step.channel != channel:
            continue
        for source in plan.templates.get(f"{channel}:{step.template}", {}).values():
            yield from (text for text in (source.subject, source.preheader, source.body) if text)


@lru_cache(maxsize=4_096)
def _of_expression(source: str) -> frozenset[str]:
    try:
        expression = compile_expression(source)
    except ExpressionError:
        return frozenset()
    return frozenset(path.split(".")[0] for path in expression.names - expression.guarded)


@lru_cache(maxsize=1_024)
def _of_text(text: str) -> frozenset[str]:
    try:
        return frozenset(read.path.split(".")[0] for read in reads(text) if not read.guarded)
    except (TemplateError, ExpressionError):
        return frozenset()


@lru_cache(maxsize=1_024)
def _of_template(text: str) -> frozenset[str]:
    try:
        found = _SANDBOX.read(text)[1]
    except (TemplateError, ExpressionError):  # it was checked when it was published
        return frozenset()
    return frozenset(read.path.split(".")[0] for read in found if not read.guarded)
