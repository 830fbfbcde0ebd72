"""What a lead has, name by name: for telling what a row changed, and whether it still is so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dripline.store.leads import COLUMNS

_PLAIN = (*COLUMNS, "first_touch", "last_touch")
_GROUPS = ("consent", "topics", "attributes")


def marks(lead: Mapping[str, Any]) -> dict[str, Any]:
    """The lead's own values (`email`, `attributes.seats`, `consent.sms`, …), without those that it lacks."""
    found = {name: lead.get(name) for name in _PLAIN}
    found |= {"score": lead.get("score") or None, "tags": list(lead.get("tags") or []) or None}
    for group in _GROUPS:
        found |= {f"{group}.{name}": value for name, value in (lead.get(group) or {}).items()}
    return {name: value for name, value in found.items() if value is not None}


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is different: as it was, and as it is; None where there was, or is, nothing."""
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}
