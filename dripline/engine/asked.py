"""What the message that asks a survey reads of it, as `survey`."""

from __future__ import annotations

from typing import Any

from dripline.language.links import MakeLink, SurveyLink
from dripline.language.plan import MessageStep, Plan
from dripline.language.spoken import in_language


def survey_scope(plan: Plan, step: MessageStep, locale: str | None, links: MakeLink) -> dict[str, Any]:
    """The survey in the lead's language, each answer with the link that gives it; empty where the message asks none."""
    if step.asks is None:
        return {}
    survey = plan.surveys[step.asks.survey]
    wanted = [locale, plan.locale]
    said = {
        name: in_language(words, wanted) if words else ""
        for name, words in (("low", survey.low), ("high", survey.high), ("comment", survey.comment))
    }
    answers = [
        {
            "answer": choice.key,
            "label": in_language(choice.label, wanted) if choice.label else choice.key,
            "number": number,
            "link": links(SurveyLink(choice.key)),
        }
        for number, choice in enumerate(survey.first.choices, 1)
    ]
    question = in_language(survey.first.text, wanted)
    return {
        "survey": {
            "name": step.asks.survey,
            "question": question,
            "answers": answers,
            "page": links(SurveyLink()),
            **said,
        }
    }


__all__ = ["survey_scope"]
