"""Links that a message carries for its lead: what a template may ask for, and what it is called there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from dripline.language.values import Empty, EvaluationError

LINKS = "_links"
"""The name under which a rendering keeps who makes its links."""

STANDS_FOR = "https://links.example"
"""Where links lead that only show where one would be."""


@dataclass(frozen=True)
class AnswerLink:
    """Whoever follows it says this event of the lead."""

    event: str
    properties: Mapping[str, Any]
    """As JSON, not yet of the declared types."""


@dataclass(frozen=True)
class ConfirmLink:
    """Whoever follows it agrees, for the lead, to messages on the message's own channel."""


@dataclass(frozen=True)
class UnsubscribeLink:
    """Whoever follows it leaves, for the lead, the message's topic (its channel, if it has none)."""


@dataclass(frozen=True)
class PreferencesLink:
    """Whoever follows it sees what the lead gets, and may choose: topics by channel, a pause, nothing at all."""


@dataclass(frozen=True)
class SurveyLink:
    """Whoever follows it answers, for the lead, what the message asks; without an answer it leads to its page."""

    answer: str | None = None


@dataclass(frozen=True)
class LaterLink:
    """Whoever follows it names, for the lead, the day on which to come back to it; `product`: what it is about."""

    product: str | None = None


Link = LaterLink | SurveyLink | AnswerLink | ConfirmLink | UnsubscribeLink | PreferencesLink
MakeLink = Callable[[Link], str]
"""The address of a link of one message."""


LATER, ABOUT = "later_link", "product"
"""The link that names a day, and what may be said of it."""


class _Dynamic:
    """Stands for a value that only a message knows."""

    def __repr__(self) -> str:
        return "…"


DYNAMIC = _Dynamic()


@dataclass(frozen=True)
class LinkCall:
    """A link that a template asks for, and where. What is no constant in it is DYNAMIC."""

    name: str
    line: int
    column: int
    event: str | None = None
    properties: tuple[tuple[str, Any], ...] = ()
    reads: tuple[str, ...] = ()
    """The names that its properties read."""


@dataclass(frozen=True)
class LinkFunction:
    """What a template calls to get a link."""

    name: str

    def link(self, *args: Any, **properties: Any) -> Link:
        """The link that the call means. Raises EvaluationError for a value that a link cannot carry."""
        if self.name == "answer_link":
            return AnswerLink(args[0], {name: _carried(value) for name, value in properties.items()})
        if self.name == LATER:
            return LaterLink(str(_carried(properties[ABOUT])) if ABOUT in properties else None)
        return _WITHOUT_ARGUMENTS[self.name]


_WITHOUT_ARGUMENTS: Mapping[str, Link] = {
    "confirm_link": ConfirmLink(),
    "unsubscribe_link": UnsubscribeLink(),
    "preferences_link": PreferencesLink(),
}
FUNCTIONS = {name: LinkFunction(name) for name in ("answer_link", LATER, *_WITHOUT_ARGUMENTS)}
"""By the names that templates know them by."""


def stand_in(link: Link, at: str = STANDS_FOR) -> str:
    """A link to be looked at: it says what it stands for, leads nowhere, and is always the same."""
    if isinstance(link, AnswerLink):
        query = urlencode(sorted(link.properties.items()))
        return f"{at}/answer/{link.event}" + (f"?{query}" if query else "")
    if isinstance(link, LaterLink):
        return f"{at}/later" + (f"?{urlencode({ABOUT: link.product})}" if link.product else "")
    if isinstance(link, SurveyLink):
        return f"{at}/survey" + (f"?{urlencode({'answer': link.answer})}" if link.answer else "")
    name = next(name for name, one in _WITHOUT_ARGUMENTS.items() if one == link)
    return f"{at}/{name.removesuffix('_link')}"


def _carried(value: Any) -> Any:
    """A value as JSON."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_carried(item) for item in value]
    raise EvaluationError("empty-value" if value is Empty or value is None else "not-a-text")
