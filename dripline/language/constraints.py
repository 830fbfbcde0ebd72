"""What conditions leave of the values that are compared with constants: enough to see that nothing is left.

A state says what each path can still be; a condition narrows it to the states in which it holds. Whatever is not
a comparison with a constant narrows nothing, so that a state is never smaller than the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import nodes

from dripline.language.grammar import dotted_path

MAX_STATES = 64
"""States that are told apart; beyond that a condition narrows nothing."""
_FALSY = frozenset({0, ""})
_MIRRORED = {"lt": "gt", "lteq": "gteq", "gt": "lt", "gteq": "lteq", "eq": "eq", "ne": "ne"}
_NEGATED = {"lt": "gteq", "lteq": "gt", "gt": "lteq", "gteq": "lt", "eq": "ne", "ne": "eq"}


@dataclass(frozen=True)
class Bound:
    """An end of what a number or a text can be."""

    value: Any
    inclusive: bool


@dataclass(frozen=True)
class Domain:
    """What a value can still be."""

    empty: bool = True
    """Whether it may be Empty."""
    there: bool = True
    """Whether it may be anything else."""
    only: frozenset[Any] | None = None
    never: frozenset[Any] = frozenset()
    low: Bound | None = None
    high: Bound | None = None
    whole: bool = False
    """Whether it is a whole number."""

    def filled(self) -> Domain:
        """The same without Empty."""
        return replace(self, empty=False)

    def lacking(self) -> Domain:
        """Nothing but Empty."""
        return replace(self, there=False)

    def one_of(self, values: frozenset[Any]) -> Domain:
        """One of those values."""
        return replace(self, only=values if self.only is None else self.only & values)

    def none_of(self, values: frozenset[Any]) -> Domain:
        """None of those values."""
        return replace(self, never=self.never | values)

    def beyond(self, operator: str, value: Any) -> Domain:
        """On that side of the value."""
        bound = Bound(value, operator in ("lteq", "gteq"))
        if operator in ("gt", "gteq"):
            return replace(self, low=_nearer(self.low, bound, max))
        return replace(self, high=_nearer(self.high, bound, min))

    @property
    def possible(self) -> bool:
        """Whether any value is left."""
        return self.empty or (self.there and self._some_value())

    def _some_value(self) -> bool:
        if self.only is not None:
            return any(value not in self.never and self._within(value) for value in self.only)
        if self.low is None or self.high is None:
            return True
        low, high = self.low.value, self.high.value
        if not isinstance(low, str) and self.whole and high - low <= MAX_STATES:
            numbers = range(int(low) - 1, int(high) + 2)
            return any(self._within(number) and number not in self.never for number in numbers)
        if low == high:
            return self.low.inclusive and self.high.inclusive and low not in self.never
        return bool(low < high)

    def _within(self, value: Any) -> bool:
        try:
            above = (
                self.low is None or value > self.low.value or (self.low.inclusive and value == self.low.value)
            )
            below = self.high is None or value < self.high.value
            return above and (
                below or (self.high is not None and self.high.inclusive and value == self.high.value)
            )
        except TypeError:
            return False


def _nearer(known: Bound | None, bound: Bound, choose: Callable[..., Any]) -> Bound:
    if known is None or isinstance(known.value, str) != isinstance(bound.value, str):
        return bound
    if known.value == bound.value:
        return known if not known.inclusive else bound
    return known if choose(known.value, bound.value) == known.value else bound


Begin = Callable[[str], Domain]
"""What a path can be before any condition."""


@dataclass(frozen=True)
class State:
    """What each path can still be."""

    begin: Begin
    known: Mapping[str, Domain]

    def of(self, key: str) -> Domain:
        """What that path can still be."""
        return self.known.get(key) or self.begin(key)

    def narrowed(self, key: str, domain: Domain) -> list[State]:
        """The state in which the path is that; none where it cannot be."""
        return [State(self.begin, {**self.known, key: domain})] if domain.possible else []

    def without(self, gone: Callable[[str], bool]) -> State:
        """What is known of other paths than those."""
        return State(self.begin, {key: known for key, known in self.known.items() if not gone(key)})


def anything(_: str) -> Domain:
    """Nothing is known of any path."""
    return Domain()


def holding(node: nodes.Node, states: list[State], truth: bool = True) -> list[State]:
    """The states in which the condition holds, or does not."""
    found = [one for state in states for one in _holding(node, state, truth)]
    return found if len(found) <= MAX_STATES else states


def _holding(node: nodes.Node, state: State, truth: bool) -> list[State]:
    match node:
        case nodes.And() | nodes.Or():
            first = holding(node.left, [state], truth)
            if isinstance(node, nodes.And) == truth:
                return holding(node.right, first, truth)
            # That the left did not hold is left out: to ask that, too, would double the work at every `or`.
            return first + holding(node.right, [state], truth)
        case nodes.Not():
            return holding(node.node, [state], not truth)
        case nodes.Const():
            return [state] if bool(node.value) == truth else []
        case nodes.CondExpr() if node.expr2 is not None:
            return holding(node.expr1, [state], truth) + holding(node.expr2, [state], truth)
        case nodes.Compare():
            return _compared(node, state, truth)
        case nodes.Test() if node.name in ("defined", "empty"):
            key = key_of(node.node)
            if key is None:
                return [state]
            here = (node.name == "defined") == truth
            domain = state.of(key)
            return state.narrowed(key, domain.filled() if here else domain.lacking())
    key = key_of(node)
    if key is None:
        return [state]
    domain = state.of(key)
    return state.narrowed(key, domain.filled().none_of(_FALSY) if truth else _or_falsy(domain))


def _or_falsy(domain: Domain) -> Domain:
    """Empty, nought, or nothing: a list of nothing counts as a text of nothing."""
    return domain.one_of(_FALSY)


def _compared(node: nodes.Compare, state: State, truth: bool) -> list[State]:
    pairs = []
    left: nodes.Node = node.expr
    for operand in node.ops:
        pairs.append((left, operand.op, operand.expr))
        left = operand.expr
    if truth:
        states = [state]
        for pair in pairs:
            states = [one for known in states for one in _pair(*pair, known, True)]
        return states
    return _pair(*pairs[0], state, False) if len(pairs) == 1 else [state]


def _pair(left: nodes.Node, operator: str, right: nodes.Node, state: State, truth: bool) -> list[State]:
    if operator in ("in", "notin"):
        return _in(left, right, state, truth == (operator == "in"))
    key, constant = key_of(left), constant_of(right)
    if key is None:
        key, constant = key_of(right), constant_of(left)
        operator = _MIRRORED[operator]
    if key is None or constant is None:
        return [state]
    if truth:
        domain = state.of(key) if operator == "ne" else state.of(key).filled()
    else:
        domain = state.of(key).filled() if operator == "ne" else state.of(key)
        operator = _NEGATED[operator]
    if operator in ("eq", "ne"):
        values = frozenset({constant})
        return state.narrowed(key, domain.one_of(values) if operator == "eq" else domain.none_of(values))
    return state.narrowed(key, domain.beyond(operator, constant))


def _in(left: nodes.Node, right: nodes.Node, state: State, truth: bool) -> list[State]:
    key, values = key_of(left), constants_of(right)
    if key is not None and values is not None:
        domain = state.of(key)
        return state.narrowed(key, domain.filled().one_of(values) if truth else domain.none_of(values))
    held, member = key_of(right), constant_of(left)
    if held is None or member is None:
        return [state]
    key = member_key(member, held)
    return state.narrowed(key, state.of(key).filled().one_of(frozenset({truth})))


def member_key(member: Any, path: str) -> str:
    """What is known of whether the list (or the text) at the path holds the member: true or false."""
    return f"{path} has {member!r}"


def key_of(node: nodes.Node) -> str | None:
    """The path that the node reads, or filters without arguments over one (`lead.plan | lower`)."""
    if isinstance(node, nodes.Filter) and node.node is not None and not node.args and not node.kwargs:
        inner = key_of(node.node)
        return None if inner is None else f"{inner} | {node.name}"
    return dotted_path(node)


def constant_of(node: nodes.Node) -> Any:
    """The text, number or truth that the node is; None for anything else."""
    if isinstance(node, nodes.Const) and isinstance(node.value, (str, int, float)):
        return node.value
    if isinstance(node, (nodes.Neg, nodes.Pos)) and isinstance(node.node, nodes.Const):
        value = node.node.value
        if isinstance(value, (int, float)):
            return -value if isinstance(node, nodes.Neg) else value
    return None


def constants_of(node: nodes.Node) -> frozenset[Any] | None:
    """The constants of a list; None where it holds anything else."""
    if not isinstance(node, (nodes.List, nodes.Tuple)):
        return None
    values = [constant_of(item) for item in node.items]
    return None if None in values else frozenset(values)
