"""What must hold of the contents of a template, whichever step names it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

from dripline.language.look import Look
from dripline.language.markup import Markup, markup_of
from dripline.language.masking import FILLED, masked
from dripline.language.problems import Problem
from dripline.language.templates import TemplateFile

_SAFE = ("https:", "mailto:", "tel:", "sms:", "cid:", "data:", "#", FILLED)
SPAM_WORDS = (
    *("100% free", "act now", "buy now", "cash bonus", "click here", "do not delete", "double your"),
    *("earn money", "extra income", "free money", "guaranteed", "limited time", "make money", "no risk"),
    *(
        "once in a lifetime",
        "risk-free",
        "this is not spam",
        "urgent",
        "winner",
        "you have won",
        "!!!",
        "$$$",
    ),
    *("без риска", "бесплатно", "вы выиграли", "гарантированно", "легкие деньги", "только сегодня"),
    *("срочно", "это не спам"),
    *("առանց ռիսկի", "դուք շահել եք", "երաշխավորված", "միայն այսօր", "շտապե՛ք", "շտապեք"),
)
"""What filters of mailboxes look out for in subjects, as docs/language.md lists it."""

Contents = Callable[[TemplateFile, Markup], Iterator[Problem]]


def secure_links(file: TemplateFile, markup: Markup) -> Iterator[Problem]:
    """Every link, and the address of every image, begins with https (or mailto, tel, sms)."""
    for found in markup.found:
        if found.what != "link" or found.text.lower().startswith(_SAFE):
            continue
        shown = found.text.replace(FILLED, "…")[:60]
        message, hint = f"`{shown}` is no full address that begins with https", "write `https://…`"
        if found.text.lower().startswith("http:"):
            message, hint = (
                f"`{shown}` is not https",
                "write `https://`: mailboxes and browsers warn of the other",
            )
        yield _told(file, found.line, found.column, "not-https", message, hint)


def described_images(file: TemplateFile, markup: Markup) -> Iterator[Problem]:
    """Every image has an `alt`: what those read who do not see it, or whose mailbox blocks images."""
    for found in markup.found:
        if found.what == "image":
            message = "those who do not see this image are told nothing of it"
            hint = 'add `alt="…"`, or `alt=""` if it is only decoration'
            hint = "write `![what it shows](…)`" if file.source.markup == "md" else hint
            yield _told(file, found.line, found.column, "no-alt", message, hint)


def told_in_words(file: TemplateFile, markup: Markup) -> Iterator[Problem]:
    """Every e-mail says something in words: the text part is made of them, and images are often blocked."""
    if file.source.markup != "text" and not markup.words and file.source.body.strip():
        message, hint = (
            "this e-mail has no words, so its text part is empty",
            "say in words what the images show",
        )
        yield Problem(file.path, *first_words(file), "no-plain-text", "warning", message, hint)


def first_words(file: TemplateFile) -> tuple[int, int]:
    """Line and column of the first line of the body that holds more than comments."""
    lines = masked(file.source.body).split("\n")
    number = next((number for number, line in enumerate(lines) if line.strip()), 0)
    return file.first_line + number, 1


def calm_subjects(file: TemplateFile, _: Markup) -> Iterator[Problem]:
    """No subject has words that the filters of mailboxes look out for."""
    line, column = file.places.get("subject", (1, 1))
    for offset, word in spam_words(file.source.subject or ""):
        message, hint = _about(word)
        yield Problem(file.path, line, column + offset, "spam-words", "warning", message, hint)


def calm_own_subjects(look: Look) -> Iterator[Problem]:
    """No subject has words that the filters of mailboxes look out for."""
    for loc, channel, message in look.sent:
        if channel == "email":
            for offset, word in spam_words(message.subject or ""):
                told, hint = _about(word)
                yield look.draft.warning((*loc, "subject"), "spam-words", told, hint, offset=offset)


def _about(word: str) -> tuple[str, str]:
    return f"filters of mailboxes look out for `{word}` in a subject", "say it in other words"


def spam_words(subject: str) -> Iterator[tuple[int, str]]:
    """Where (from 0) words of the list stand in a subject, and which."""
    for match in _spam().finditer(masked(subject)):
        yield match.start(), match[0]


@lru_cache(maxsize=1)
def _spam() -> re.Pattern[str]:
    words = [re.escape(word) for word in sorted(SPAM_WORDS, key=len, reverse=True)]
    whole = [rf"\b{word}\b" if word[0].isalnum() else word for word in words]
    return re.compile("|".join(whole), re.IGNORECASE)


def _told(file: TemplateFile, line: int, column: int, code: str, message: str, hint: str) -> Problem:
    return Problem(file.path, file.first_line + line - 1, column, code, "warning", message, hint)


RULES_OF_CONTENTS: tuple[Contents, ...] = (secure_links, described_images, told_in_words, calm_subjects)
"""Every rule, in the order in which they are told."""


def check_contents(files: Iterable[TemplateFile]) -> list[Problem]:
    """What is wrong in the contents of templates that can be read."""
    problems: list[Problem] = []
    for file in files:
        markup = markup_of(file.source.markup, file.source.body)
        problems += [problem for rule in RULES_OF_CONTENTS for problem in rule(file, markup)]
    return problems
