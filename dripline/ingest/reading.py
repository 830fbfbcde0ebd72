"""Events as said, read against the workspace: names, properties, and who is meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from dripline.ingest.identity import Reference, read_reference
from dripline.ingest.incoming import EventIn
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.ingest.words import field_errors
from dripline.language.who_tells import OURS
from dripline.language.workspace import FieldErrors, Workspace


@dataclass(frozen=True)
class Row:
    """One row of a batch that can be read: what it says, who it means, and the id that its event gets."""

    index: int
    said: EventIn
    reference: Reference
    properties: Mapping[str, Any]
    event_id: str


@dataclass(frozen=True)
class Outcome:
    """What became of one row of a batch."""

    index: int
    new: bool = False
    refusal: Refused | None = None


def coerced_properties(name: str, properties: Mapping[str, Any], workspace: Workspace) -> dict[str, Any]:
    """The properties by their declared types. Raises Refused, field by field, with "did you mean"."""
    try:
        return workspace.coerce_event(name, properties)
    except FieldErrors as error:
        at = "properties." if name in workspace.events else ""  # else it is the event's name that is wrong
        raise invalid(FieldError(at + field, words) for field, words in error.errors) from None


def refuse_ours(name: str) -> None:
    """Refuse (422) what somebody else says in Dripline's name: journeys and figures go by it."""
    if name in OURS:
        detail = f"Only Dripline itself tells `{name}`, when it is so; nothing was recorded."
        raise Refused(422, "own-event", detail, [FieldError("name", "is told by Dripline alone")])


def read_rows(
    rows: list[Any], workspace: Workspace, new_id: Callable[[int], str], *, trying: bool = False
) -> tuple[list[Row], list[Outcome]]:
    """The rows that can be read, and the refusals of those that cannot. `trying`: Dripline's own events, too."""
    good: list[Row] = []
    bad: list[Outcome] = []
    for index, row in enumerate(rows):
        try:
            good.append(_read_row(index, row, workspace, new_id, trying))
        except Refused as refusal:
            bad.append(Outcome(index, refusal=refusal))
    return good, bad


def _read_row(index: int, row: Any, workspace: Workspace, new_id: Callable[[int], str], trying: bool) -> Row:
    try:
        said = EventIn.model_validate(row)
    except ValidationError as error:
        raise invalid(field_errors(error.errors())) from None
    if not trying:
        refuse_ours(said.name)
    properties = coerced_properties(said.name, said.properties, workspace)
    reference = read_reference(said.lead, workspace.default_region)
    return Row(index, said, reference, properties, said.id or new_id(index))
