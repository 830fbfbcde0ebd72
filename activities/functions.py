"""The functions of a workspace's extensions.py: imported once by the worker, called by steps."""

from __future__ import annotations

import importlib.util
import inspect
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from activities.storable import storable
from dripline.language.extensions import FILE, IDEMPOTENCY_KEY

MAX_RESULT = 256 * 1024
"""Bytes of a function's result, as JSON."""


class CallFailed(Exception):
    """A call that came to nothing. `code` names the kind of the failure, never what it said: that may quote a lead."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Functions:
    """The functions at the top of extensions.py whose names do not begin with `_`."""

    def __init__(self, module: ModuleType | None) -> None:
        self._module = module

    @classmethod
    def of(cls, root: Path) -> Functions:
        """Import a workspace's extensions.py; one that is not there has no functions. Raises what it raises."""
        file = (root / FILE).resolve()
        if not file.exists():
            return cls(None)
        spec = importlib.util.spec_from_file_location("dripline_extensions", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module  # as for any import: dataclasses and pickles look there
        spec.loader.exec_module(module)
        return cls(module)

    def call(self, key: str, name: str, arguments: Mapping[str, Any]) -> Any:
        """What the function gives back, as plain JSON. Raises CallFailed, the cause in its `__cause__`."""
        function = getattr(self._module, name, None)
        if name.startswith("_") or not inspect.isfunction(function):
            raise CallFailed("unknown-function")
        given = dict(arguments)
        if IDEMPOTENCY_KEY in inspect.signature(function).parameters:
            given[IDEMPOTENCY_KEY] = key
        try:
            found = function(**given)
        except Exception as problem:
            raise CallFailed(type(problem).__name__) from problem
        return _plain(found)


def _plain(found: Any) -> Any:
    try:
        text = json.dumps(storable(json.loads(json.dumps(found, allow_nan=False))))
    except (TypeError, ValueError, RecursionError):
        raise CallFailed("no-json") from None
    if len(text) > MAX_RESULT:
        raise CallFailed("result-too-large")
    return json.loads(text)
