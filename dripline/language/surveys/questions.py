"""Surveys as plans keep them: what is asked, in every language, and what may be answered."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["nps", "csat", "reasons", "quiz"]

SCALES: Mapping[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5)}
"""The kinds whose answers are numbers: the least and the most of them."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Choice(_Frozen):
    """One thing that may be answered."""

    key: str
    label: dict[str, str] = {}
    """By language ("" for any); none: the key itself."""
    right: bool = False
    """Of a quiz."""


class Question(_Frozen):
    """What is asked, and the answers in their order."""

    id: str
    text: dict[str, str]
    choices: tuple[Choice, ...]

    @cached_property
    def by_key(self) -> dict[str, Choice]:
        """The answers by their keys."""
        return {choice.key: choice for choice in self.choices}


class Survey(_Frozen):
    """What one survey asks. A quiz has one question or more, every other kind just one."""

    kind: Kind
    questions: tuple[Question, ...]
    low: dict[str, str] = {}
    """What the lowest number means; none: nothing is said of it."""
    high: dict[str, str] = {}
    comment: dict[str, str] = {}
    """What is asked besides, to be answered in words; none: nothing is."""
    thanks: dict[str, str] = {}
    confirm: bool = False
    """Whether a click counts only once the lead has pressed the button of the page."""

    @property
    def first(self) -> Question:
        """The question that stands in the message."""
        return self.questions[0]

    @property
    def one_click(self) -> bool:
        """Whether following a link says all that there is to say."""
        return len(self.questions) == 1 and not self.confirm


__all__ = ["SCALES", "Choice", "Kind", "Question", "Survey"]
