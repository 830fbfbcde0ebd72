"""What is wrong with a field, in plain words instead of the validator's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from dripline.ingest.refusal import FieldError

_WORDS = {
    "missing": "is required",
    "extra_forbidden": "is not a field that stands here",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "list_type": "must be a list",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "timezone_aware": "must have an offset, such as Z or +04:00",
    "datetime_type": "must be a time in ISO 8601, such as 2026-03-02T10:00:00+04:00",
    "datetime_parsing": "must be a time in ISO 8601, such as 2026-03-02T10:00:00+04:00",
    "datetime_from_date_parsing": "must be a time in ISO 8601, such as 2026-03-02T10:00:00+04:00",
    "date_parsing": "must be a day in ISO 8601, such as 2026-03-31",
    "date_from_datetime_parsing": "must be a day in ISO 8601, such as 2026-03-31",
    "literal_error": "is not one of what may stand here",
    "json_invalid": "is not valid JSON",
    "topic": 'must be true, false or null, or say so by channel, such as {"email": true, "sms": false}',
}


def field_errors(errors: Iterable[Mapping[str, Any]], skip: int = 0) -> Iterator[FieldError]:
    """pydantic's errors in our words, without the values. `skip` levels of the location are left out."""
    seen = set()
    for error in errors:
        path = [str(part) for part in error["loc"][skip:] if not _is_tag(part)]
        said = FieldError(".".join(path), _words(error))
        if said not in seen:
            seen.add(said)
            yield said


def _words(error: Mapping[str, Any]) -> str:
    kind, limits = error["type"], error.get("ctx") or {}
    if kind == "string_too_long":
        return f"must be at most {limits['max_length']} characters long"
    if kind == "string_too_short":
        return "must not be empty"
    if kind == "too_long":
        return f"must hold at most {limits['max_length']} entries"
    if kind in ("less_than_equal", "greater_than_equal"):
        limit = limits.get("le", limits.get("ge"))
        said = limit if isinstance(limit, int | float) else str(limit)[:10]  # of a time, the day
        return f"must be {'at most' if 'le' in limits else 'at least'} {said}"
    return _WORDS.get(kind, "does not hold what it must")


def _is_tag(part: object) -> bool:
    """The names that pydantic gives to the arms of a union and to keys are no level of the input."""
    return part == "[key]" or (isinstance(part, str) and (part == "LeadRef" or "constrained-str" in part))
