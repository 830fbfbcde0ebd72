"""What must hold of times: hours that open, dates that may be missing, steps that are skipped to."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.expressions import compile_expression
from dripline.language.look import Look
from dripline.language.naming import every_step, step_ids
from dripline.language.plan import Hours, Reached
from dripline.language.policies import minutes_of
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.steps import DelayUntilStep, WaitForStep


def open_hours(look: Look) -> Iterator[Problem]:
    """Quiet hours leave something of the window in which messages may go."""
    defaults = look.journey.messages
    workspace = look.workspace.quiet_hours
    quiet = workspace if defaults.quiet_hours is None else defaults.quiet_hours
    if _never(quiet, defaults.window):
        yield _closed(look, ("messages", "window"))
    for loc, _, message in look.draft.messages():
        free = message.transactional
        own_quiet = message.quiet_hours or (None if free else quiet)
        own_window = message.window or (None if free else defaults.window)
        said = next((key for key in ("window", "quiet_hours") if getattr(message, key) is not None), None)
        if said is not None and _never(own_quiet, own_window):
            yield _closed(look, (*loc, said))


def _never(quiet: Hours | str | None, window: tuple[Hours, ...] | str | None) -> bool:
    if not isinstance(quiet, Hours) or not isinstance(window, tuple):
        return False
    return minutes_of(window) <= minutes_of((quiet,))


def _closed(look: Look, loc: Loc) -> Problem:
    message = "no message could ever go: the window lies within the quiet hours"
    return look.draft.problem(loc, "never-open", message, "change one of the two, or write `none`")


def waits_for_places(look: Look) -> Iterator[Problem]:
    """Where it is said what to do over the limit, there is a limit."""
    defaults = look.journey.messages
    limited = [defaults.limit, *(message.limit for _, _, message in look.draft.messages())]
    if defaults.on_limit is not None and not any(limited):
        yield _unlimited(look, ("messages", "on_limit"))
    for loc, _, message in look.draft.messages():
        limit = message.limit or (None if message.transactional else defaults.limit)
        if message.on_limit is not None and limit is None:
            yield _unlimited(look, (*loc, "on_limit"))


def _unlimited(look: Look, loc: Loc) -> Problem:
    return look.draft.problem(
        loc, "no-limit", "there is no `limit` that could be reached", "add a `limit`, or remove this"
    )


def dated_waits(look: Look) -> Iterator[Problem]:
    """A wait for a date of the lead says what to do where the date is missing, and where it is past."""
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, DelayUntilStep) or not _reads_attribute(look, step):
            continue
        for key, what in (("if_missing", "is not known"), ("if_past", "is past")):
            if getattr(step.delay_until, key) is None:
                yield look.draft.problem(
                    (*loc, "delay_until"),
                    f"no-{key.replace('_', '-')}",
                    f"a lead may come here whose date {what}",
                    f"add `{key}: continue`, `{key}: exit` or `{key}: {{skip: STEP-ID}}`",
                )


def _reads_attribute(look: Look, step: DelayUntilStep) -> bool:
    source = step.delay_until.expression
    names = compile_expression(source).names if source else frozenset()
    parts = [name.split(".") for name in names]
    return any(p[0] == "lead" and (len(p) == 1 or p[1] in look.workspace.attributes) for p in parts)


def steps_counted_from(look: Look) -> Iterator[Problem]:
    """A step since which a wait counts events is there, and comes before the wait."""
    ids = step_ids(look.journey.steps)
    order = [ids[loc] for loc, _ in every_step(look.journey.steps)]
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, WaitForStep) or not isinstance(step.counts_since, Reached):
            continue
        where = (*loc, "since") if step.since is not None else (*loc, "wait_for", "since")
        wanted = step.counts_since.step
        if wanted not in order:
            hint = (
                did_you_mean(wanted, [*order, "now", "start"]) or "give the step an `id`, and write it here"
            )
            yield look.draft.problem(where, "unknown-step", f"no step has the id `{wanted}`", hint)
        elif order.index(wanted) >= order.index(ids[loc]):
            hint = "count from a step before it, from `now`, or from `start`"
            yield look.draft.problem(where, "not-earlier", f"`{wanted}` does not come before this wait", hint)


def later_steps(look: Look) -> Iterator[Problem]:
    """A step that is skipped to is there, and comes later."""
    ids = step_ids(look.journey.steps)
    order = [ids[loc] for loc, _ in every_step(look.journey.steps)]
    for loc, step in every_step(look.journey.steps):
        if not isinstance(step, DelayUntilStep):
            continue
        for key in ("if_missing", "if_past"):
            rule = getattr(step.delay_until, key)
            if rule is None or rule.to is None:
                continue
            where = (*loc, "delay_until", key)
            if rule.to not in order:
                hint = did_you_mean(rule.to, order) or "give the step an `id`, and write it here"
                yield look.draft.problem(where, "unknown-step", f"no step has the id `{rule.to}`", hint)
            elif order.index(rule.to) <= order.index(ids[loc]):
                yield look.draft.problem(
                    where, "not-later", f"`{rule.to}` comes before this step", "skip to a step behind it"
                )
