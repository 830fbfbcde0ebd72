"""Keys: a journey that has one goes on for each value of it by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from dripline.engine.effects import Event
from dripline.language.plan import Plan

_LONGEST = 200


def key_of(plan: Plan, properties: Mapping[str, Any]) -> str | None:
    """The value of the journey's key among an event's properties, as a text; None where there is none."""
    value = properties.get(plan.trigger.key) if plan.trigger.key else None
    if value is None:
        return None
    text = str(value)
    return text if len(text) <= _LONGEST else hashlib.sha256(text.encode()).hexdigest()


def of_another_key(plan: Plan, trigger: Event | None, event: Event) -> bool:
    """Whether the event is about another value of the key than the one that the run entered by."""
    mine = key_of(plan, trigger.properties) if trigger else None
    theirs = key_of(plan, event.properties)
    return mine is not None and theirs is not None and mine != theirs
