"""What must hold of the forms of a workspace, beyond their form."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from dripline.language.fields import FieldErrors
from dripline.language.forms import ADDRESS_OF, ANY, LEAD, FormEntry
from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem, did_you_mean, listed

if TYPE_CHECKING:
    from dripline.language.workspace import Workspace

SUBMITTED = "form.submitted"
"""The event that a form is, once it was sent."""

_Told = Iterator[tuple[Loc, str, str, str]]
"""Place within the form, code, message and hint."""


def known_targets(form: FormEntry, workspace: Workspace) -> _Told:
    """Every field of a form becomes something that leads or the event `form.submitted` have, and no two the same."""
    own = workspace.declared.get(SUBMITTED, {})
    known = (*LEAD, *workspace.attributes, *own)
    seen: dict[str, str] = {}
    for name in form.fields:
        target = form.target(name)
        place = ("fields", name, "to") if form.fields[name].to else ("fields", name)
        if target not in known:
            hint = did_you_mean(target, known) or (
                f"declare it under `attributes`, or as a property of `{SUBMITTED}` under `events`"
            )
            yield place, "unknown-field", f"neither leads nor `{SUBMITTED}` have `{target}`", hint
        if target in seen:
            yield place, "unknown-field", f"`{seen[target]}` becomes `{target}` too", "keep one of them"
        seen.setdefault(target, name)


def known_form_topics(form: FormEntry, workspace: Workspace) -> _Told:
    """Every topic that a form asks consent for is declared under `topics`."""
    for number, topic in enumerate(form.consent.topics if form.consent else ()):
        if topic not in workspace.topics:
            hint = did_you_mean(topic, workspace.topics) or "declare it under `topics`"
            yield ("consent", "topics", number), "unknown-topic", f"no topic `{topic}` is declared", hint


def reachable_visitors(form: FormEntry, workspace: Workspace) -> _Told:
    """A form asks for an address, and for that of every channel that its consent is for."""
    targets = {form.target(name) for name in form.fields}
    if not targets & {"email", "phone"}:
        yield ("fields",), "no-reach", "the form asks neither for `email` nor for `phone`", "add one of them"
    for channel in form.consent.channels if form.consent else ():
        if ADDRESS_OF[channel] not in targets:
            message = f"the form asks for consent to {channel}, but not for `{ADDRESS_OF[channel]}`"
            yield ("consent",), "no-reach", message, "add the field, or leave the channel out"


def whole_words(form: FormEntry, workspace: Workspace) -> _Told:
    """What a form says, it says in every language of the workspace, or in one text for all."""
    for place, words in form.every_words():
        lacking = [one for one in workspace.locales if one not in words and one.split("-")[0] not in words]
        if lacking and ANY not in words:
            yield place, "missing-words", f"this is not said in {listed(lacking)}", "add it"


def fitting_properties(form: FormEntry, workspace: Workspace) -> _Told:
    """The properties that a form gives its event are declared, and of their types."""
    own = workspace.declared.get(SUBMITTED, {})
    for name, value in form.properties.items():
        place = ("properties", name)
        if name not in own:
            hint = did_you_mean(name, own) or f"declare it under `events: {{{SUBMITTED}: …}}`"
            yield place, "unknown-property", f"`{SUBMITTED}` has no `{name}` of yours", hint
            continue
        try:
            workspace.coerce_event(SUBMITTED, {name: value})
        except FieldErrors as error:
            yield (
                place,
                "wrong-type",
                f"`{name}` {error.errors[0][1]}",
                "write it so, or declare it otherwise",
            )


RULES_OF_FORMS: tuple[Callable[[FormEntry, Workspace], _Told], ...] = (
    known_targets,
    known_form_topics,
    reachable_visitors,
    whole_words,
    fitting_properties,
)
"""Every rule, in the order in which they are told."""


def check_forms(workspace: Workspace, document: Document) -> list[Problem]:
    """Everything that is wrong with the forms."""
    problems = []
    for id_, form in workspace.forms.items():
        for rule in RULES_OF_FORMS:
            for place, code, message, hint in rule(form, workspace):
                at = document.key_place(("forms", id_, *place))
                problems.append(Problem(document.path, *at, code, "error", message, hint))
    return problems
