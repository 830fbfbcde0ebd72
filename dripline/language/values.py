"""What a lead or an event lacks, and what goes wrong when a value is not what an expression takes it for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jinja2.runtime import Undefined


class EvaluationError(Exception):
    """An expression or a template that the data does not suit. `code` is stable and says nothing of the data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class EmptyType(Undefined):
    """The type of Empty, of which there is one value."""

    __slots__ = ()
    _only: EmptyType | None = None

    def __new__(cls, *_: Any, **__: Any) -> EmptyType:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "Empty"

    def __str__(self) -> str:
        raise EvaluationError("empty-value")

    def __iter__(self) -> Iterator[Any]:
        raise EvaluationError("empty-value")

    def __len__(self) -> int:
        raise EvaluationError("empty-value")


Empty = EmptyType()
"""What is not there, or is None."""


def or_empty(value: Any) -> Any:
    """The value, or Empty for None."""
    return Empty if value is None else value
