"""What every step may have beside its verb."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from dripline.language.kinds import Condition, Name, StepId, Text
from dripline.language.load import Written
from dripline.language.short_forms import ShortForm


class StepKeys(Written):
    """A step of any verb."""

    id: StepId | None = Field(None, description="A name of your own for reports; without it one is derived.")
    if_: Condition | None = Field(None, alias="if", description="The step is skipped unless this holds.")
    note: Text | None = Field(None, description="A remark for your colleagues.")


class NamedResult(StepKeys):
    """A step that comes to something."""

    as_: Name | None = Field(None, alias="as", description="The name of the step's result from here on.")


def long_form(key: str) -> Any:
    """Writes a short form out: `wait_for: X` is `wait_for: {event: X}`."""

    def written_out(value: Any) -> Any:
        return {key: value} if isinstance(value, (str, list)) else value

    return ShortForm(written_out, key)
