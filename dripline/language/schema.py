"""The JSON Schema of each kind of file, made from the models: what an editor completes, explains and marks.

It is draft-07, which editors know best. YAML's own types are an editor's, so a plain text may look like a number to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from dripline.language.blocks import Block
from dripline.language.model import Journey
from dripline.language.scenario import Scenario
from dripline.language.short_forms import SHORT_FOR
from dripline.language.workspace import Workspace

Kind = Literal["journey", "workspace", "scenario", "block"]

_ROOTS: Mapping[str, tuple[Any, str]] = {
    "journey": (Journey, "A journey of Dripline"),
    "workspace": (Workspace, "The workspace file of Dripline, dripline.yaml"),
    "block": (Block, "A block of Dripline: steps that journeys share"),
    "scenario": (tuple[Scenario, ...], "Scenarios of a journey of Dripline"),
}
_NEVER: dict[str, Any] = {"not": {}}
"""How something that the language defines and this release refuses is marked in the models."""


def schema_of(kind: Kind) -> dict[str, Any]:
    """The JSON Schema of that kind of file."""
    root, title = _ROOTS[kind]
    made = TypeAdapter(root).json_schema(
        by_alias=True, mode="validation", schema_generator=GenerateJsonSchema
    )
    schema = _tidy(made)
    definitions = schema.pop("$defs", {})
    schema, definitions = _short_forms(schema, definitions), _short_forms(definitions, definitions)
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", **schema, "title": title}
    _share_steps(schema, definitions)
    for name, definition in definitions.items():
        if "title" in definition:
            definition["title"] = _words(name)
    if definitions:
        schema["$defs"] = dict(sorted(definitions.items()))
    return schema


def _words(name: str) -> str:
    """What an editor calls a part of the file: `WaitForStep` is a `wait_for` step, `Trigger` the trigger."""
    verb = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.removesuffix("Step").removesuffix("Arguments")).lower()
    return (
        f"{verb} step"
        if name.endswith("Step")
        else f"{verb}, in full"
        if name.endswith("Arguments")
        else verb
    )


def as_text(schema: Mapping[str, Any]) -> str:
    """The schema as it stands in a file."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _tidy(node: Any) -> Any:
    if isinstance(node, list):
        return [_tidy(item) for item in node]
    if not isinstance(node, dict):
        return node
    tidied = {key: _tidy(value) for key, value in node.items() if key != "properties"}
    if "properties" in node:
        tidied["properties"] = {
            name: _property(_tidy(value)) for name, value in node["properties"].items() if not _refused(value)
        }
    if "default" in tidied and (tidied["default"] is None or isinstance(tidied["default"], dict | list)):
        del tidied["default"]
    tidied = _without_null(tidied)
    if tidied.get("type") == "string" and not tidied.keys() & {"pattern", "enum", "const"}:
        tidied["type"] = ["string", "number", "boolean"]  # YAML is read as text: `stop: 2026` is one
    return tidied


def _property(schema: Any) -> Any:
    """Without the title that pydantic makes of the name."""
    return {key: value for key, value in schema.items() if key != "title"}


def _refused(schema: Mapping[str, Any]) -> bool:
    return bool(schema.get("not", ...) == _NEVER["not"])


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """What may be left out is left out, not null: the one other way stands in its place."""
    ways = schema.get("anyOf")
    if ways is None or {"type": "null"} not in ways:
        return schema
    rest = [way for way in ways if way != {"type": "null"}]
    others = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**rest[0], **others} if len(rest) == 1 else {**others, "anyOf": rest}


def _short_forms(node: Any, definitions: Mapping[str, Any]) -> Any:
    """Each short form is what the key may be that it is short for."""
    if isinstance(node, list):
        return [_short_forms(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    ways = node.get("anyOf", [])
    if ways and SHORT_FOR in ways[0]:
        long_form = definitions[ways[1]["$ref"].rpartition("/")[2]]
        node = {**node, "anyOf": [long_form["properties"][ways[0][SHORT_FOR]], ways[1]]}
    return {key: _short_forms(value, definitions) for key, value in node.items()}


def _share_steps(schema: dict[str, Any], definitions: dict[str, Any]) -> None:
    """A step is spelt out once, not in every list of steps."""
    steps = schema.get("properties", {}).get("steps", {}).get("items")
    if steps is None:
        return

    def share(node: Any) -> Any:
        if node == steps:
            return {"$ref": "#/$defs/Step"}
        if isinstance(node, list):
            return [share(item) for item in node]
        if isinstance(node, dict):
            return {key: share(value) for key, value in node.items()}
        return node

    for name, definition in list(definitions.items()):
        definitions[name] = share(definition)
    definitions["Step"] = {"description": "One step: exactly one verb, and what belongs to it.", **steps}
    schema["properties"]["steps"] = {**schema["properties"]["steps"], "items": {"$ref": "#/$defs/Step"}}
