"""Whether conditions and templates compare and reckon with what goes together."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from dripline.language.conditions import every_expression
from dripline.language.expressions import compile_expression, tree_of
from dripline.language.look import Look
from dripline.language.misfits import Misfit, misfits
from dripline.language.naming import every_step
from dripline.language.positions import Loc
from dripline.language.problems import Problem
from dripline.language.step_texts import step_texts
from dripline.language.steps import NotifyStep
from dripline.language.template_grammar import TemplateError, TemplateSandbox, place_of
from dripline.language.value_types import Types, within

_SANDBOX = TemplateSandbox()


def fitting_values(look: Look) -> Iterator[Problem]:
    """What conditions compare, and reckon with, goes together: `'5'` is a text, and no number is more than it."""
    at_steps = look.types()
    for said in every_expression(look):
        types = at_steps if said.events is None else look.types(said.events)
        places = compile_expression(said.source).places
        for misfit in misfits(tree_of(said.source), types):
            offset = said.begins + places.get(misfit.path or "", 0)
            told = look.draft.warning if misfit.severity == "warning" else look.draft.problem
            yield told(said.loc, misfit.code, misfit.message, misfit.hint, offset=offset)


def fitting_templates(look: Look) -> Iterator[Problem]:
    """What templates compare, and reckon with, goes together, and so in texts of the journey that are filled in."""
    types = look.types()
    for _, channel, message in look.sent:
        for file in look.templates.files.get(f"{channel}:{message.template}", {}).values():
            for line, column, misfit in _in_text(file.source.body, types):
                place = (file.path, line + file.first_line - 1, column)
                yield Problem(*place, misfit.code, misfit.severity, misfit.message, misfit.hint)
            for key, text in (("subject", file.source.subject), ("preheader", file.source.preheader)):
                line, column = file.places.get(key, (1, 1))
                for _, at, misfit in _in_text(text or "", types):
                    place = (file.path, line, column + at - 1)
                    yield Problem(*place, misfit.code, misfit.severity, misfit.message, misfit.hint)
    for loc, text in _own_texts(look):
        for _, column, misfit in _in_text(text, types):
            told = look.draft.warning if misfit.severity == "warning" else look.draft.problem
            yield told(loc, misfit.code, misfit.message, misfit.hint, offset=column - 1)


def _own_texts(look: Look) -> Iterator[tuple[Loc, str]]:
    """The texts of the journey itself that are filled in."""
    for loc, _, message in look.draft.messages():
        yield (*loc, "subject"), message.subject or ""
    for loc, step in every_step(look.journey.steps):
        for where, text in step_texts(step):
            yield (*loc, *where), text
        if isinstance(step, NotifyStep):
            for key in ("text", "subject"):
                beside = (key,) if getattr(step, key) is not None else ("notify", key)
                yield (*loc, *beside), getattr(step.said, key) or ""


def _in_text(text: str, types: Types) -> Iterator[tuple[int, int, Misfit]]:
    """Line and column of what does not go together in a template."""
    try:
        tree, _ = _SANDBOX.read(text)
    except TemplateError:
        return  # which is told by itself
    given = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    lines = text.split("\n")
    for misfit in misfits(tree, within(types, frozenset({*given, "loop"}))):
        yield *place_of(lines, misfit.path, misfit.line), misfit
