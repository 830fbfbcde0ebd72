"""The functions of a workspace's `extensions.py`, known without running a line of it."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dripline.language.problems import Problem

FILE = "extensions.py"


@dataclass(frozen=True)
class Function:
    """What may and what must be given to a function, by name."""

    takes: frozenset[str]
    needs: frozenset[str]
    anything: bool = False
    """Whether it has `**` for whatever else is given."""


@dataclass(frozen=True)
class Extensions:
    """What a workspace's engineers have put at its disposal."""

    functions: Mapping[str, Function] = field(default_factory=dict)
    broken: bool = False
    """Whether the file cannot be understood, so that its functions are unknown."""


def find_extensions(root: Path) -> tuple[Extensions, list[Problem]]:
    """The functions at the top of `extensions.py`, those of names that begin with `_` left out."""
    try:
        tree = ast.parse((root / FILE).read_bytes(), FILE)
    except FileNotFoundError:
        return Extensions(), []
    except (SyntaxError, ValueError, RecursionError, OSError) as problem:
        line = getattr(problem, "lineno", None) or 1
        column = getattr(problem, "offset", None) or 1
        told = Problem(FILE, line, column, "bad-python", "error", "this is no Python", "ask an engineer")
        return Extensions(broken=True), [told]
    functions, problems = {}, []
    for node in tree.body:
        if isinstance(node, ast.AsyncFunctionDef):
            message = f"`{node.name}` is asynchronous, which `call` does not support"
            place = (node.lineno, node.col_offset + 1)
            hint = "write it with `def`, or call it `_` something"
            if not node.name.startswith("_"):
                problems.append(Problem(FILE, *place, "async-function", "warning", message, hint))
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            functions[node.name] = _function(node.args)
    return Extensions(functions), problems


IDEMPOTENCY_KEY = "idempotency_key"
"""A parameter that is given by us: the same for every try of one call."""


def _function(args: ast.arguments) -> Function:
    by_name = [*args.args, *args.kwonlyargs]
    optional = args.args[len(args.args) - len(args.defaults) :] if args.defaults else []
    optional = [*optional, *(a for a, d in zip(args.kwonlyargs, args.kw_defaults, strict=True) if d)]
    takes = {a.arg for a in by_name} - {IDEMPOTENCY_KEY}
    return Function(
        takes=frozenset(takes),
        needs=frozenset(takes - {a.arg for a in optional}),
        anything=args.kwarg is not None,
    )
