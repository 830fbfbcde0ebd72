"""What a lead agreed to and took back, in words: when, how, and by what proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from dripline.store.consents import consent_history

_CHANNELS = {"email": "e-mail", "sms": "SMS"}
_DID = {
    "granted": "agrees to {what}",
    "denied": "says no to {what}",
    "pending": "was asked to confirm {what}",
    "withdrawn": "says neither yes nor no to {what} any more",
}
_OF_ITSELF = {
    "resumed": "wants messages again",
    "tracked": "may be tracked: what it opens and clicks is kept",
    "untracked": "does not want it kept what it opens and clicks",
    "unsaid": "leaves it to the workspace whether it is kept what it opens and clicks",
}
_BY = {
    "link": "by a link of a message",
    "page": "on its own page",
    "provider": "told by the provider",
    "import": "from a file",
    "form": "by a form",
    "sms": "by SMS",
    "email": "by e-mail",
    "merge": "by a merge",
    "command": "by command",
}


@dataclass(frozen=True)
class Agreed:
    """One line of the log. `at` is house time."""

    at: datetime
    text: str
    how: str
    proof: Mapping[str, Any]


def tell_consent(connection: Connection, lead_id: str) -> list[Agreed]:
    """Everything that the lead agreed to and took back, oldest first."""
    return [
        Agreed(row.at, _text(row), _BY.get(row.source, f"by {row.source}"), row.proof)
        for row in consent_history(connection, lead_id)
    ]


def say_proof(proof: Mapping[str, Any]) -> str:
    """What shows it, on one line: `message 4f…, wording “Yes”`. Hashes are for machines to compare."""
    return ", ".join(f"{name} {value}" for name, value in proof.items() if not name.endswith("_hash"))


def _text(row: Any) -> str:
    if row.state == "paused":
        return f"wants to be left in peace until {str(row.proof.get('until'))[:10]}"
    if row.state in _OF_ITSELF:
        return _OF_ITSELF[row.state]
    channel = _CHANNELS.get(row.channel, row.channel)
    what = channel if row.topic is None else f"the topic {row.topic}"
    if row.topic is not None and channel:
        what += f" by {channel}"
    return _DID[row.state].format(what=what)
