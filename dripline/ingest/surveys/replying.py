"""Answers by replies to text messages."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from dripline.ingest.recording import record
from dripline.language.surveys.answers import ANSWERED, of_reply, properties
from dripline.store.events import Event
from dripline.store.plans import load_plan
from dripline.store.surveys import unanswered


def answer_by_reply(
    connection: Connection, lead: str, text: str, now: datetime, machine_now: datetime
) -> bool:
    """Take a reply for the answer to the survey that a text message asked last, if it is one. The lead is locked."""
    for row in unanswered(connection, lead):
        if row.channel != "sms" or (row.closes_at is not None and row.closes_at <= now):
            continue
        survey = load_plan(connection, row.plan_hash).surveys.get(row.survey)
        found = of_reply(survey, text) if survey is not None else None
        if survey is None or found is None:
            return False  # it answers something else
        answer, comment = found
        told = properties(row.survey, survey, answer, "sms", comment, row.id)
        record(connection, Event(f"{row.id}.answered", lead, ANSWERED, told, now), machine_now)
        return True
    return False


__all__ = ["answer_by_reply"]
