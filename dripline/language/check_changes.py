"""Rules of the steps that change something, go round, or divide the leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dripline.language.changing import EnrollStep, UnenrollStep, UpdateStep, expression_in
from dripline.language.fields import FieldType, coerce_value
from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.plan import Duration
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.steps import RepeatStep, SplitStep


def whole_splits(look: Look) -> Iterator[Problem]:
    """The percents of a split sum to 100, and each of its ways has a name of its own."""
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, SplitStep):
            continue
        total = round(sum(arm.percent for arm in step.split), 6)
        if total != 100:
            yield look.draft.problem(
                (*loc, "split"),
                "percents",
                f"the percents of this split sum to {total:g}",
                "make them sum to 100",
                key=True,
            )
        names = Counter(arm.name for arm in step.split)
        for number, arm in enumerate(step.split):
            if names[arm.name] > 1:
                yield look.draft.problem(
                    (*loc, "split", number, "name"),
                    "duplicate-name",
                    f"two ways are called `{arm.name}`",
                    "give each its own name",
                )


def ending_loops(look: Look) -> Iterator[Problem]:
    """A loop has an end, and waits between two passes."""
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, RepeatStep):
            continue
        if step.repeat.times is None and step.repeat.until is None:
            yield look.draft.problem(
                (*loc, "repeat"),
                "endless-loop",
                "this loop has no end",
                "add `times: 3`, or `until` with a condition",
                key=True,
            )
        if step.repeat.every == Duration():
            yield look.draft.problem(
                (*loc, "repeat", "every"), "out-of-range", "this loop does not wait", "write `1 day` or so"
            )


def known_changes(look: Look) -> Iterator[Problem]:
    """An update changes what leads have, to values of the declared types."""
    types = look.workspace.attributes
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, UpdateStep):
            continue
        at = (*loc, "update")
        said = step.update
        if said == type(said)():
            yield look.draft.problem(
                at, "wrong-value", "nothing is changed here", "write `stage`, `score`, `tags` or an attribute"
            )
        if said.stage_reason is not None and said.stage is None:
            message, hint = "`stage_reason` says why, but not of what", "add `stage`"
            yield look.draft.problem((*at, "stage_reason"), "missing-key", message, hint, key=True)
        if said.score is not None:
            for key, value in (("add", said.score.add), ("set", said.score.set_)):
                yield from _fits(look, (*at, "score", key), value, "number")
        for name, given in said.attributes.items():
            if name not in types:
                hint = did_you_mean(name, {*types, "stage", "stage_reason", "score", "tags"})
                hint = hint or "declare it under `attributes` in dripline.yaml"
                yield look.draft.problem(
                    (*at, name), "unknown-attribute", f"leads have no `{name}` to change", hint, key=True
                )
            else:
                yield from _fits(look, (*at, name), given, types[name])


def _fits(look: Look, loc: Loc, value: str | tuple[str, ...] | None, kind: FieldType) -> Iterator[Problem]:
    if value is None or (isinstance(value, str) and expression_in(value) is not None):
        return
    try:
        coerce_value(list(value) if isinstance(value, tuple) else value, kind, look.workspace.zone)
    except ValueError as error:
        yield look.draft.problem(
            loc, "wrong-value", f"this {error}", "write such a value, or `{{ an expression }}`"
        )


def known_journeys(look: Look) -> Iterator[Problem]:
    """A lead enters or leaves another journey, one that there is."""
    for loc, step in every_step(look.journey.steps):
        if isinstance(step, EnrollStep):
            key, name = "enroll", step.enroll
        elif isinstance(step, UnenrollStep):
            key, name = "unenroll", step.unenroll
        else:
            continue
        if name == look.journey.journey:
            hint = "name another journey" if key == "enroll" else "write `- stop: REASON`"
            message = f"this is the journey itself: it cannot {key} itself"
            yield look.draft.problem((*loc, key), "wrong-value", message, hint)
        elif name not in look.journeys:
            hint = did_you_mean(name, look.journeys) or "look at the names of the files in journeys/"
            yield look.draft.problem((*loc, key), "unknown-journey", f"there is no journey `{name}`", hint)


def known_key(look: Look) -> Iterator[Problem]:
    """The key of a trigger is a property of each of its events."""
    key = look.journey.trigger.key
    if key is None:
        return
    name = key.removeprefix("event.")
    for event in look.journey.trigger.event:
        has = look.workspace.events.get(event)
        if has is not None and name not in has:
            hint = did_you_mean(name, has, "event.{}") or f"declare it under `{event}` in dripline.yaml"
            yield look.draft.problem(
                ("trigger", "key"), "unknown-property", f"`{event}` has no `{name}`", hint
            )


def known_date(look: Look) -> Iterator[Problem]:
    """The date of a trigger is an attribute of leads, and a date or a moment."""
    date = look.journey.trigger.date
    if date is None:
        return
    name = date.removeprefix("lead.")
    kind = look.workspace.attributes.get(name)
    if kind is None:
        dates = [one for one, type_ in look.workspace.attributes.items() if type_ in ("date", "datetime")]
        hint = did_you_mean(name, dates, "lead.{}") or "declare it under `attributes` in dripline.yaml"
        yield look.draft.problem(
            ("trigger", "date"), "unknown-attribute", f"leads have no date `{name}`", hint
        )
    elif kind not in ("date", "datetime"):
        message = f"`{date}` is no date but of type {kind}"
        yield look.draft.problem(
            ("trigger", "date"), "wrong-type", message, "declare it as `date` in dripline.yaml"
        )
