"""Surveys in a turn: the message that asks is remembered, and only answers to it end the wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dripline.engine.calendar import add
from dripline.engine.effects import Event, Note, OpenSurvey
from dripline.engine.moving import Asking, Moving
from dripline.language.plan import MessageStep, WaitForStep

TOLD_APART = ("stage", "warmth", "grade", "locale", "country", "owner", "segments")
"""The fields of a lead by which results can be told apart, as they were when it was asked."""


def open_survey(run: Moving, step: MessageStep, message: str | None) -> Asking:
    """Remember that the step's survey was asked by that message; None: that it was not, since it was not sent."""
    if step.asks is None:
        return
    run.remember(_asked(step.asks.survey), message)
    if message is None:
        return
    yield OpenSurvey(
        message=message,
        step=step.id,
        visit=run.state.visits[step.id],
        survey=step.asks.survey,
        kind=run.plan.surveys[step.asks.survey].kind,
        at=run.at,
        closes_at=add(run.at, step.asks.within, run.where),
        about=told_apart(run.lead),
    )


def told_apart(lead: Mapping[str, Any]) -> dict[str, Any]:
    """Of a lead, what results are told apart by."""
    return {name: lead[name] for name in TOLD_APART if lead.get(name)}


def unasked(run: Moving, step: WaitForStep) -> Asking:
    """Go on at once where the survey was not asked: there is no answer to wait for."""
    yield Note(run.at, step.id, "survey-not-asked", {"survey": step.survey})
    run.go_to(step.otherwise)


def was_asked(run: Moving, step: WaitForStep) -> bool:
    """Whether there may be an answer. The control group waits as long as those who are asked."""
    return step.survey is None or run.state.variables.get(_asked(step.survey), "") is not None


def is_answer(run: Moving, step: WaitForStep, event: Event) -> bool:
    """Whether the event answers what the run asked last."""
    if step.survey is None:
        return True
    asked = run.state.variables.get(_asked(step.survey))
    return asked is not None and event.properties.get("message") == asked


def _asked(survey: str) -> str:
    """Under which name a run remembers the message that asked: one that no expression can read."""
    return f"@asked {survey}"


__all__ = ["TOLD_APART", "is_answer", "open_survey", "told_apart", "unasked", "was_asked"]
