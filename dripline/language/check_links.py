"""Whether the links that templates ask for can be made, and whether readers learn who writes."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.fields import FieldErrors
from dripline.language.links import DYNAMIC, LinkCall
from dripline.language.look import Look
from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.template_grammar import TemplateError, TemplateSandbox
from dripline.language.workspace import BUILT_IN_EVENTS, Workspace

_SANDBOX = TemplateSandbox()
_ADDRESSES = ("lead.email", "lead.phone")
_OWN = "name an event of your own"
_INSTEAD = {
    "lead.unsubscribed": "write `unsubscribe_link()`, which also makes it so",
    "lead.confirmed": "write `confirm_link()`, which also makes it so",
}


def sound_links(look: Look) -> Iterator[Problem]:
    """Every link for an answer says an event that is declared, with properties that it has, and no address."""
    for _, channel, message in look.sent:
        for file in look.templates.files.get(f"{channel}:{message.template}", {}).values():
            for link in file.links:
                for code, wrong, hint in _wrong(link, look.workspace):
                    yield Problem(file.path, link.line, link.column, code, "error", wrong, hint)


def sound_links_in_subjects(look: Look) -> Iterator[Problem]:
    """The same of the subject that a step gives a message."""
    for loc, _, message in look.sent:
        if message.subject is None:
            continue
        try:
            links = _SANDBOX.links_in(message.subject)
        except TemplateError:  # told by the rule on subjects
            continue
        for link in links:
            for code, wrong, hint in _wrong(link, look.workspace):
                yield look.draft.problem((*loc, "subject"), code, wrong, hint, offset=link.column - 1)


def addressed_emails(look: Look) -> Iterator[Problem]:
    """Every marketing e-mail shows where its sender can be reached by post."""
    if look.workspace.postal_address is not None:
        return
    for loc, channel, message in look.sent:
        if channel == "email" and not message.transactional:
            yield look.draft.problem(
                loc,
                "no-postal-address",
                "marketing e-mails must show your postal address, and none is known",
                "write `postal_address: …` in dripline.yaml, or `transactional: true` here if the lead asked for it",
            )
            return


def _wrong(link: LinkCall, workspace: Workspace) -> Iterator[tuple[str, str, str]]:
    """Code, message and hint of everything that is wrong with a link."""
    for path in link.reads:
        if path in _ADDRESSES:
            said = f"a link must not carry `{path}`: addresses of pages are kept in many places"
            yield "private-link", said, "leave it out: who follows the link is known by the link itself"
    if link.event is None:
        return
    known = workspace.events
    if link.event not in known:
        hint = did_you_mean(link.event, known) or "declare it under `events` in dripline.yaml"
        yield "unknown-event", f"no event `{link.event}` is declared", hint
        return
    if link.event in BUILT_IN_EVENTS:
        yield (
            "built-in-event",
            f"`{link.event}` is recorded by Dripline itself",
            _INSTEAD.get(link.event, _OWN),
        )
    for name, value in link.properties:
        types = known[link.event]
        if name not in types:
            hint = did_you_mean(name, types) or f"there are {listed(sorted(types))}"
            yield "unknown-property", f"`{link.event}` has no `{name}`", hint if types else "it has none"
        elif value is not DYNAMIC:
            try:
                workspace.coerce_event(link.event, {name: value})
            except FieldErrors as error:
                words = f"`{name}` of `{link.event}` {error.errors[0][1]}"
                yield "wrong-type", words, "write it so, or declare it otherwise in dripline.yaml"
