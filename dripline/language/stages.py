"""What a change of stage tells: that it changed, and that a lead has become a customer or is lost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

CUSTOMER = "customer"
"""The stage of whoever has bought."""
BEFORE_CUSTOMER = frozenset({"interest", "lead"})
"""The stages on the way there, as the docs name them."""
LOST = "lost"
"""The stage of whoever will not."""

CARD = ("external_id", "email", "phone", "locale", "timezone", "country")
"""Fields that every lead has and that its customer card begins with, beside the workspace's attributes."""
OF_THE_MOMENT = ("since", "owner", "order")
"""What a customer card says of how it came about: it cannot be written."""

Told = tuple[str, dict[str, Any]]
"""An event's name and its properties."""


def stage_events(
    before: str | None,
    after: str | None,
    *,
    reason: str | None = None,
    order: str | None = None,
    converted: bool = False,
) -> list[Told]:
    """The events that tell of the change, in order; none where there is none. `converted`: for the first time."""
    if before == after:
        return []
    told: list[Told] = [
        ("lead.stage_changed", _said({"before": before, "after": after, "reason": reason})),
    ]
    if converted:
        told.append(("lead.converted", _said({"order": order})))
    if after == LOST:
        told.append(("lead.lost", _said({"reason": reason})))
    return told


def first_card(lead: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of a customer at first: what its lead's card said. `own` are the workspace's attributes."""
    known = {name: lead.get(name) for name in CARD}
    return {name: value for name, value in {**own, **known}.items() if value not in (None, "")}


def still_empty(names: Collection[str], values: Mapping[str, Any]) -> list[str]:
    """Which of these fields a card does not say, in their order."""
    return [name for name in names if values.get(name) in (None, "", [], {})]


def readable_card(
    card: Mapping[str, Any], converted_at: datetime, owner: str | None, order: str | None
) -> dict[str, Any]:
    """The card as conditions read it: `lead.customer.since` is the moment of the conversion."""
    return {**card, **_said({"since": converted_at.isoformat(), "owner": owner, "order": order})}


def _said(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}
