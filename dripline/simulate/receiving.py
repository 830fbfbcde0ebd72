"""What becomes of the letters of a made-up life: which of them an event is about, and where its links lead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dripline.language.links import STANDS_FOR
from dripline.language.plan import Plan
from dripline.language.surveys.answers import ANSWERED, of_choice, of_quiz
from dripline.language.surveys.answers import properties as told
from dripline.language.tracking import channel_of
from dripline.simulate.timeline import Letter
from dripline.tracking.addresses import without_query
from dripline.tracking.marking import addresses_in

_NAMED = ("template", "step", "journey")
"""What a scenario may say to mean another letter than the last one."""


class NoSuchLetter(Exception):
    """The event is about a message that the lead has not got. Says which."""


def answered(
    properties: Mapping[str, Any], letters: Iterable[Letter], plans: Mapping[str, Plan]
) -> dict[str, Any]:
    """An answer with all that follows from it: to the last message that asked, of that survey if one is said.

    Raises NoSuchLetter where nothing was asked, or the survey has no such answer.
    """
    asking = [
        (one, asks.survey)
        for one in letters
        if one.fate == "sent"
        and (asks := getattr(plans[one.journey].by_id.get(one.step), "asks", None)) is not None
        and properties.get("survey") in (None, asks.survey)
    ]
    if not asking:
        raise NoSuchLetter(f"{ANSWERED}: nothing had been asked")
    letter, name = asking[-1]
    survey = plans[letter.journey].surveys[name]
    said = properties.get("answers")
    quiz = survey.kind == "quiz" and isinstance(said, Mapping)
    answer = (
        of_quiz(survey, {str(key): str(value) for key, value in (said or {}).items()})
        if quiz
        else of_choice(survey, str(properties.get("answer", "")))
    )
    if answer is None:
        raise NoSuchLetter(f"{ANSWERED}: the survey {name} has no such answer")
    comment, via = properties.get("comment"), properties.get("via") or letter.channel
    return {**properties, **told(name, survey, answer, str(via), comment, letter.id)}


def completed(name: str, properties: Mapping[str, Any], letters: Iterable[Letter]) -> dict[str, Any]:
    """The event with all that it says of the message that it is about: the last one that was sent, and its first link.

    An event that is about no message stays as it is. Raises NoSuchLetter.
    """
    channel = channel_of(name)
    if channel is None:
        return dict(properties)
    wanted = {key: properties[key] for key in _NAMED if properties.get(key)}
    letter = _last(channel, wanted, letters)
    if letter is None:
        which = "".join(f", {key} {value}" for key, value in wanted.items())
        raise NoSuchLetter(f"{name}: no {channel} message had been sent{which}")
    about = {"message": letter.id, "run": letter.run}
    whole = {**properties, **{key: getattr(letter, key) for key in _NAMED}, **about}
    if name.endswith(".clicked"):
        whole["link"] = _link(name, letter, properties.get("link"))
    return whole


def _last(channel: str, wanted: Mapping[str, Any], letters: Iterable[Letter]) -> Letter | None:
    sent = (one for one in letters if one.channel == channel and one.fate == "sent" and one.to is None)
    fitting = [one for one in sent if all(getattr(one, key) == value for key, value in wanted.items())]
    return fitting[-1] if fitting else None


def _link(name: str, letter: Letter, said: str | None) -> str | None:
    content = letter.content
    if content is None:
        return said
    found = [without_query(one) for one in addresses_in(content.html, content.body)]
    links = [one for one in found if not one.startswith(STANDS_FOR)]
    link = without_query(said) if said else next(iter(links), None)
    if link is None:
        raise NoSuchLetter(f"{name}: {letter.template} has no link that can be followed")
    if link not in links:
        raise NoSuchLetter(f"{name}: {letter.template} has no link to {link}")
    return link


__all__ = ["NoSuchLetter", "answered", "completed"]
