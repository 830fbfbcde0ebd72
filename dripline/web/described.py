"""The OpenAPI document: FastAPI's, with what is answered when something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from dripline.web.shapes import Problem

PROBLEM = "application/problem+json"
_PROBLEM = {
    "description": "A problem (RFC 9457)",
    "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
_ANYWHERE = (400, 413, 503)
"""What every address may answer: an address or a body that cannot be read, one too large, the database away."""
_OF_CALLERS = (401, 403, 422, 429)
_METHODS = ("get", "put", "post", "patch", "delete", "head", "options", "trace")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems that an operation answers, for its `responses`."""
    return dict.fromkeys(statuses, _PROBLEM)


def describe(app: FastAPI) -> None:
    """Complete the app's document, whatever routes it has."""
    made = app.openapi

    def described() -> dict[str, Any]:
        is_new = app.openapi_schema is None
        document = made()
        if is_new:
            _complete(document)
        return document

    app.openapi = described  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, which we never answer
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    for path, operation in _operations(document):
        answers = operation.setdefault("responses", {})
        is_ours = path.startswith("/v1/")
        for status in (*_ANYWHERE, *(_OF_CALLERS if is_ours else ())):
            known = answers.get(str(status))
            if known is None or "HTTPValidationError" in str(known):
                answers[str(status)] = _PROBLEM
        if "HTTPValidationError" in str(answers.get("422")):
            answers["422"] = _PROBLEM


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document.get("paths", {}).items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield path, operation
