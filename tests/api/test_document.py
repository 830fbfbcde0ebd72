"""The OpenAPI document says everything, of every route, whoever added it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from dripline.web.described import PROBLEM
from dripline.web.segment.addresses import METRICS, SHORT
from tests.api.routes import routes_of
from tests.web.conftest import Opened, open_app  # noqa: F401  (the fixture)

_BY_OTHER_NAMES = {f"/v1/{name}" for name in (*SHORT.values(), "b", METRICS)}
"""What is in the document by the name that people use."""
_METHODS = ("get", "put", "post", "patch", "delete")


@pytest.fixture
def client(open_app: Opened) -> TestClient:  # noqa: F811
    return open_app()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method in _METHODS:
                yield method.upper(), path, operation


def test_every_route_of_the_api_is_in_the_document(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    described = {(method, path) for method, path, _ in _operations(document)}
    there = {
        (method, route.path)
        for route in routes_of(client.app)
        for method in route.methods or ()
        if route.path.startswith(("/v1/", "/webhooks/", "/health", "/ready"))
        and method not in ("HEAD", "OPTIONS")
        and route.path not in _BY_OTHER_NAMES
    }
    assert there == described


def test_every_operation_says_what_it_is_for(client: TestClient) -> None:
    silent = [
        f"{method} {path}"
        for method, path, operation in _operations(client.get("/openapi.json").json())
        if not operation.get("summary") or not operation.get("tags")
    ]
    assert silent == []


def test_every_answer_has_a_description_a_shape_and_an_example(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas = document["components"]["schemas"]
    wanting = []
    for method, path, operation in _operations(document):
        for status, answer in operation["responses"].items():
            where = f"{method} {path} {status}"
            if answer["description"] in ("", "Successful Response"):
                wanting.append(f"{where}: no description")
            for kind, content in answer.get("content", {}).items():
                if kind == "application/json" and not _has_examples(content.get("schema", {}), schemas):
                    wanting.append(f"{where}: no schema with examples")
            if path.startswith("/v1/") and status[0] == "2" and "content" not in answer:
                wanting.append(f"{where}: no content")
    assert wanting == []


def test_every_operation_tells_of_the_problems_that_any_may_have(client: TestClient) -> None:
    wanting = []
    for method, path, operation in _operations(client.get("/openapi.json").json()):
        known = operation["responses"]
        expected = {"400", "413", "503"} | (
            {"401", "403", "422", "429"} if path.startswith("/v1/") else set()
        )
        wanting += [f"{method} {path} {status}" for status in expected - set(known)]
        problems = [
            status
            for status, answer in known.items()
            if status.startswith("4") and PROBLEM not in answer.get("content", {})
        ]
        wanting += [f"{method} {path} {status}: not a problem" for status in problems]
    assert wanting == []


def test_every_address_of_the_api_says_which_key_it_needs(client: TestClient) -> None:
    operations = _operations(client.get("/openapi.json").json())
    assert [path for _, path, one in operations if path.startswith("/v1/") and not one.get("security")] == []


def _has_examples(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether the schema, or every property of it, has an example."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if "example" in schema or "examples" in schema:
        return True
    if schema.get("type") == "array":
        return _has_examples(schema["items"], schemas)
    fields = schema.get("properties", {})
    return bool(fields) and all(_has_examples(one, schemas) for one in fields.values())
