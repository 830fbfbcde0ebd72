"""A form as HTML: on the page that Dripline has for it, and as the snippet for pages of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment

from dripline.language.check_forms import SUBMITTED
from dripline.language.forms import FormEntry, in_words
from dripline.language.workspace import Workspace
from dripline.web.forms.words import words_of

PATH = "/f/"
"""Where the web process answers for forms."""

_KINDS = {"integer": "number", "number": "number", "date": "date", "datetime": "datetime-local"}
_FILLS = {"email": "email", "phone": "tel", "country": "country", "first_name": "given-name"}
_FILLS |= {"last_name": "family-name", "company": "organization"}
"""What browsers fill in by themselves (HTML, autofill detail tokens)."""


@dataclass(frozen=True)
class Input:
    """An input as HTML has it."""

    name: str
    label: str
    kind: str
    """An input's `type`, or `textarea` or `select`."""
    required: bool
    help: str | None = None
    fills: str | None = None
    options: tuple[tuple[str, str], ...] = ()


class Showing:
    """Makes the HTML of the forms of a workspace. `public_url` leads to its web process."""

    def __init__(self, workspace: Workspace, public_url: str, templates: Environment) -> None:
        self._workspace, self._templates = workspace, templates
        self._at = public_url.rstrip("/") + PATH

    def locales(self, form_id: str) -> tuple[str, ...]:
        """The languages that the form speaks, the default first."""
        own = [tag for tag in self._workspace.forms[form_id].title if tag != "*"]
        return tuple(dict.fromkeys([*self._workspace.locales, *own]))

    def says(self, words: Mapping[str, str] | None, locale: str) -> str | None:
        """The words in that language; None where nothing is said."""
        return in_words(words, locale, self._workspace.locales[0]) if words else None

    def thanks(self, form_id: str, locale: str) -> str:
        """What the visitor reads afterwards: the same whatever became of it."""
        form = self._workspace.forms[form_id]
        asks = form.consent is not None and form.double_opt_in
        return self.says(form.thanks, locale) or words_of(locale)["thanks-confirm" if asks else "thanks"]

    def snippet(self, form_id: str, locale: str) -> str:
        """HTML to be copied into a page. It works without its script; with it, the visitor stays on the page."""
        return self._templates.get_template("form_snippet.html").render(
            **self._shown(form_id, locale), action=self._at + form_id, script=f"{self._at}static/embed.js"
        )

    def page(
        self,
        form_id: str,
        locale: str,
        stamp: str,
        given: Mapping[str, Sequence[Any]] | None = None,
        faults: Mapping[str, str] | None = None,
        said: str | None = None,
    ) -> str:
        """The form's own page: empty, or with what was `given` and what is wrong with it."""
        return self._templates.get_template("form.html").render(
            **self._shown(form_id, locale),
            stamp=stamp,
            given={name: [str(one) for one in values] for name, values in (given or {}).items()},
            faults=faults or {},
            said=said,
            locales=self.locales(form_id),
        )

    def note(self, form_id: str | None, locale: str, title: str | None, text: str) -> str:
        """A page that only says something."""
        return self._templates.get_template("form_note.html").render(
            locale=locale, title=title, text=text, root="../" if form_id else "", sender=self._sender()
        )

    def _shown(self, form_id: str, locale: str) -> dict[str, Any]:
        form = self._workspace.forms[form_id]
        own = words_of(locale)
        return {
            "id": form_id,
            "locale": locale,
            "title": self.says(form.title, locale),
            "text": self.says(form.text, locale),
            "inputs": list(self._inputs(form, locale)),
            "wording": self.says(form.consent.wording, locale) if form.consent else None,
            "must_agree": bool(form.consent and form.consent.required),
            "button": self.says(form.button, locale) or own["send"],
            "own": own,
            "sender": self._sender(),
        }

    def _inputs(self, form: FormEntry, locale: str) -> Iterator[Input]:
        declared = {**self._workspace.declared.get(SUBMITTED, {}), **self._workspace.attributes}
        for name, field in form.fields.items():
            target = form.target(name)
            kind = _KINDS.get(declared.get(target, ""), "text")
            kind = {"email": "email", "phone": "tel"}.get(target, kind)
            kind = "checkbox" if declared.get(target) == "boolean" else kind
            kind = "select" if field.options else "textarea" if field.long else kind
            options = tuple(
                (value, self.says(label, locale) or value) for value, label in field.options.items()
            )
            yield Input(
                name,
                self.says(field.label, locale) or name,
                kind,
                field.required,
                self.says(field.help, locale),
                _FILLS.get(target),
                options,
            )

    def _sender(self) -> str | None:
        sender = self._workspace.senders.get("email")
        return sender.name if sender else None


__all__ = ["PATH", "Input", "Showing"]
