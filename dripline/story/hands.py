"""What people have had to do with a lead, in words: who had it and why no longer, and what led to a conversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ENDS = {
    "reassigned": "somebody else was given the lead",
    "renewed": "was given the lead anew",
    "no-reaction": "did not react in time",
    "converted": "the lead became a customer",
    "lost": "the lead was lost",
    "merged": "the lead became one with another",
    "erased": "the lead was erased",
}

_HOW = {
    "named": "named by the journey",
    "by-hand": "by hand",
    "kept": "had the lead already",
    "fallback": "as the fallback",
    "no-reaction": "as nobody had reacted",
    "nobody": "nobody could be had",
}
"""Where it was not by a rule of the team; the rules are called what the workspace file calls them."""

_SOURCES = {
    "api": "over the API",
    "command": "on the command line",
    "order": "by an order",
    "import": "by an import",
}


def say_end(ended: str) -> str:
    """Why somebody does not look after a lead any more."""
    return _ENDS.get(ended, ended)


def say_how(how: str) -> str:
    """How it came about who was given a lead."""
    return _HOW.get(how, how)


def say_source(change: Any) -> str:
    """By whom a stage was changed: a journey, or the way by which it was said."""
    return f"by {change.journey}" if change.journey else _SOURCES.get(change.source, f"by {change.source}")


def say_way(one: Mapping[str, Any]) -> str:
    """Something on the way to a conversion, as the customer's card keeps it: `email welcome/hello, clicked`."""
    if one["what"] == "message":
        return f"{one['channel']} {one['template']}" + (", clicked" if one.get("clicked") else "")
    said = (one.get(name) for name in ("name", "journey", "channel", "source", "campaign"))
    return " ".join([one["what"], *dict.fromkeys(str(word) for word in said if word)])
