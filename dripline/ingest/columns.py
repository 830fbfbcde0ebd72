"""Which column of a file is which field of a lead."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dripline.ingest.column_names import COLUMN_NAMES, NO, YES
from dripline.ingest.incoming import LeadIn, TouchIn
from dripline.ingest.refusal import FieldError, Refused
from dripline.language.problems import did_you_mean
from dripline.language.workspace import Workspace

CHANNELS = ("email", "sms")
_GROUPS = ("consent", "topics", "attributes", "consent_proof", "touch")
FIELDS = (
    *(name for name in LeadIn.model_fields if name not in (*_GROUPS, "historical")),
    *(f"touch.{name}" for name in TouchIn.model_fields),
)
IDENTIFYING = ("id", "external_id", "email", "phone")
_OURS = ("rejected_line", "rejected_reason")
_ERRORS = ("#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!")
_SHORTENED = "was shortened by the spreadsheet: make its column text, and write the number again"
_WRONG = {"phone": _SHORTENED, "external_id": _SHORTENED}
_LONG = re.compile(r"\d+(\.\d+)?[eE]\+\d+")


class ColumnError(Exception):
    """The columns cannot be used as they are; a line for each thing that is wrong."""


@dataclass(frozen=True)
class Columns:
    """By position, the field (`email`, `attributes.seats`, `topics.news`, `consent.sms`) of each column, or None."""

    header: tuple[str, ...]
    fields: tuple[str | None, ...]
    kinds: Mapping[str, str]
    """The type of each field that is not text."""

    def said(self, cells: Sequence[str]) -> dict[str, Any]:
        """What a row says of a lead, as the API takes it. An empty cell says nothing. Raises Refused."""
        said: dict[str, Any] = {}
        wrong: list[FieldError] = []
        for field, cell in zip(self.fields, cells, strict=False):
            text = cell.strip()
            if field is None or not text:
                continue
            if text in _ERRORS:
                wrong.append(FieldError(field, f"is an error of the spreadsheet: {text}"))
                continue
            value = self._value(field, text)
            if value is None:
                wrong.append(FieldError(field, _WRONG.get(field, "must be yes or no")))
                continue
            group, dot, name = field.partition(".")
            if dot:
                said.setdefault(group, {})[name] = value
            else:
                said[field] = value
        if wrong:
            raise Refused(422, "invalid", "Some cells do not hold what they must.", wrong)
        return said

    def reason(self, refusal: Refused) -> str:
        """A refusal in the words of the file: its columns, not our fields."""
        names = {field: name for field, name in zip(self.fields, self.header, strict=True) if field}
        if not refusal.errors:
            return refusal.detail
        return "; ".join(f"{names.get(one.field, one.field)} {one.detail}".strip() for one in refusal.errors)

    def _value(self, field: str, text: str) -> Any:
        kind = self.kinds.get(field)
        if kind == "boolean":
            word = text.lower()
            return True if word in YES else False if word in NO else None
        if kind == "list":
            parts = text.replace(";", ",").replace("|", ",").split(",")
            return [part.strip() for part in parts if part.strip()]
        return _number(text) if field in ("phone", "external_id") else text


def map_columns(
    header: tuple[str, ...], workspace: Workspace, given: Mapping[str, str], *, ignore_rest: bool = False
) -> Columns:
    """The columns by their names, or as given: column to field, "" to leave it out. Raises ColumnError.

    Consent is only ever taken from a column that was given: a name alone must not make anybody a subscriber.
    """
    kinds = {f"attributes.{name}": kind for name, kind in workspace.attributes.items()}
    kinds |= dict.fromkeys([f"topics.{name}" for name in workspace.topics], "boolean")
    kinds |= dict.fromkeys([f"consent.{name}" for name in CHANNELS], "boolean")
    problems = [f"there is no column `{name}` to map" for name in given if name not in header]
    by_word = {_word(name): name for name in (*FIELDS, *kinds)}
    by_word |= {_word(name): f"attributes.{name}" for name in workspace.attributes}
    for called, names in COLUMN_NAMES.items():
        if called in (*FIELDS, *kinds):
            by_word = {_word(name): called for name in names} | by_word  # what is declared comes first
    fields: list[str | None] = []
    for name in header:
        if not name or name in _OURS or given.get(name) == "":
            fields.append(None)
            continue
        field = by_word.get(_word(given.get(name, name)))
        if field is None and not (ignore_rest and name not in given):
            problems.append(_unknown(name, given, by_word))
        elif field is not None and field.startswith("consent.") and name not in given:
            problems.append(
                f"column `{name}` gives consent: say so with --map '{name}={field}', or leave it out with"
                f" --map '{name}='"
            )
        elif field == "id" and name not in given:
            problems.append(
                f"column `{name}`: say --map '{name}=external_id' where the ids are yours, or --map '{name}=id'"
                " where they are Dripline's"
            )
        elif field is not None and field in fields:
            problems.append(f"column `{name}` is `{field}`, as another is: leave it out with --map '{name}='")
        fields.append(field)
    if not problems and not any(field in IDENTIFYING for field in fields):
        problems.append("no column says who a lead is: one of external_id, email, phone is needed")
    if problems:
        raise ColumnError("\n".join(problems))
    return Columns(header, tuple(fields), kinds)


def _unknown(name: str, given: Mapping[str, str], by_word: Mapping[str, str]) -> str:
    meant = given.get(name, name)
    hint = did_you_mean(meant, [field.removeprefix("attributes.") for field in by_word.values()])
    if name in given:
        return f"--map '{name}={meant}': leads have no field `{meant}`" + (f", {hint}" if hint else "")
    told = f"column `{name}` is no field of a lead and no attribute of the workspace"
    return f"{told}: {hint}" if hint else told


def _word(name: str) -> str:
    """Names that differ in case, spaces or hyphens alone are the same: `First Name` is `first_name`."""
    return "".join(letter for letter in name.casefold() if letter.isalnum() or letter == ".")


def _number(text: str) -> str | None:
    """A number that a spreadsheet took for one to reckon with, as it was written: `37491123456.0`, `3.7491123456E+10`.

    None where digits are lost.
    """
    text = text.removeprefix("'")
    if not _LONG.fullmatch(text):
        return text[:-2] if text.endswith(".0") and text[:-2].isdecimal() else text
    digits = Decimal(text)
    written = len(digits.as_tuple().digits)
    return f"{digits:f}" if digits == digits.to_integral_value() and written > digits.adjusted() else None
