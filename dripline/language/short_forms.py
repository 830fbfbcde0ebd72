"""Short forms of a verb's arguments, as the schema shows them beside the long ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_before_validator_function

SHORT_FOR = "x-short-for"
"""Marks, until the whole schema is known, that what stands here is that key of the long form beside it."""


class ShortForm:
    """`email: welcome/hello` is short for `email: {template: welcome/hello}`: `written_out` makes the one the other.

    What may stand there as the short form is what `key` may have.
    """

    def __init__(self, written_out: Callable[[Any], Any], key: str) -> None:
        self._written_out = written_out
        self._key = key

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self._written_out, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{SHORT_FOR: self._key}, handler(schema)]}
