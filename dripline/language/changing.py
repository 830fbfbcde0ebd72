"""Steps that change something: variables of the run, the lead, its other journeys."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator

from dripline.language.kinds import KEBAB, Condition, JourneyId, Name, read_expression
from dripline.language.load import Written, wrong
from dripline.language.step_keys import StepKeys

_BRACES = re.compile(r"\s*\{\{(?P<source>.*)\}\}\s*", re.DOTALL)


def expression_in(value: str) -> tuple[int, str] | None:
    """The expression of a value `{{ … }}`, and where (from 0) it begins; None for a value as it stands."""
    match = _BRACES.fullmatch(value)
    if match is None:
        return None
    source = match["source"]
    return match.start("source") + len(source) - len(source.lstrip()), source.strip()


def _readable(value: str) -> str:
    found = expression_in(value)
    if found is None and "{{" in value:
        raise wrong(
            "wrong-value",
            "an expression is the whole value or none of it",
            "write texts in a row with `~`: `{{ 'from ' ~ lead.country }}`",
        )
    if found is not None:
        read_expression(found[1], found[0])
    return value


Value = Annotated[str, Field(max_length=1_000), AfterValidator(_readable)]
"""A value as it stands, or `{{ an expression }}`."""


def _given(value: str | tuple[str, ...]) -> str | tuple[str, ...]:
    if isinstance(value, str):
        return _readable(value)
    if any("{{" in item for item in value):
        raise wrong("wrong-value", "an item of a list stands as it is", "write `{{ … }}` for the whole list")
    return value


Given = Annotated[str | tuple[str, ...], AfterValidator(_given)]
"""A value as it stands, a list of such, or `{{ an expression }}`."""


def _block(value: str) -> str:
    name = value.removeprefix("blocks/")
    if not KEBAB.fullmatch(name):
        raise wrong("bad-id", f"`{value}` is no block", "write it like `blocks/reminder`")
    return name


def _tags(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Tag = Annotated[str, Field(min_length=1, max_length=64)]
Tags = Annotated[
    tuple[Tag, ...],
    BeforeValidator(_tags, json_schema_input_type=str | list[str]),
    Field(min_length=1, max_length=50),
]
"""A tag, or a list of tags."""


class SetStep(StepKeys):
    """Remember values under names of this run."""

    set: Annotated[dict[Name, Condition], Field(min_length=1, max_length=50)] = Field(
        description="Names, and for each the expression whose value it gets: `{total: event.total * 2}`."
    )


class ScoreArguments(Written):
    """How the lead's score changes."""

    add: Value | None = Field(None, description="Add this number (take away, if it is below zero).")
    set_: Value | None = Field(None, alias="set", description="Make it this number.")

    @model_validator(mode="after")
    def _one_of_two(self) -> ScoreArguments:
        if (self.add is None) == (self.set_ is None):
            raise wrong("wrong-value", "a score changes by `add` or by `set`", "write one of the two")
        return self


class TagsArguments(Written):
    """Which tags the lead gets and loses."""

    add: Tags | None = Field(None, description="Tags that the lead gets.")
    remove: Tags | None = Field(None, description="Tags that the lead loses.")


class UpdateArguments(Written):
    """What changes about the lead: stage, score, tags, and any attribute of dripline.yaml by its name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Given]

    stage: Value | None = Field(None, description="Where the lead is on its way, like `nurtured`.")
    stage_reason: Value | None = Field(
        None, description="Why the stage changes: kept with it, and told by `lead.lost`."
    )
    score: ScoreArguments | None = Field(None, description="`{add: 10}` or `{set: 0}`.")
    tags: TagsArguments | None = Field(None, description="`{add: [vip], remove: [new]}`.")

    @property
    def attributes(self) -> dict[str, str | tuple[str, ...]]:
        """The workspace's attributes that change."""
        return dict(self.__pydantic_extra__ or {})


class UpdateStep(StepKeys):
    """Change the lead."""

    update: UpdateArguments = Field(description="What changes: stage, score, tags, attributes.")


class IncludeArguments(Written):
    """Which block, and what its names are."""

    block: Annotated[str, AfterValidator(_block)] = Field(description="The block, like `blocks/reminder`.")
    with_: dict[Name, Condition] = Field(
        default_factory=dict,
        alias="with",
        description="The names that the block wants, and for each the expression whose value it gets.",
    )


class EnrollStep(StepKeys):
    """Let the lead enter another journey."""

    enroll: JourneyId = Field(description="The journey that the lead enters.")


class UnenrollStep(StepKeys):
    """End another journey for this lead."""

    unenroll: JourneyId = Field(description="The journey that ends for this lead.")
