"""The audience of a journey that begins by the calendar: a segment that there is, or a condition over the lead."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.check_segments import wrong_audience
from dripline.language.expressions import compile_expression
from dripline.language.look import Look
from dripline.language.problems import Problem
from dripline.language.segments import is_name


def known_audience(look: Look) -> Iterator[Problem]:
    """The audience of a trigger is a segment of dripline.yaml, or a condition over the lead alone."""
    audience = look.journey.trigger.audience
    if audience is None:
        return
    wrong = wrong_audience(look.workspace, audience)
    if wrong is not None:
        offset, code, message, hint = wrong
        yield look.draft.problem(("trigger", "audience"), code, message, hint, offset=offset)
    elif not is_name(audience) and not _asks(audience):
        message = "this audience asks nothing of the lead"
        hint = "write a condition like `lead.stage == 'lost'`, or a segment's name"
        yield look.draft.problem(("trigger", "audience"), "wrong-value", message, hint)


def _asks(condition: str) -> bool:
    return any(path.startswith("lead.") for path in compile_expression(condition).names)
