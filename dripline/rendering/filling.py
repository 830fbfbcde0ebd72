"""Templates compiled once a plan, and filled with what a run knows, within bounds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jinja2 import Template, pass_context
from jinja2.runtime import Context

from dripline.language.plan import TemplateSource
from dripline.language.template_grammar import BUDGET, MAX_PASSES, TemplateError, TemplateSandbox
from dripline.language.values import EvaluationError
from dripline.rendering.formats import FORMATTERS, READER, Reader, printed

MAX_OUTPUT = 500_000
"""Characters of one rendered part."""

_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


@pass_context
def _printed_in_markdown(context: Context, value: Any) -> str:
    """Printed so that Markdown sees nothing but letters in it."""
    text = printed(context, value)
    return _PUNCTUATION.sub(r"\\\1", " ".join(text.split()))


_PLAIN = TemplateSandbox(FORMATTERS, finalize=printed)
_HTML = TemplateSandbox(FORMATTERS, finalize=printed, autoescape=True)
_MARKDOWN = TemplateSandbox(FORMATTERS, finalize=_printed_in_markdown)
_ENVIRONMENTS = {"mjml": _HTML, "html": _HTML, "md": _MARKDOWN, "text": _PLAIN}


class Filling:
    """A template in one language, compiled."""

    def __init__(self, source: TemplateSource, subject: str | None) -> None:
        """`subject` takes the place of the template's own. Raises TemplateError, which `check` rules out."""
        self.markup = source.markup
        subject = subject if subject is not None else source.subject
        self._texts = (
            (_ENVIRONMENTS[source.markup], source.body),
            (_PLAIN, subject),
            (_PLAIN, source.preheader),
        )
        self._body = _compiled(_ENVIRONMENTS[source.markup], source.body)
        self._subject = _optional(subject)
        self._preheader = _optional(source.preheader)

    def body(self, scope: Mapping[str, Any], reader: Reader) -> str:
        """The body filled in; in HTML and MJML values are escaped. Raises EvaluationError."""
        return _filled(self._body, scope, reader)

    def subject(self, scope: Mapping[str, Any], reader: Reader) -> str | None:
        """The subject filled in, on one line. Raises EvaluationError."""
        return None if self._subject is None else _one_line(_filled(self._subject, scope, reader))

    def preheader(self, scope: Mapping[str, Any], reader: Reader) -> str | None:
        """The preheader filled in, on one line, not escaped. Raises EvaluationError."""
        return None if self._preheader is None else _one_line(_filled(self._preheader, scope, reader))

    def lacking(self, scope: Mapping[str, Any]) -> tuple[str, ...]:
        """The names that the template reads without asking, and that are empty."""
        reads = [read for environment, text in self._texts if text for read in environment.read(text)[1]]
        return tuple(sorted({read.path for read in reads if not read.guarded and _lacks(scope, read.path)}))


def _lacks(scope: Any, path: str) -> bool:
    for part in path.split("."):
        scope = scope.get(part) if isinstance(scope, Mapping) else None
    return scope is None


def _optional(text: str | None) -> Template | None:
    return None if text is None else _compiled(_PLAIN, text)


def _compiled(environment: TemplateSandbox, text: str) -> Template:
    tree, _ = environment.read(text)
    try:
        return environment.from_string(tree)
    except (SyntaxError, RecursionError, MemoryError):
        raise TemplateError("the template cannot be understood", 1) from None


def _filled(template: Template, scope: Mapping[str, Any], reader: Reader) -> str:
    values = {name: value for name, value in scope.items() if value is not None}
    context = template.new_context({**values, READER: reader, BUDGET: [MAX_PASSES]})
    parts: list[str] = []
    size = 0
    for part in template.root_render_func(context):
        parts.append(part)
        size += len(part)
        if size > MAX_OUTPUT:
            raise EvaluationError("too-long")
    return "".join(parts)


def _one_line(text: str) -> str:
    """No line may end within a header: the next one would be another header."""
    return " ".join(text.split())
