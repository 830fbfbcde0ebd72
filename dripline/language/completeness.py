"""Whether a lead is one: a person who can be reached. A company's switchboard is no lead.

The rules, which docs/language.md has in words: a **person** is known by a name, or by an address that is nobody
else's; a **contact** is an e-mail address of a person, a mobile number, or a landline of somebody known by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dripline.language.addresses import email_kind, meant_domain, phone_kind

LACKING = {"person": "somebody known by name", "contact": "a way to reach that person"}
"""What a lead may lack, with the words for it."""

NAMES = ("first_name", "last_name", "name", "full_name")
"""Attributes that name a person, where the workspace declares them."""


def lacks(lead: Mapping[str, Any]) -> list[str]:
    """What the lead needs to be one: any of `person` and `contact`. `lead` is as conditions see it."""
    email, phone = lead.get("email"), lead.get("phone")
    number = phone_kind(phone) if phone else None
    named = any(isinstance(lead.get(name), str) and lead[name].strip() for name in NAMES)
    own = bool(email and email_kind(email) == "personal") or number == "personal"
    missing = [] if named or own else ["person"]
    return missing if own or (named and number == "landline") else [*missing, "contact"]


def doubts(lead: Mapping[str, Any]) -> dict[str, str]:
    """By field, what speaks against the lead's address and number, in words and without repeating them."""
    found = {}
    email, phone = lead.get("email"), lead.get("phone")
    if email:
        words = {
            "mistyped": f"has a mistyped domain: did you mean {meant_domain(email)}?",
            "disposable": "is one of those that are thrown away after a few minutes",
            "role": "belongs to a role, not to a person",
        }
        found["email"] = words.get(email_kind(email), "")
    if phone:
        words = {
            "invalid": "is of no range that its country has given out",
            "switchboard": "is a company's (toll-free, shared cost, premium): no person's",
            "landline": "is a landline: it takes no SMS",
        }
        found["phone"] = words.get(phone_kind(phone), "")
    return {field: told for field, told in found.items() if told}
