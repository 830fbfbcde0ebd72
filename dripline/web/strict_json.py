"""JSON as strict as the store needs it: UTF-8, no NUL, no lone surrogates, 64-bit numbers, no absurd depth."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from dripline.ingest.refusal import FieldError
from dripline.web.problems import UnreadableBody

MAX_DEPTH = 32
"""Levels of lists and objects within one another."""

_BOUND = 2**63


def read_json(body: bytes) -> Any:
    """The value that a body holds. Raises UnreadableBody: 400 for what is no JSON, 422 for what cannot be kept."""
    value = parse_json(body)
    refuse_what_cannot_be_kept(value)
    return value


def parse_json(body: bytes) -> Any:
    """The value, of which parts may be more than can be kept. Raises UnreadableBody."""
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        raise UnreadableBody(400, "The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise UnreadableBody(
            400, f"The body is not JSON: line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise UnreadableBody(422, f"The body is nested more than {MAX_DEPTH} levels deep.") from None


class StrictRoute(APIRoute):
    """A route whose JSON body is read by `read_json`, and that takes no other kind of body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own, over a stricter request."""
        original = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if request.method in ("POST", "PUT", "PATCH"):
                kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind != "application/json":
                    raise UnreadableBody(415, "The body must be JSON: send Content-Type: application/json.")
            return await original(_StrictRequest(request.scope, request.receive))

        return handle


class _StrictRequest(Request):
    async def json(self) -> Any:
        return read_json(await self.body())


class _Beyond:
    """Stands for a number that cannot be kept, until it is known where it stands."""


_BEYOND = _Beyond()


def _integer(digits: str) -> int | _Beyond:
    return _BEYOND if len(digits) > 20 or not -_BOUND <= int(digits) < _BOUND else int(digits)


def _float(digits: str) -> float | _Beyond:
    number = float(digits)
    return _BEYOND if math.isinf(number) else number


def _constant(name: str) -> None:
    raise UnreadableBody(400, f"The body is not JSON: {name} is no JSON number.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise UnreadableBody(
            400, "An object of the body has the same key twice.", [FieldError(twice, "stands there twice")]
        )
    return made


def refuse_what_cannot_be_kept(value: Any) -> None:
    """Raises UnreadableBody (422) for NUL, half characters, numbers beyond 64 bits, and absurd depth."""
    todo: list[tuple[str, int, Any]] = [("", 0, value)]
    while todo:
        path, depth, here = todo.pop()
        if depth > MAX_DEPTH:
            raise UnreadableBody(422, f"The body is nested more than {MAX_DEPTH} levels deep.")
        if here is _BEYOND:
            raise UnreadableBody(
                422, "The body holds a number beyond 64 bits.", [FieldError(path, "is beyond 64 bits")]
            )
        if isinstance(here, str):
            _refuse_bad_text(path, here)
        elif isinstance(here, list):
            todo += [(f"{path}.{index}".lstrip("."), depth + 1, item) for index, item in enumerate(here)]
        elif isinstance(here, dict):
            for key, item in here.items():
                _refuse_bad_text(path, key)
                todo.append((f"{path}.{key}".lstrip("."), depth + 1, item))


def _refuse_bad_text(path: str, text: str) -> None:
    if "\x00" in text:
        raise UnreadableBody(
            422, "The body holds a NUL character.", [FieldError(path, "holds a NUL character")]
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableBody(
            422,
            "The body holds half a character.",
            [FieldError(path, "holds half a character (a surrogate)")],
        ) from None
