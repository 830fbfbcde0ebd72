"""What follows from an event by the rules of the house, in the transaction that records it.

Each consequence is a function: it writes what the event means (an order, points, …) under the lead's lock, and says
which events of its own are to be told. They are told after the event itself, to whoever listens.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.ingest.interests import keep_interests
from dripline.ingest.membership.following import follow_event
from dripline.ingest.ordering import keep_orders, when
from dripline.ingest.reacting import show_reaction
from dripline.ingest.referring.purchases import follow_referrals
from dripline.ingest.scoring.following import score_event
from dripline.ingest.staging import become_customer
from dripline.ingest.surveys.telling import keep_answers
from dripline.language.rules import Rules
from dripline.store.events import Event
from dripline.store.leads import load_lead
from dripline.store.rules import current_rules


@dataclass(frozen=True)
class Cause:
    """An event that was kept for the first time, its lead (locked), and the rules that hold."""

    connection: Connection
    rules: Rules
    lead: Row[Any]
    event: Event
    machine_now: datetime


Consequence = Callable[[Cause], tuple[Event, ...]]
"""Writes what follows; the events that tell of it."""


def _orders(cause: Cause) -> tuple[Event, ...]:
    order = keep_orders(cause.connection, cause.rules, cause.event, cause.machine_now)
    rules = cause.rules.orders
    if order is None or rules is None or not rules.customer or cause.event.historical:
        return ()
    reference = cause.event.properties.get(rules.id.removeprefix("event."))
    return become_customer(cause.connection, cause.lead, str(reference), cause.event)


def _referrals(cause: Cause) -> tuple[Event, ...]:
    return follow_referrals(cause.connection, cause.rules, cause.lead, cause.event)


def _scores(cause: Cause) -> tuple[Event, ...]:
    return score_event(cause.connection, cause.rules, cause.lead, cause.event)


def _interests(cause: Cause) -> tuple[Event, ...]:
    keep_interests(cause.connection, cause.rules, cause.event)
    return ()


def _segments(cause: Cause) -> tuple[Event, ...]:
    return follow_event(cause.connection, cause.rules.segments, cause.lead, cause.event)


def _surveys(cause: Cause) -> tuple[Event, ...]:
    keep_answers(cause.connection, cause.lead, cause.event, when(cause.event))
    return ()


def _reactions(cause: Cause) -> tuple[Event, ...]:
    return show_reaction(cause.connection, cause.rules, cause.lead, cause.event)


CONSEQUENCES: tuple[Consequence, ...] = (
    _orders,
    _interests,
    _surveys,
    _referrals,
    _scores,
    _segments,
    _reactions,
)
"""In this order: what comes later may read what those before it wrote."""

_OF_THE_LEAD = frozenset({_orders, _scores, _segments})
"""Those that may change the lead's own row."""


def follow_up(
    connection: Connection, lead: Row[Any], event: Event, machine_now: datetime
) -> tuple[Row[Any], tuple[Event, ...]]:
    """Do all that follows from an event; the lead as it is then, and the events that tell of it.

    Also of what is `historical`: an order of last year is an order. Whether anybody is told, each decides.
    """
    rules = current_rules(connection)
    if event.name not in rules.heard:
        return lead, ()
    told: list[Event] = []
    for consequence in CONSEQUENCES:
        told += consequence(Cause(connection, rules, lead, event, machine_now))
        if consequence in _OF_THE_LEAD:
            lead = load_lead(connection, lead.id)
    return lead, tuple(told)
