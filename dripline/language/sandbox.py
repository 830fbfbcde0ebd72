"""What expressions and templates are evaluated in: Jinja2's sandbox, made narrower.

Only items of mappings and lists are reachable, never an attribute or a method of Python; every operator is
ours, so that what is lacking is Empty by one rule and no value grows without bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup, escape

from dripline.language.filters import ARGUMENTS, FILTERS, TESTS
from dripline.language.recommending import FUNCTION, RECOMMEND, RECOMMENDED, Recommend
from dripline.language.values import Empty, EmptyType, EvaluationError, or_empty

MAX_TEXT = 10_000
"""Characters that an operator may make of texts."""
MAX_NUMBER = 1e15
"""Size that an operator may make of numbers."""
MAX_DAYS = 36_525
"""Days that `days(n)` and `hours(n)` may reach."""

_LOOP = frozenset({"index", "index0", "first", "last", "length"})


class _Code(CodeGenerator):
    """Hands comparisons and `~` to the environment, as the sandbox does with the other operators."""

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802 (the name is Jinja2's)
        self.write("environment.compare(")
        self.visit(node.expr, frame)
        for operand in node.ops:
            self.write(f", {operand.op!r}, ")
            self.visit(operand.expr, frame)
        self.write(")")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 (the name is Jinja2's)
        self.write("environment.join_texts(")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write(")")


class Sandbox(SandboxedEnvironment):
    """A Jinja2 environment in which data is all there is."""

    code_generator_class = _Code
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})
    links: frozenset[str] = frozenset()
    """Names of the links that can be asked for."""
    recommends = True
    """Whether products can be asked for: whoever evaluates has looked what there is, under RECOMMENDED."""

    def __init__(self, **options: Any) -> None:
        # Folding constants at compile time would go round the operators below.
        super().__init__(undefined=EmptyType, optimized=False, cache_size=0, **options)
        self.globals = {"days": days, "hours": hours, FUNCTION: RECOMMEND}
        self.filters = dict(FILTERS)
        self.tests = dict(TESTS)
        self.arguments = dict(ARGUMENTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An item of the data; never an attribute of Python."""
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An item of a mapping by its name, of a list by its place; Empty where there is none."""
        if isinstance(obj, Mapping) and isinstance(argument, str):
            return or_empty(obj.get(argument))
        if isinstance(obj, (list, tuple)) and type(argument) is int and -len(obj) <= argument < len(obj):
            return or_empty(obj[argument])
        return Empty

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 (as the base class)
        """Call `days`, `hours` or `recommend`; nothing else can be called."""
        if isinstance(__obj, Recommend) and args and not kwargs:
            return __obj.chosen(__context.get(RECOMMENDED), *args[1:])
        if __obj not in (days, hours) or len(args) != 1 or kwargs:
            raise EvaluationError("cannot-call")
        return __obj(args[0])

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic: with Empty it stays Empty, and results are bounded."""
        if left is Empty or right is Empty:
            return Empty
        if isinstance(left, str) and isinstance(right, str) and operator == "+":
            return self.join_texts(left, right)
        if _is_number(left) and _is_number(right):
            return _bounded(_ARITHMETIC, operator, left, right)
        if isinstance(left, (date, timedelta)) and isinstance(right, (date, timedelta)):
            return _bounded(_TIMES, operator, left, right)
        raise EvaluationError("cannot-calculate")

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:
        """The sign of a number or a length of time."""
        if arg is Empty:
            return Empty
        if not _is_number(arg) and not isinstance(arg, timedelta):
            raise EvaluationError("cannot-calculate")
        return -arg if operator == "-" else arg

    def compare(self, left: Any, *rest: Any) -> bool:
        """`left op right op right …`, each pair by the table of Empty."""
        for operator, right in zip(rest[::2], rest[1::2], strict=True):
            if not _holds(operator, left, right):
                return False
            left = right
        return True

    def join_texts(self, *parts: Any) -> Any:
        """The texts of the parts in a row (`~`); Empty if one is."""
        if any(part is Empty for part in parts):
            return Empty
        texts = [plain_text(part) for part in parts]
        if sum(map(len, texts)) > MAX_TEXT:
            raise EvaluationError("too-long")
        if any(isinstance(text, Markup) for text in texts):
            return Markup().join(escape(text) for text in texts)
        return "".join(texts)


def plain_text(value: Any) -> str:
    """A value as text where no language asks for more; mappings, lists and Empty have none."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if _is_number(value):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise EvaluationError("empty-value" if value is Empty or value is None else "not-a-text")


def days(count: Any) -> Any:
    """So many days, as a length of time."""
    return _length(count, 1)


def hours(count: Any) -> Any:
    """So many hours, as a length of time."""
    return _length(count, 24)


def _length(count: Any, in_a_day: int) -> Any:
    if count is Empty:
        return Empty
    if not _is_number(count):
        raise EvaluationError("cannot-calculate")
    if not abs(count) <= MAX_DAYS * in_a_day:
        raise EvaluationError("too-large")
    return timedelta(days=count / in_a_day)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
_TIMES: dict[str, Callable[[Any, Any], Any]] = {"+": lambda a, b: a + b, "-": lambda a, b: a - b}


def _bounded(table: dict[str, Callable[[Any, Any], Any]], operator: str, left: Any, right: Any) -> Any:
    if operator not in table:
        raise EvaluationError("cannot-calculate")
    if any(_is_number(value) and not abs(value) <= MAX_NUMBER for value in (left, right)):
        raise EvaluationError("too-large")
    try:
        result = table[operator](left, right)
    except ZeroDivisionError:
        raise EvaluationError("division-by-zero") from None
    except OverflowError:
        raise EvaluationError("too-large") from None
    except TypeError:
        raise EvaluationError("cannot-calculate") from None
    if isinstance(result, float) and not math.isfinite(result):
        raise EvaluationError("too-large")
    return result


def _holds(operator: str, left: Any, right: Any) -> bool:
    if operator in ("ne", "notin"):
        return not _holds("eq" if operator == "ne" else "in", left, right)
    if left is Empty or right is Empty:
        return False
    if operator == "eq":
        return bool(left == right)
    if operator == "in":
        return _contains(right, left)
    if not _comparable(left, right):
        raise EvaluationError("cannot-compare")
    try:
        return _ORDER[operator](left, right)
    except TypeError:
        raise EvaluationError("cannot-compare") from None


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lambda a, b: bool(a < b),
    "lteq": lambda a, b: bool(a <= b),
    "gt": lambda a, b: bool(a > b),
    "gteq": lambda a, b: bool(a >= b),
}


def _comparable(left: Any, right: Any) -> bool:
    if _is_number(left) or _is_number(right):
        return _is_number(left) and _is_number(right)
    if isinstance(left, datetime) or isinstance(right, datetime):
        return isinstance(left, datetime) and isinstance(right, datetime)
    return any(isinstance(left, kind) and isinstance(right, kind) for kind in (str, date, timedelta))


def _contains(container: Any, member: Any) -> bool:
    if isinstance(container, str):
        if not isinstance(member, str):
            raise EvaluationError("cannot-compare")
        return member in container
    if isinstance(container, Mapping):
        return isinstance(member, str) and member in container
    if isinstance(container, (list, tuple)):
        return any(member == item for item in container)
    raise EvaluationError("cannot-compare")
