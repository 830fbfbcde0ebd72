"""Whether surveys can be asked, understood and answered."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.spoken import ANY
from dripline.language.steps import EmailStep, SmsStep, SurveyStep

_ANSWERS = ("survey.answers", "survey.page")


def known_surveys(look: Look) -> Iterator[Problem]:
    """A survey is declared in dripline.yaml, says everything in every language, and fits the channel that asks it."""
    for loc, step in _surveys(look):
        entry = look.workspace.surveys.get(step.survey.ask)
        here = (*loc, "survey", "ask")
        if entry is None:
            hint = did_you_mean(step.survey.ask, look.workspace.surveys)
            hint = hint or "declare it under `surveys` in dripline.yaml"
            yield look.draft.problem(here, "unknown-survey", f"there is no survey `{step.survey.ask}`", hint)
            continue
        for where, spoken in entry.spoken:
            lacking = [tag for tag in look.workspace.locales if ANY not in spoken and tag not in spoken]
            if lacking:
                message = f"the survey `{step.survey.ask}` does not say its `{where}` in {listed(lacking)}"
                yield look.draft.problem(here, "missing-locale", message, "add it in dripline.yaml")
        if entry.kind == "quiz" and any(isinstance(one, SmsStep) for _, one in _messages(loc, step)):
            message = "a quiz cannot be answered by a reply to a text message"
            yield look.draft.problem(here, "wrong-value", message, "ask it by e-mail")


def answerable_surveys(look: Look) -> Iterator[Problem]:
    """An e-mail that asks a survey has the links that answer it."""
    for loc, step in _surveys(look):
        for where, one in _messages(loc, step):
            if not isinstance(one, EmailStep):
                continue
            for file in look.templates.files.get(f"email:{one.email.template}", {}).values():
                if not any(read.path.startswith(_ANSWERS) for read in file.reads):
                    message = f"{file.path} has no link that answers the survey `{step.survey.ask}`"
                    hint = "write `{% for one in survey.answers %}` with `{{ one.link }}`, or `{{ survey.page }}`"
                    yield look.draft.problem((*where, "email"), "unanswerable", message, hint)


def _surveys(look: Look) -> Iterator[tuple[Loc, SurveyStep]]:
    for loc, step in every_step(look.journey.steps):
        if isinstance(step, SurveyStep):
            yield loc, step


def _messages(loc: Loc, step: SurveyStep) -> Iterator[tuple[Loc, EmailStep | SmsStep]]:
    channel, message = step.survey.message
    for where, one in every_step(message, (*loc, "survey", channel)):
        if isinstance(one, EmailStep | SmsStep):
            yield where, one
