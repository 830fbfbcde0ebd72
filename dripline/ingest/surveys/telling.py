"""What `survey.answered` and `survey.commented` mean for the store, whoever tells of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.engine.surveying import told_apart
from dripline.ingest.refusal import FieldError, invalid
from dripline.language.surveys.answers import (
    ANSWERED,
    COMMENTED,
    MOST_LETTERS,
    Answer,
    of_choice,
    of_quiz,
    properties,
)
from dripline.language.surveys.questions import Survey
from dripline.store import surveys
from dripline.store.events import Event
from dripline.store.leads import facts
from dripline.store.messages import load_message
from dripline.store.plans import load_plan
from dripline.store.rules import current_rules


def says_no_message(event: Event) -> bool:
    """Whether it answers a survey, and does not say which message asked."""
    return event.name == ANSWERED and "message" not in event.properties


def about_a_survey(connection: Connection, event: Event) -> Event:
    """The answer with all that follows from it: its score and group, and the message that asked last, if one did.

    For other systems, which know the survey and the answer alone. Where nobody knows such a survey the event stays
    as it is. Raises Refused (422) for an answer that the survey does not have.
    """
    said = event.properties
    name, survey, message = _asked(connection, event)
    if name is None or survey is None:
        return event
    answer = read_answer(survey, said)
    if answer is None:
        keys = ", ".join(survey.first.by_key)
        hint = "answers all questions" if survey.kind == "quiz" else f"is one of {keys}"
        raise invalid([FieldError("properties.answer", f"{hint}, of the survey {name}")])
    comment = str(said["comment"])[:MOST_LETTERS] if said.get("comment") else None
    told = properties(name, survey, answer, str(said.get("via") or "api"), comment, message)
    return replace(event, properties={**said, **told})


def _asked(connection: Connection, event: Event) -> tuple[str | None, Survey | None, str | None]:
    """The survey that the lead was asked last (of that name, if it says one), and by which message."""
    wanted = event.properties.get("survey")
    if not event.historical:
        for row in surveys.unanswered(connection, event.lead_id):
            if wanted in (None, row.survey):
                return row.survey, load_plan(connection, row.plan_hash).surveys.get(row.survey), row.id
    return wanted, current_rules(connection).surveys.get(wanted or ""), None


def read_answer(survey: Survey, said: Any) -> Answer | None:
    """What the properties of an event answer."""
    if survey.kind == "quiz" and isinstance(said.get("answers"), dict):
        return of_quiz(survey, {str(key): str(value) for key, value in said["answers"].items()})
    return of_choice(survey, str(said.get("answer", "")))


def keep_answers(connection: Connection, lead: Row[Any], event: Event, at: datetime) -> None:
    """Write down what the event answers. The lead is locked. An answer of somebody else's is none."""
    said = event.properties
    if event.name not in (ANSWERED, COMMENTED):
        return
    message = said.get("message")
    row = surveys.lock_ask(connection, str(message)) if message else None
    if row is not None and row.lead_id != lead.id:
        return
    if event.name == COMMENTED:
        if row is not None and said.get("comment"):
            surveys.keep_comment(connection, row.id, str(said["comment"]))
        return
    if not _fits(connection, row, said):
        return
    told = {key: said.get(key) for key in ("answer", "score", "answers", "via")}
    told["comment"] = said.get("comment") or None
    if row is not None:
        surveys.keep_answer(connection, row.id, at, **told)
    elif message is None:
        key = hashlib.sha256(f"survey {event.id}".encode()).hexdigest()[:32]
        about = told_apart(facts(lead))
        of = {"survey": said["survey"], "kind": said["kind"], "about": about}
        surveys.keep_unasked(connection, key, lead.id, at, **of, **told)


def _fits(connection: Connection, row: Row[Any] | None, said: Mapping[str, Any]) -> bool:
    """Whether it is an answer that the survey has. Anything else stays an event, and is counted nowhere."""
    if row is None:
        survey = current_rules(connection).surveys.get(str(said.get("survey")))
    else:
        message = load_message(connection, row.id)
        plan = load_plan(connection, message.plan_hash) if message is not None else None
        survey = plan.surveys.get(row.survey) if plan is not None else None
    answer = read_answer(survey, said) if survey is not None else None
    if survey is None or answer is None or (row is None and said.get("kind") != survey.kind):
        return False
    return (said.get("answer"), said.get("score")) == (answer.answer, answer.score)


__all__ = ["about_a_survey", "keep_answers", "read_answer", "says_no_message"]
