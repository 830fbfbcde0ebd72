"""The page of a survey: the answer that was clicked, the others, and room for words. It works without scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment

from dripline.ingest.surveys.clicking import Asked, Said
from dripline.language.spoken import in_language
from dripline.language.surveys.answers import MOST_LETTERS
from dripline.web.public import ROBOTS, Reader
from dripline.web.survey_words import SURVEYS

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
PICK = "pick"
"""What the script sends of itself: the answer that was clicked, which counts later."""


def is_pick(form: Mapping[str, list[str]]) -> bool:
    """Whether a script told of a click, and nobody has pressed the button."""
    return form.get("do") == [PICK]


def picked(asked: Asked, form: Mapping[str, list[str]]) -> str:
    """The answer that a script told of."""
    return form.get(f"q-{asked.survey.first.id}", [""])[0]


def read_said(asked: Asked, form: Mapping[str, list[str]]) -> Said:
    """What the page sent."""
    answers = {
        question.id: form[f"q-{question.id}"][0]
        for question in asked.survey.questions
        if form.get(f"q-{question.id}")
    }
    return Said(answers, form.get("comment", [""])[0][: 2 * MOST_LETTERS] or None)


def render_survey(
    templates: Environment,
    asked: Asked,
    reader: Reader,
    clicked: str | None,
    said: Said | None = None,
) -> str:
    """The page; `clicked` is the link's own answer, `said` what was sent just now."""
    survey, wanted = asked.survey, [asked.locale, reader.language]
    chosen = dict(said.answers) if said else {}
    if clicked is not None:
        chosen.setdefault(survey.first.id, clicked)

    def words(spoken: Mapping[str, str]) -> str:
        return in_language(spoken, wanted) if spoken else ""

    questions: list[dict[str, Any]] = [
        {
            "id": question.id,
            "text": words(question.text),
            "choices": [
                {
                    "key": choice.key,
                    "label": words(choice.label) or choice.key,
                    "chosen": chosen.get(question.id) == choice.key,
                }
                for choice in question.choices
            ],
        }
        for question in survey.questions
    ]
    return templates.get_template("survey.html").render(
        words=SURVEYS[reader.language],
        language=reader.language,
        sender=reader.sender,
        robots=ROBOTS,
        questions=questions,
        is_scale=all(not choice.label for choice in survey.first.choices),
        low=words(survey.low),
        high=words(survey.high),
        comment=words(survey.comment),
        thanks=words(survey.thanks),
        answered=asked.answer is not None,
        may_comment=bool(survey.comment) and not (asked.answer is not None and asked.commented),
        lacking=said is not None and asked.answer is None,
        said_comment=(said.comment or "") if said else "",
        picks=asked.answer is None and clicked is not None and survey.one_click and said is None,
        most=MOST_LETTERS,
        pick=PICK,
    )


__all__ = ["PICK", "POLICY", "is_pick", "picked", "read_said", "render_survey"]
