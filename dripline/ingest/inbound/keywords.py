"""What whole messages of one word or two mean, in the languages that leads write."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Literal

Intent = Literal["stop", "start", "help", "automatic", "reply"]

# Twilio's own, https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
_TWILIO: Mapping[Intent, tuple[str, ...]] = {
    "stop": ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"),
    "start": ("start", "unstop"),
    "help": ("help", "info"),
}
AGREES = "yes"
"""Twilio takes it for `start`. Only from who has left does it mean that; else it answers something."""

_EN: Mapping[Intent, tuple[str, ...]] = {
    "stop": (*_TWILIO["stop"], "stop all", "opt out", "unsubscribe me", "remove me"),
    "start": (*_TWILIO["start"], "subscribe", "opt in", "optin"),
    "help": _TWILIO["help"],
}
_HY: Mapping[Intent, tuple[str, ...]] = {
    "stop": (
        "ստոպ",
        "դադարեցնել",
        "դադարեցրեք",
        "կանգ",
        "չեղարկել",
        "հրաժարվել",
        "հրաժարվում եմ",
        "բավական է",
    ),
    "start": ("ստարտ", "սկսել", "սկսեք", "միանալ", "բաժանորդագրվել"),
    "help": ("օգնություն", "տեղեկություն"),
}
_RU: Mapping[Intent, tuple[str, ...]] = {
    "stop": ("стоп", "отписаться", "отписка", "отпишите", "отпишите меня", "отмена", "отказ", "хватит"),
    "start": ("старт", "начать", "подписаться", "возобновить"),
    "help": ("помощь", "справка", "инфо"),
}
_AM: Mapping[Intent, tuple[str, ...]] = {
    "stop": ("አቁም", "አቁሙ", "ይቁም", "ሰርዝ", "ይሰረዝ"),
    "start": ("ጀምር", "ጀምሩ", "ይጀምር"),
    "help": ("እርዳታ", "መረጃ"),
}
_BY_LANGUAGE = {"en": _EN, "hy": _HY, "ru": _RU, "am": _AM}


def _plain(text: str) -> str:
    """Small letters with single spaces; punctuation, signs and emoji are as good as spaces."""
    folded = unicodedata.normalize("NFKC", text[:200]).casefold()
    kept = (one if unicodedata.category(one)[0] in "LMN" else " " for one in folded)
    return " ".join("".join(kept).split())


_MEANS: Mapping[str, tuple[Intent, str]] = {
    _plain(word): (intent, language)
    for language, intents in _BY_LANGUAGE.items()
    for intent, words in intents.items()
    for word in words
}


def intent_of(text: str) -> Intent | None:
    """What the message asks for, if all of it is a keyword."""
    return _MEANS[word][0] if (word := _plain(text)) in _MEANS else None


def language_of(text: str) -> str | None:
    """The language of the keyword, unless it is English: that is written by everybody."""
    found = _MEANS.get(_plain(text))
    return found[1] if found and found[1] != "en" else None


def agrees(text: str) -> bool:
    """Whether the whole message is a yes."""
    return _plain(text) == AGREES


def twilio_answers(text: str) -> bool:
    """Whether Twilio answers the keyword by itself, also without Advanced Opt-Out."""
    word = _plain(text)
    return any(word in words for intent, words in _TWILIO.items() if intent != "help") or word == AGREES
