"""The lead's own page: a form that works without scripts. To look at it changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from babel.dates import format_date
from jinja2 import Environment

from dripline.ingest.preferring import EVERYTHING, Preferences, Pressed, Wish
from dripline.language.spoken import in_language
from dripline.language.workspace import Workspace
from dripline.rendering.formats import locale_of
from dripline.web.preference_words import PREFERENCES
from dripline.web.public import ROBOTS, Reader

_DOES: Mapping[str, Pressed] = {one: one for one in get_args(Pressed)}


def read_wish(form: Mapping[str, list[str]]) -> Wish | None:
    """What was pressed and ticked; None where nothing was pressed, as by a program that posts to every link."""
    pressed = _DOES.get(form.get("do", [""])[0])
    if pressed is None:
        return None
    ticks = (said.partition(" ") for said in form.get("want", []))
    return Wish(pressed, frozenset((channel, topic) for channel, _, topic in ticks))


def render_preferences(
    templates: Environment,
    workspace: Workspace,
    preferences: Preferences,
    reader: Reader,
    done: str | None = None,
) -> str:
    """The page; `done` is what has just been pressed."""
    until = preferences.paused_until
    day = until.astimezone(workspace.zone) if until else None
    on_all = len(preferences.ticks) == len(preferences.channels) * len(preferences.topics)
    return templates.get_template("preferences.html").render(
        words=PREFERENCES[reader.language],
        language=reader.language,
        sender=reader.sender,
        robots=ROBOTS,
        preferences=preferences,
        topics=[(topic, _title(workspace, topic, reader.language)) for topic in preferences.topics],
        some_fixed=not on_all and not set(preferences.channels) <= preferences.may_join,
        paused_until=format_date(day, "long", locale=locale_of(reader.language) or "en") if day else None,
        done=done,
    )


def _title(workspace: Workspace, topic: str, language: str) -> str | None:
    if topic == EVERYTHING:
        return None
    return in_language(workspace.topics[topic].title, [language, *workspace.locales])


__all__ = ["read_wish", "render_preferences"]
