"""What readers see, in one language for all, or in each of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from dripline.language.kinds import Text
from dripline.language.load import wrong

ANY = ""
"""In the place of a language: the words are for all."""


def _tag(tag: str) -> str:
    try:
        if tag != ANY:
            Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        raise wrong("unknown-locale", f"`{tag}` is no language tag", "write it like `hy`") from None
    return tag


Spoken = Annotated[
    dict[Annotated[str, AfterValidator(_tag)], Text],
    BeforeValidator(lambda value: {ANY: value} if isinstance(value, str) else value),
    Field(min_length=1),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": {"type": "string", "minLength": 1},
                },
            ]
        }
    ),
]
"""A text, or one for each language: `{en: News, hy: Լուրեր}`."""


def in_language(spoken: Mapping[str, str], wanted: Iterable[str | None]) -> str:
    """The words in the first of these languages that there is, with its region or without; else those first said."""
    by_tag: dict[str, Any] = {tag.lower(): words for tag, words in spoken.items()}
    for tag in wanted:
        parts = (tag or "").lower().replace("_", "-").split("-")
        while parts and parts != [""]:
            if "-".join(parts) in by_tag:
                return str(by_tag["-".join(parts)])
            parts.pop()
    return str(by_tag.get(ANY) or next(iter(spoken.values())))
