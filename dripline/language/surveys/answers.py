"""What an answer to a survey means: its score, the group that it puts the lead into, and what a reply says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from dripline.language.surveys.questions import SCALES, Question, Survey

ANSWERED, COMMENTED = "survey.answered", "survey.commented"
"""The events that tell of answers, and of words that came after one."""

MOST_LETTERS = 2_000
"""Characters of a comment that are kept."""

_NUMBER = re.compile(r"(\d{1,2})(?!\d|[.,:]\d)(?:\s*/\s*(\d{1,2})(?!\d))?", re.ASCII)
_WORD = re.compile(r"[\w-]+")


@dataclass(frozen=True)
class Answer:
    """What was answered."""

    answer: str
    """The number, the reason's key; of a quiz, how many of how many were right: `3/4`."""
    score: float | None = None
    """The number; of a quiz, the percentage that was right."""
    group: str | None = None
    """promoter, passive or detractor; satisfied, neutral or dissatisfied."""
    answers: Mapping[str, str] | None = None
    """Of a quiz, by question."""


def of_choice(survey: Survey, key: str) -> Answer | None:
    """What that choice of the only question means; None for what is no choice, or does not say it all."""
    if survey.kind == "quiz":
        return of_quiz(survey, {survey.first.id: key})
    if key not in survey.first.by_key:
        return None
    if survey.kind in SCALES:
        score = int(key)
        return Answer(key, score, group_of(survey.kind, score))
    return Answer(key)


def of_quiz(survey: Survey, said: Mapping[str, str]) -> Answer | None:
    """What the answers to all questions come to; None where one is missing, or is no choice."""
    right = 0
    for question in survey.questions:
        choice = question.by_key.get(said.get(question.id, ""))
        if choice is None:
            return None
        right += choice.right
    count = len(survey.questions)
    chosen = {question.id: said[question.id] for question in survey.questions}
    return Answer(f"{right}/{count}", round(100 * right / count, 1), None, chosen)


def group_of(kind: str, score: float) -> str | None:
    """The group of that score: Net Promoter Score's three (Reichheld 2003), or a satisfaction's three."""
    if kind == "nps":
        return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
    if kind == "csat":
        return "satisfied" if score >= 4 else "neutral" if score >= 3 else "dissatisfied"
    return None


def of_reply(survey: Survey, text: str) -> tuple[Answer, str | None] | None:
    """What a reply in words answers, and what it adds; None where it answers nothing.

    It has to begin with the answer: a number of the scale, the number of a reason, its key or its words.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    key, rest = _begins(survey, plain)
    answer = of_choice(survey, key) if key is not None and survey.kind != "quiz" else None
    if answer is None:
        return None
    rest = rest.strip(" \t\r\n.,;:!?-–—)՝։")
    return answer, rest[:MOST_LETTERS] or None


def _begins(survey: Survey, text: str) -> tuple[str | None, str]:
    number = _NUMBER.match(text)
    if number is not None:
        said, of = int(number[1]), number[2]
        key = _numbered(survey, said, int(of) if of else None)
        return key, text[number.end() :]
    return _worded(survey.first, text, keys=survey.kind not in SCALES)


def _numbered(survey: Survey, said: int, of: int | None) -> str | None:
    """`9`, `9/10`; of reasons, the how manieth."""
    scale = SCALES.get(survey.kind)
    if scale is not None:
        return str(said) if scale[0] <= said <= scale[1] and of in (None, scale[1]) else None
    choices = survey.first.choices
    return choices[said - 1].key if of is None and 1 <= said <= len(choices) else None


def _worded(question: Question, text: str, *, keys: bool) -> tuple[str | None, str]:
    folded = text.casefold()
    for choice in question.choices:
        known = {*choice.label.values(), *([choice.key] if keys else [])}
        for words in sorted(known, key=len, reverse=True):
            plain = unicodedata.normalize("NFKC", words).casefold()
            after = folded[len(plain) : len(plain) + 1]
            if folded.startswith(plain) and not _WORD.match(after):
                return choice.key, text[len(plain) :]
    return None, text


def properties(
    name: str, survey: Survey, answer: Answer, via: str, comment: str | None, message: str | None
) -> dict[str, object]:
    """What `survey.answered` and `survey.commented` say."""
    said = {
        "survey": name,
        "kind": survey.kind,
        "answer": answer.answer,
        "score": answer.score,
        "group": answer.group,
        "answers": dict(answer.answers) if answer.answers else None,
        "comment": comment,
        "via": via,
        "message": message,
    }
    return {key: value for key, value in said.items() if value is not None}


__all__ = [
    "ANSWERED",
    "COMMENTED",
    "MOST_LETTERS",
    "Answer",
    "group_of",
    "of_choice",
    "of_quiz",
    "of_reply",
    "properties",
]
