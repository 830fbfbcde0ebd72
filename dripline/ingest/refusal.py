"""Saying no: what was wrong with what came in, in words for the caller and without its values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One thing wrong with one field; `field` is a dotted path (`attributes.birthday`), "" the whole."""

    field: str
    detail: str


class Refused(Exception):
    """Not taken, and nothing was changed. `status` is the HTTP status that says so, `code` is stable."""

    def __init__(self, status: int, code: str, detail: str, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)


def invalid(errors: Iterable[FieldError]) -> Refused:
    """The refusal of input whose fields do not hold what they must."""
    return Refused(422, "invalid", "Some fields do not hold what they must.", errors)


def unknown_lead() -> Refused:
    """The refusal of something said of a lead that nobody has told us about."""
    return Refused(404, "unknown-lead", "There is no such lead. Create it first with PUT /v1/leads.")


def erased_lead() -> Refused:
    """The refusal of something said of a lead whose data was erased."""
    return Refused(410, "erased-lead", "This lead was erased; nothing is kept of it any more.")
