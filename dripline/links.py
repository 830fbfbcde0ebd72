"""The addresses of links in messages: each holds what it means, signed, so that nobody can make or change one.

A token has ids only: the message, and for an answer the event with its properties; never an address. It is good
for whoever has it, like the message that it came in.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from itsdangerous import BadData, Signer, URLSafeSerializer

from dripline.language.links import (
    AnswerLink,
    ConfirmLink,
    LaterLink,
    Link,
    MakeLink,
    PreferencesLink,
    SurveyLink,
    UnsubscribeLink,
)
from dripline.language.values import EvaluationError

PATH = "/l/"
"""Where the web process answers them."""

FRIENDS = "/r/"
"""Where links lead that leads give to their friends: they hold a code, and no signature, as people may type them."""

EXAMPLE = "example"
"""In the place of a token: a link that only shows where a lead would have one."""

MAX_TOKEN = 1_000
"""Characters; a longer address is broken by some mail programs."""

_SALT = b"dripline.links"
_ANSWER, _CONFIRM, _UNSUBSCRIBE, _PREFERENCES, _SURVEY, _LATER = "a", "c", "u", "p", "s", "d"


@dataclass(frozen=True)
class Claim:
    """What a genuine token says."""

    message: str
    """The id of the message that the link came in."""
    link: Link
    made_at: datetime | None
    """Machine time; None for links that never grow old."""

    @cached_property
    def id(self) -> str:
        """The same for the same link of the same message, whenever it was made."""
        said = json.dumps(_said(self.message, self.link), sort_keys=True, ensure_ascii=False)
        return f"link-{hashlib.sha256(said.encode()).hexdigest()[:40]}"


class Links:
    """Makes and reads the links of an installation. `secret` is the house's, `public_url` leads to its web process."""

    def __init__(self, secret: str, public_url: str = "") -> None:
        self._at = public_url.rstrip("/") + PATH
        self._serializer = URLSafeSerializer(
            secret,
            salt=_SALT,
            signer=_StrictSigner,
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )

    def of(self, message: str, now: datetime) -> MakeLink:
        """Makes the links of one message. `now` is machine time. Raises EvaluationError for one that is too long."""

        def make(link: Link) -> str:
            token = str(self._serializer.dumps([*_said(message, link), *_age(link, now)]))
            if len(token) > MAX_TOKEN:
                raise EvaluationError("link-too-long")
            return self._at + token

        return make

    def read(self, token: str) -> Claim | None:
        """What the token says; None unless this installation has made it, just as it stands."""
        if len(token) > MAX_TOKEN:
            return None
        try:
            return _claim(self._serializer.loads(token))
        except (BadData, ValueError):
            return None


class _StrictSigner(Signer):
    """Compares signatures as texts: Base64 writes one signature in several ways, and no letter may be changed."""

    def verify_signature(self, value: str | bytes, sig: str | bytes) -> bool:
        given = sig.encode() if isinstance(sig, str) else sig
        return hmac.compare_digest(given, self.get_signature(value))


def friends_link(public_url: str, code: str) -> str:
    """The address that a lead gives to its friends; with `.png` or `.svg` behind it, the same as a picture to scan."""
    return f"{public_url.rstrip('/')}{FRIENDS}{code}"


def _said(message: str, link: Link) -> list[Any]:
    if isinstance(link, AnswerLink):
        return [_ANSWER, message, link.event, dict(link.properties)]
    if isinstance(link, SurveyLink):
        return [_SURVEY, message, link.answer or ""]
    if isinstance(link, LaterLink):
        return [_LATER, message, link.product or ""]
    if isinstance(link, PreferencesLink):
        return [_PREFERENCES, message]
    return [_CONFIRM if isinstance(link, ConfirmLink) else _UNSUBSCRIBE, message]


def _age(link: Link, now: datetime) -> list[int]:
    """Whoever wants to leave may do so however late: those links have no age, and are always the same."""
    return [] if isinstance(link, UnsubscribeLink | PreferencesLink) else [int(now.timestamp())]


def _claim(said: Any) -> Claim:
    match said:
        case [str(kind), str(message), str(event), dict(properties), int(made)] if kind == _ANSWER:
            return Claim(message, AnswerLink(event, properties), datetime.fromtimestamp(made, UTC))
        case [str(kind), str(message), int(made)] if kind == _CONFIRM:
            return Claim(message, ConfirmLink(), datetime.fromtimestamp(made, UTC))
        case [str(kind), str(message), str(answer), int(made)] if kind == _SURVEY:
            return Claim(message, SurveyLink(answer or None), datetime.fromtimestamp(made, UTC))
        case [str(kind), str(message), str(product), int(made)] if kind == _LATER:
            return Claim(message, LaterLink(product or None), datetime.fromtimestamp(made, UTC))
        case [str(kind), str(message)] if kind == _UNSUBSCRIBE:
            return Claim(message, UnsubscribeLink(), None)
        case [str(kind), str(message)] if kind == _PREFERENCES:
            return Claim(message, PreferencesLink(), None)
    raise ValueError("a token of another release")


__all__ = ["EXAMPLE", "FRIENDS", "MAX_TOKEN", "PATH", "Claim", "Links", "friends_link"]
