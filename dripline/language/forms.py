"""Forms on web pages, as `dripline.yaml` declares them: what is asked, what is agreed to, and where to go then."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from dripline.language.kinds import Flag, JourneyId
from dripline.language.load import Written, wrong

ANY = "*"
"""Stands for every language, where some words are the same in all of them."""
LEAD = ("email", "phone", "timezone", "country")
"""What every lead has and a form may ask for. The language is that of the form."""
ADDRESS_OF: Mapping[str, str] = {"email": "email", "sms": "phone"}
"""The field by which a channel reaches somebody."""

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OWN = ("consent",)
"""Names of inputs that every form has by itself; so have those that begin with `_`."""
_HERE = ("localhost", "127.0.0.1", "[::1]")


def _words(value: Any) -> Any:
    return {ANY: value} if isinstance(value, str) else value


def _field(name: str) -> str:
    if not _FIELD.fullmatch(name) or name in _OWN:
        hint = "every form has that one already" if name in _OWN else "write small letters, digits and `_`"
        raise wrong("bad-name", f"`{name}` is no name of a field", hint)
    return name


def _origin(text: str) -> str:
    parts = urlsplit(text)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.netloc.split(":")[0] in _HERE)
    if not secure or not parts.netloc or "@" in parts.netloc or text != f"{parts.scheme}://{parts.netloc}":
        raise wrong(
            "bad-origin", f"`{text}` is no origin of a site", "write it like `https://www.example.com`"
        )
    return text.lower()


def _address(words: dict[str, str]) -> dict[str, str]:
    for text in words.values():
        parts = urlsplit(text)
        if not parts.netloc or not (parts.scheme == "https" or parts.netloc.split(":")[0] in _HERE):
            raise wrong("bad-redirect", f"`{text}` is no address of a page", "begin it with https://")
    return words


Words = Annotated[
    dict[str, Annotated[str, Field(min_length=1, max_length=2_000)]],
    BeforeValidator(_words),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "object", "additionalProperties": {"type": "string", "minLength": 1}},
            ]
        }
    ),
]
"""A text that is the same in every language, or one for each: `{en: Name, hy: Անուն}`."""


def in_words(words: Mapping[str, str], locale: str, default: str) -> str:
    """What the words are in a language, else in the default one, else in whichever they are."""
    for tag in (locale, locale.split("-")[0], default, ANY):
        if tag in words:
            return words[tag]
    return next(iter(words.values()), "")


class FormField(Written):
    """Something that a form asks for."""

    label: Words = Field(description="What the visitor reads beside it, in one text or by language.")
    to: str | None = Field(
        None,
        description="What it becomes: a field or an attribute of the lead, or a property of `form.submitted`;"
        " without it, the one with the field's own name.",
    )
    required: Flag = Field(False, description="Whether the form is refused without it.")
    help: Words | None = Field(None, description="A hint below it.")
    long: Flag = Field(False, description="Several lines of text.")
    options: dict[str, Words] = Field(
        default_factory=dict, description="What may be chosen: each value with its label."
    )


class FormConsent(Written):
    """What a visitor agrees to by ticking the box."""

    wording: Words = Field(
        description="The very words beside the box, by language: they are kept as the proof of the consent."
    )
    channels: tuple[Literal["email", "sms"], ...] = Field(
        ("email",), min_length=1, description="The channels that it is for."
    )
    topics: tuple[str, ...] = Field((), description="The subscription topics that it is for.")
    required: Flag = Field(False, description="Whether the form is refused without it.")


class FormEntry(Written):
    """A form on a page of yours, or on the page that Dripline has for it."""

    title: Words = Field(description="What stands above it.")
    text: Words | None = Field(None, description="A sentence or two below the title.")
    fields: dict[Annotated[str, AfterValidator(_field)], FormField] = Field(
        min_length=1, max_length=30, description="What it asks for, by the name of the input."
    )
    consent: FormConsent | None = Field(None, description="The box to tick, if it asks for consent.")
    double_opt_in: Flag = Field(
        True,
        description="Whether a consent counts only once it is confirmed by the link of a message.",
    )
    button: Words | None = Field(None, description="What the button says.")
    thanks: Words | None = Field(None, description="What the visitor reads afterwards.")
    redirect: Annotated[Words, AfterValidator(_address)] | None = Field(
        None, description="The page of yours where the visitor goes afterwards, instead of `thanks`."
    )
    origins: tuple[Annotated[str, AfterValidator(_origin)], ...] = Field(
        (), description="The sites whose pages may have the form, like `https://www.example.com`."
    )
    properties: dict[str, str] = Field(
        default_factory=dict, description="Properties that every `form.submitted` of this form gets."
    )

    def target(self, name: str) -> str:
        """What the field of that name becomes."""
        return self.fields[name].to or name

    def every_words(self) -> Iterable[tuple[tuple[str, ...], Mapping[str, str]]]:
        """All its words, each with where they stand."""
        for key in ("title", "text", "button", "thanks", "redirect"):
            words = getattr(self, key)
            if words is not None:
                yield (key,), words
        for name, field in self.fields.items():
            yield ("fields", name, "label"), field.label
            if field.help is not None:
                yield ("fields", name, "help"), field.help
            for value, label in field.options.items():
                yield ("fields", name, "options", value), label
        if self.consent is not None:
            yield ("consent", "wording"), self.consent.wording


def _free(form: str) -> str:
    if form == "static":
        raise wrong("bad-id", "`static` is taken by the files of all forms", "take another id")
    return form


Forms = dict[Annotated[JourneyId, AfterValidator(_free)], FormEntry]
"""By the form's id, which is part of its address."""
