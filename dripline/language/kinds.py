"""The kinds of values that journeys are written with, each read from text and refused in the author's words."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from dripline.language.durations import DurationError, parse_duration, parse_limit
from dripline.language.expressions import ExpressionError, compile_expression
from dripline.language.links import FUNCTIONS
from dripline.language.load import wrong
from dripline.language.plan import Duration, Limit
from dripline.language.recommending import FUNCTION

KEBAB = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
"""What ids look like."""
_TEMPLATE = re.compile(r"[a-z0-9][a-z0-9_-]*(?:/[a-z0-9][a-z0-9_-]*)*")
_PERCENT = re.compile(r"\s*([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%?\s*")
_PROPERTY = re.compile(r"event\.[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
TAKEN_NAMES = frozenset(
    {
        "lead",
        "trigger",
        "event",
        "journey",
        "now",
        "today",
        "days",
        "hours",
        "survey",
        "message",
        "loop",
        "self",
        *FUNCTIONS,
        FUNCTION,
    }
)
"""Names that conditions and templates have already."""


def read_length(value: Any) -> Any:
    """The length of time that a text says."""
    if isinstance(value, Duration):
        return value
    if not isinstance(value, str):
        raise wrong("wrong-type", "a duration stands here as a text", "write it like `2 days`")
    try:
        return parse_duration(value)
    except DurationError as error:
        raise wrong("bad-duration", str(error), error.hint) from None


def _cap(value: Any) -> Any:
    if isinstance(value, Limit):
        return value
    if not isinstance(value, str):
        raise wrong("wrong-type", "a limit stands here as a text", "write it like `3 per 7 days`")
    try:
        return parse_limit(value)
    except DurationError as error:
        raise wrong("bad-limit", str(error), error.hint) from None


def read_expression(source: str, offset: int = 0) -> str:
    """The expression as it stands, if it is one; `offset` is where it begins in its value."""
    try:
        compile_expression(source)
    except ExpressionError as error:
        raise wrong("bad-expression", str(error), error.hint, offset=error.offset + offset) from None
    return source


def _percent(value: Any) -> Any:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    match = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong("wrong-type", "a percentage stands here", "write it like `50` or `12.5`")
    return float(match[1])


def _flag(value: Any) -> Any:
    if value in ("true", "false"):
        return value == "true"
    if isinstance(value, str):
        raise wrong(
            "wrong-type", f"`{value}` stands where true or false should be", "write `true` or `false`"
        )
    return value


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _kebab(value: str) -> str:
    if not KEBAB.fullmatch(value):
        raise wrong("bad-id", f"`{value}` is no id", "write small letters, digits and `-`: `win-back`")
    return value


def _template(value: str) -> str:
    if not _TEMPLATE.fullmatch(value):
        raise wrong(
            "bad-template-name", f"`{value}` is no name of a template", "write it like `welcome/hello`"
        )
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise wrong("bad-name", f"`{value}` is no name", "write small letters, digits and `_`: `last_order`")
    if value in TAKEN_NAMES:
        raise wrong("bad-name", f"`{value}` has a meaning already", "take another name")
    return value


def _property(value: str) -> str:
    if not _PROPERTY.fullmatch(value):
        raise wrong("wrong-value", "this is no property of the event", "write it like `event.order_id`")
    return value


def _step_id(value: str) -> str:
    if not value.strip() or len(value) > 200 or not value.isprintable():
        raise wrong("bad-id", "this is no id of a step", "write a short name on one line")
    return value


def _words(pattern: re.Pattern[str]) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{pattern.pattern}$"}


LENGTH = {"type": "string", "pattern": r"^\s*(P[0-9TYMWDHS]+|([0-9]{1,9}\s*[A-Za-z]+\s*)+)$"}
"""A length of time, as far as a schema can tell."""

Text = Annotated[str, Field(min_length=1, max_length=1_000)]
"""Some words."""
Length = Annotated[Duration, BeforeValidator(read_length), WithJsonSchema(LENGTH)]
"""A length of time: `2 days`."""
Cap = Annotated[
    Limit, BeforeValidator(_cap), WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,9}\s+per\s+\S"})
]
"""So many in so long: `3 per 7 days`."""
Condition = Annotated[str, AfterValidator(read_expression)]
"""An expression."""
Percent = Annotated[float, BeforeValidator(_percent, json_schema_input_type=float | str), Field(ge=0, le=100)]
"""A share of a hundred: `50` or `12.5`."""
Flag = Annotated[bool, BeforeValidator(_flag)]
"""`true` or `false`."""
Events = Annotated[
    tuple[Text, ...],
    BeforeValidator(_one_or_more),
    Field(min_length=1, max_length=50),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 50},
            ]
        }
    ),
]
"""The name of an event, or a list of names."""
PropertyName = Annotated[
    str, AfterValidator(_property), WithJsonSchema({"type": "string", "pattern": f"^{_PROPERTY.pattern}$"})
]
"""A property of an event: `event.order_id`."""
JourneyId = Annotated[str, AfterValidator(_kebab), WithJsonSchema(_words(KEBAB))]
"""A word in kebab-case."""
TemplateName = Annotated[str, AfterValidator(_template), WithJsonSchema(_words(_TEMPLATE))]
"""A template's path under `templates/`, without language and ending."""
Name = Annotated[str, AfterValidator(_name), WithJsonSchema(_words(_NAME))]
"""A name for conditions and templates to use."""
StepId = Annotated[str, AfterValidator(_step_id)]
"""A step's id as the author gives it."""
