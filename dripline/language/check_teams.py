"""Whether the people and fields that teams and cards of the workspace file name are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.stages import CARD, OF_THE_MOMENT

if TYPE_CHECKING:
    from dripline.language.workspace import Workspace

_Told = Iterator[tuple[Loc, str, str, str]]
"""Place in the workspace file, code, message and hint."""
_DECLARE = "declare the person under `people`"


def check_teams(workspace: Workspace, document: Document) -> list[Problem]:
    """The people of teams and the fields of cards are there."""
    return [
        Problem(document.path, *document.place(place), code, "error", message, hint)
        for place, code, message, hint in (*_teams(workspace), *_cards(workspace))
    ]


def _teams(workspace: Workspace) -> _Told:
    for name, team in workspace.teams.items():
        here: Loc = ("teams", name)
        if name in workspace.people:
            message = f"`{name}` is a person already"
            yield here, "duplicate-id", message, "give the team a name of its own"
        for person in team.people:
            if person not in workspace.people:
                hint = did_you_mean(person, workspace.people) or _DECLARE
                yield here, "unknown-person", f"there is no `{person}`", hint
        if team.fallback is not None and team.fallback not in workspace.people:
            hint = did_you_mean(team.fallback, workspace.people) or _DECLARE
            yield (*here, "fallback"), "unknown-person", f"there is no `{team.fallback}`", hint
        for event in team.reactions:
            if event not in workspace.events:
                hint = did_you_mean(event, workspace.events) or "declare it under `events`"
                yield (*here, "reactions"), "unknown-event", f"no event `{event}` is declared", hint


def _cards(workspace: Workspace) -> _Told:
    if workspace.cards is None:
        return
    known = {*workspace.attributes, *CARD}
    for field in workspace.cards.lead:
        if field not in known:
            hint = did_you_mean(field, known) or "declare it under `attributes`"
            yield ("cards", "lead"), "unknown-attribute", f"leads have no `{field}`", hint
    for field in workspace.cards.customer:
        if field in OF_THE_MOMENT:
            message = f"every customer has `{field}` already"
            yield ("cards", "customer", field), "built-in-attribute", message, "remove it"


def card_fields(workspace: Workspace) -> set[str]:
    """Everything that can be read of a customer's card."""
    own = workspace.cards.customer if workspace.cards else ()
    return {*OF_THE_MOMENT, *own, *workspace.attributes, *CARD}
