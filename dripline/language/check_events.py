"""The events that a journey names: declared, and, of those that tell what becomes of messages, able to come."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.compile import unless_events
from dripline.language.expressions import compile_expression
from dripline.language.look import Look
from dripline.language.model import Journey
from dripline.language.naming import every_step
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.steps import WaitForStep
from dripline.language.tracking import NEEDS, SAYS_WHICH, channel_of


def declared_events(look: Look) -> Iterator[Problem]:
    """Every event that a journey names is declared in dripline.yaml, or is built in."""
    known = look.workspace.events
    for loc, names in _named_events(look.journey):
        for number, name in enumerate(names):
            if name not in known:
                hint = did_you_mean(name, known) or "declare it under `events` in dripline.yaml"
                yield look.draft.problem(
                    (*loc, number), "unknown-event", f"no event `{name}` is declared", hint
                )


def tracked_events(look: Look) -> Iterator[Problem]:
    """Opens and clicks that a journey names are wanted: `tracking` in dripline.yaml says that they are kept."""
    rules = look.workspace.tracking
    for loc, names in _named_events(look.journey):
        for number, name in enumerate(names):
            key = NEEDS.get(name)
            if key is not None and (rules is None or getattr(rules, key) is False):
                message = f"`{name}` never comes: dripline.yaml does not say that it may be told"
                hint = f"write `tracking: {{{key}: true}}` there, or `asked` for leads who agreed"
                yield look.draft.problem((*loc, number), "not-tracked", message, hint)


def sure_signs(look: Look) -> Iterator[Problem]:
    """No journey turns on whether an e-mail was opened: of many readers nobody can tell.

    About half of all readers have their pictures fetched by machines, which do not count, or see none. Whoever has
    not opened, as far as is known, may have read every word. A click is a sign.
    """
    for loc, names in _named_events(look.journey):
        if "email.opened" in names:
            message = "many who read an e-mail are never known to have opened it"
            hint = "wait for `email.clicked`, or let nothing depend on it that a reader would mind"
            yield look.draft.warning(loc, "unsure-opens", message, hint)


def sent_before(look: Look) -> Iterator[Problem]:
    """A wait for what becomes of a message stands in a journey that sends one which can have that fate.

    Unless its `when` says which message it means (`event.journey`, `event.template` …), it means the run's own last
    one. Opens and clicks of `transactional` messages are never kept.
    """
    sent = {channel for _, channel, _ in look.draft.messages()}
    marketing = {channel for _, channel, message in look.draft.messages() if not message.transactional}
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, WaitForStep) or _says_which(step.filter):
            continue
        for name in step.wait_for.event:
            channel = channel_of(name)
            if channel is not None and channel not in (marketing if name in NEEDS else sent):
                word = "message" if channel not in sent else "message that is not transactional"
                told = f"`{name}` never comes: the journey sends no {channel} {word}"
                hint = "send one before it, or say in `when` which it is: `event.journey == '…'`"
                yield look.draft.warning((*loc, "wait_for"), "never-emitted", told, hint)


def own_goals(look: Look) -> Iterator[Problem]:
    """A goal that is about a message says which: else those of all other journeys count as well."""
    goal = look.journey.goal
    if goal is not None and any(channel_of(name) for name in goal.event) and not _says_which(goal.when):
        name = look.journey.journey
        yield look.draft.warning(
            ("goal", "event"),
            "any-message",
            "this counts whatever message it is about, those of other journeys too",
            f"write `when: \"event.journey == '{name}'\"`, or which `event.template` it is",
        )


def _says_which(when: str | None) -> bool:
    return when is not None and not SAYS_WHICH.isdisjoint(compile_expression(when).names)


def _named_events(journey: Journey) -> Iterator[tuple[Loc, tuple[str, ...]]]:
    yield ("trigger", "event"), journey.trigger.event
    if journey.goal is not None:
        yield ("goal", "event"), journey.goal.event
    for number, exit_ in enumerate(journey.exit):
        yield ("exit", number, "event"), exit_.event
    for loc, step in every_step(journey.steps):
        if isinstance(step, WaitForStep):
            yield (*loc, "wait_for", "event"), step.wait_for.event
        yield (*loc, "remind", "unless"), unless_events(step)


__all__ = ["declared_events", "own_goals", "sent_before", "sure_signs", "tracked_events"]
