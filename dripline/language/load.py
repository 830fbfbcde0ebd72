"""From a file to a model: pydantic validates, and what it finds is told in the author's words, at its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from dripline.language.positions import Document, Loc, Scalar
from dripline.language.positions import Mapping as MappingNode
from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.yaml_words import QUOTE


class Written(BaseModel):
    """A mapping of a file: closed, frozen, and known to the loader while it is validated."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _note_class(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(info.context, dict) and isinstance(value, dict):
            info.context[id(value)] = cls
        return value

    @classmethod
    def known_keys(cls) -> tuple[str, ...]:
        """The keys that a file may have here."""
        return tuple(field.alias or name for name, field in cls.model_fields.items())


Model = TypeVar("Model", bound=Written)


def wrong(
    code: str, message: str, hint: str = "", *, key: str | None = None, offset: int = 0
) -> PydanticCustomError:
    """A problem found by a validator: of the value, of `key` in it (its own key if ""), or at a character in it."""
    context = {"message": message, "hint": hint, "key": key, "offset": offset}
    return PydanticCustomError(code, "{message}", context)


def fit(document: Document, model: type[Model]) -> tuple[Model | None, list[Problem]]:
    """The document as that model, or everything in which it is not one."""
    known: dict[int, type[Written]] = {}
    content = document.plain()
    try:
        return model.model_validate(content, context=known), []
    except ValidationError as error:
        problems = [
            problem
            for details in error.errors(include_url=False)
            for problem in _told(document, content, known, details)
        ]
        return None, sorted(set(problems))


_WANTED = {
    "string": "a text",
    "list": "a list (a line with `- ` for each item)",
    "tuple": "a list (a line with `- ` for each item)",
    "dict": "a mapping (`key: value`)",
    "model": "a mapping (`key: value`)",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
}


def _told(
    document: Document, content: Any, known: Mapping[int, type[Written]], details: ErrorDetails
) -> Iterator[Problem]:
    loc, kind = tuple(details["loc"]), details["type"]
    context = details.get("ctx", {})
    of_key = loc[-1:] == ("[key]",)  # pydantic's word for the key itself
    loc = loc[:-1] if of_key else loc
    node = document.find(loc)
    if isinstance(node, Scalar) and node.missing and node is not document.root:
        return  # the reader has told that nothing stands there

    def problem(place: tuple[int, int], code: str, message: str, hint: str = "") -> Problem:
        return Problem(document.path, *place, code, "error", message, hint)

    if kind == "extra_forbidden":
        owner = known.get(id(_at(content, loc[:-1])))
        word = str(loc[-1])
        keys = owner.known_keys() if owner else ()
        hint = did_you_mean(word, keys) or (f"there are {listed(keys)}" if keys else "")
        yield problem(document.key_place(loc), "unknown-key", f"there is no key `{word}` here", hint)
    elif kind == "missing":
        message = f"`{loc[-1]}` is missing"
        yield problem(document.place(loc[:-1]), "missing-key", message, f"add `{loc[-1]}: …`")
    elif kind == "too_short" and _at(content, loc):
        return  # its items are wrong, and each has been told
    elif "message" in context:
        place = document.key_place(loc) if of_key else document.place(loc, context.get("offset", 0))
        if context.get("key"):
            place = document.key_place((*loc, context["key"]))
        hint = _quote_hint(document, loc, kind) or context["hint"]
        yield problem(place, kind, context["message"], hint)
    else:
        place = document.key_place(loc) if of_key else document.place(loc)
        yield problem(place, *_translated(document, loc, kind, context))


def _translated(document: Document, loc: Loc, kind: str, context: Mapping[str, Any]) -> tuple[str, str, str]:
    node = document.find(loc)
    got = f"`{node.text}`" if isinstance(node, Scalar) else "a list"
    got = "a mapping" if isinstance(node, MappingNode) else got
    if kind == "literal_error":
        words = [word.strip("' ") for word in str(context["expected"]).replace(" or ", ", ").split(",")]
        near = did_you_mean(node.text, words) if isinstance(node, Scalar) else ""
        return "wrong-value", f"{got} is not one of {listed(words)}", near
    wanted = _WANTED.get(kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_from_float"))
    if wanted is not None:
        return "wrong-type", f"{got} stands where {wanted} should be", ""
    for bound, word in (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than")):
        if bound in context:
            return "out-of-range", f"{got} must be {word} {context[bound]}", ""
    if kind == "too_short":
        return "wrong-value", "this is empty", "add an item"
    if kind == "too_long":
        return "too-large", f"there are more than {context.get('max_length')} items", "split it"
    if kind == "model_attributes_type":
        return "wrong-type", f"{got} stands where {_WANTED['model']} should be", ""
    return "wrong-value", f"{got} cannot stand here", ""


def _quote_hint(document: Document, loc: Loc, kind: str) -> str:
    """Where an unquoted expression was cut short by YAML, that is the thing to say."""
    node = document.find(loc)
    if kind != "bad-expression" or not isinstance(node, Scalar) or not node.plain:
        return ""
    rest = document.lines[node.line - 1][node.column - 1 + len(node.text) :].strip()
    return f"YAML read only `{node.text}`, as ` #` begins a comment: {QUOTE}" if rest.startswith("#") else ""


def _at(content: Any, loc: Iterable[str | int]) -> Any:
    for step in loc:
        # Levels that only pydantic knows (the tag of a union, a short form written out) are passed over.
        with suppress(KeyError, IndexError, TypeError):
            content = content[step]
    return content
