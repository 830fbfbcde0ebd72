"""Surveys as the workspace file says them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from dripline.language.kinds import Flag
from dripline.language.load import Written, wrong
from dripline.language.spoken import ANY, Spoken
from dripline.language.surveys.questions import SCALES, Choice, Kind, Question, Survey

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def _key(value: str) -> str:
    if not _KEY.fullmatch(value):
        raise wrong("bad-id", f"`{value}` is no id", "write small letters, digits and `-`: `too-expensive`")
    return value


Key = Annotated[str, AfterValidator(_key)]
"""By what an answer, a question or a survey is known."""


class QuizQuestion(Written):
    """One question of a quiz."""

    question: Spoken = Field(description="What is asked: one text, or one for each language.")
    answers: Annotated[dict[Key, Spoken], Field(min_length=2, max_length=12)] = Field(
        description="What may be answered: each answer's key, and its words."
    )
    right: Key = Field(description="The key of the right answer.")

    @model_validator(mode="after")
    def _one_is_right(self) -> QuizQuestion:
        if self.right not in self.answers:
            raise wrong(
                "unknown-answer", f"there is no answer `{self.right}`", "name one of its keys", key="right"
            )
        return self


class SurveyEntry(Written):
    """What is asked of leads, and what they may answer."""

    kind: Kind = Field(
        description="`nps` (0 to 10: would they recommend you), `csat` (1 to 5: are they content), `reasons`"
        " (one of several), `quiz`."
    )
    question: Spoken | None = Field(None, description="What is asked: one text, or one for each language.")
    answers: Annotated[dict[Key, Spoken], Field(min_length=2, max_length=12)] | None = Field(
        None, description="Of `reasons`: each one's key, and its words. Of `csat`: the words for 1 to 5."
    )
    questions: Annotated[dict[Key, QuizQuestion], Field(min_length=1, max_length=20)] | None = Field(
        None, description="Of a `quiz`: the questions, each by a name."
    )
    low: Spoken | None = Field(None, description="What the lowest number means, like `not at all likely`.")
    high: Spoken | None = Field(None, description="What the highest number means, like `very likely`.")
    comment: Spoken | None = Field(
        None, description="What the page asks besides, to be answered in words; without it, nothing."
    )
    thanks: Spoken | None = Field(None, description="What the page says afterwards; without it, a thank you.")
    confirm: Flag = Field(
        False, description="Whether a click counts only once the lead has pressed the button of the page."
    )

    @model_validator(mode="after")
    def _whole(self) -> SurveyEntry:
        if self.kind == "quiz":
            self._need("questions", "a quiz asks `questions`", "answers", "question")
        else:
            self._need("question", "it is not said what is asked", "questions")
        if self.kind == "reasons" and self.answers is None:
            raise wrong("missing-key", "it is not said what may be answered", "add `answers`")
        if self.kind == "nps" and self.answers is not None:
            raise wrong(
                "unknown-key", "an NPS is answered by a number from 0 to 10", "remove it", key="answers"
            )
        if self.kind == "csat" and self.answers is not None and set(self.answers) != set("12345"):
            hint = "give the words for `1` to `5`"
            raise wrong("wrong-value", "these are not the numbers from 1 to 5", hint, key="answers")
        return self

    def _need(self, key: str, message: str, *other: str) -> None:
        if getattr(self, key) is None:
            raise wrong("missing-key", message, f"add `{key}`")
        for name in other:
            if getattr(self, name) is not None:
                raise wrong(
                    "unknown-key", f"a survey of kind {self.kind} has no `{name}`", "remove it", key=name
                )

    def compiled(self) -> Survey:
        """The same as plans keep it."""
        return Survey(
            kind=self.kind,
            questions=tuple(self._questions()),
            low=self.low or {},
            high=self.high or {},
            comment=self.comment or {},
            thanks=self.thanks or {},
            confirm=self.confirm,
        )

    def _questions(self) -> list[Question]:
        if self.questions is not None:
            return [
                Question(
                    id=name,
                    text=one.question,
                    choices=tuple(
                        Choice(key=key, label=words, right=key == one.right)
                        for key, words in one.answers.items()
                    ),
                )
                for name, one in self.questions.items()
            ]
        answers = self.answers or {}
        if self.kind in SCALES:
            low, high = SCALES[self.kind]
            keys = [str(number) for number in range(low, high + 1)]
        else:
            keys = list(answers)
        choices = tuple(Choice(key=key, label=answers.get(key, {})) for key in keys)
        return [Question(id="answer", text=self.question or {ANY: ""}, choices=choices)]

    @property
    def spoken(self) -> list[tuple[str, Spoken]]:
        """Every text of it, by where it stands."""
        found = [(key, getattr(self, key)) for key in ("question", "low", "high", "comment", "thanks")]
        found += [(f"answers.{key}", words) for key, words in (self.answers or {}).items()]
        for name, one in (self.questions or {}).items():
            found.append((f"questions.{name}", one.question))
            found += [(f"questions.{name}.{key}", words) for key, words in one.answers.items()]
        return [(where, words) for where, words in found if words]


__all__ = ["Key", "QuizQuestion", "SurveyEntry"]
