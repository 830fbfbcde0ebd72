"""Of which kind the values are that conditions and templates read, as far as the declarations tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from jinja2 import nodes

from dripline.language.changing import SetStep
from dripline.language.fields import FieldType
from dripline.language.grammar import dotted_path
from dripline.language.model import Journey
from dripline.language.naming import every_step
from dripline.language.ranking import RFM
from dripline.language.step_keys import NamedResult
from dripline.language.steps import IncludeStep, RemindStep, Step, SurveyStep, WaitForStep
from dripline.language.surveys.answers import ANSWERED
from dripline.language.touches import TOUCH, TOUCHES
from dripline.language.workspace import Workspace

Kind = Literal["text", "number", "boolean", "date", "datetime", "list", "length"]
Kinds = frozenset[Kind] | None
"""What a value may be, where it is not Empty; None: not known."""

OF_FIELD: Mapping[FieldType, Kind] = {
    "text": "text",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "datetime": "datetime",
    "list": "list",
}
"""The kind of each declared type; `any` has none."""
OF_LEAD: Mapping[str, FieldType] = {
    **dict.fromkeys(("id", "external_id", "email", "phone", "locale", "timezone"), "text"),
    **dict.fromkeys(("country", "stage", "owner", "grade", "warmth"), "text"),
    **dict.fromkeys(("created_at", "updated_at", "paused_until", "stage_at", "owner_at"), "datetime"),
    "score": "number",
    "tags": "list",
    "lacks": "list",
    "segments": "list",
    "complete": "boolean",
}
OF_RESULTS: Mapping[str, FieldType] = {
    **dict.fromkeys(("sent", "skipped", "ok"), "boolean"),
    **dict.fromkeys(("reason", "outcome", "event", "code", "link", "qr", "currency", "gift"), "text"),
    **dict.fromkeys(("reminders", "status"), "integer"),
    **dict.fromkeys(("percent", "amount", "min_order"), "number"),
    "expires_on": "date",
}
"""What the results of steps have, whatever the verb."""
_TEXTS = ("lower", "upper", "trim", "date", "time", "datetime", "number", "money", "percent", "join")
_NUMBERS = ("length", "round", "int", "float")
_TIMES = frozenset({"date", "datetime"})


@dataclass(frozen=True)
class Types:
    """The declared types of what can be read at one place."""

    workspace: Workspace
    event: tuple[str, ...]
    """The events that `event` may be."""
    trigger: tuple[str, ...]
    """The events that `trigger` may be."""
    results: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    """Names that steps set: for a wait's the events that it may be, for another result none; None: not known."""
    unknown: frozenset[str] = frozenset()
    """Names of which nothing is known, such as those that a template sets."""

    def declared(self, path: str) -> frozenset[FieldType] | None:
        """The declared types of the path; None where one is not known, or is `any`."""
        root, *parts = path.split(".")
        found: frozenset[FieldType] | None = None
        if root in self.unknown:
            return None
        if root == "lead":
            found = self._of_lead(parts)
        elif root in ("event", "trigger"):
            found = self._of_event(self.event if root == "event" else self.trigger, parts)
        elif root in ("now", "today") and not parts:
            found = frozenset({"datetime" if root == "now" else "date"})
        elif root == "journey" and len(parts) == 1:
            found = frozenset({"text"})
        elif self.results.get(root) is not None and len(parts) == 1:
            events = self.results[root]
            of_result = frozenset({OF_RESULTS[parts[0]]}) if parts[0] in OF_RESULTS else None
            found = self._of_event(events, parts) if events else of_result
        return None if found is None or not found or "any" in found else found

    def of_path(self, path: str) -> Kinds:
        """The kinds of values that the path may have."""
        declared = self.declared(path)
        return None if declared is None else frozenset(OF_FIELD[one] for one in declared if one != "any")

    def _of_lead(self, parts: list[str]) -> frozenset[FieldType] | None:
        if len(parts) == 2 and parts[0] in ("consent", "topics"):
            return frozenset({"boolean"})
        if len(parts) == 2 and parts[0] in TOUCHES:
            return frozenset({TOUCH[parts[1]]}) if parts[1] in TOUCH else None
        if len(parts) == 2 and parts[0] == "rfm":
            return frozenset({RFM[parts[1]]}) if parts[1] in RFM else None
        if len(parts) != 1:
            return None
        found = OF_LEAD.get(parts[0]) or self.workspace.attributes.get(parts[0])
        return frozenset({found}) if found else None

    def _of_event(self, events: tuple[str, ...] | None, parts: list[str]) -> frozenset[FieldType] | None:
        if len(parts) != 1:
            return None
        if parts[0] == "name":
            return frozenset({"text"})
        types = (self.workspace.events.get(event, {}).get(parts[0]) for event in events or ())
        return frozenset(one for one in types if one is not None)

    def of(self, node: nodes.Node) -> Kinds:
        """The kinds of values that an expression may have."""
        path = dotted_path(node)
        if path is not None:
            return self.of_path(path)
        match node:
            case nodes.Const():
                return kind_of(node.value)
            case nodes.Compare() | nodes.Not() | nodes.Test():
                return frozenset({"boolean"})
            case nodes.Concat():
                return frozenset({"text"})
            case nodes.List() | nodes.Tuple():
                return frozenset({"list"})
            case nodes.Call(node=nodes.Name(name="days" | "hours")):
                return frozenset({"length"})
            case nodes.Call(node=nodes.Name(name="recommend")):
                return frozenset({"list"})
            case nodes.Filter():
                return self._of_filter(node)
            case nodes.CondExpr() if node.expr2 is not None:
                return _either(self.of(node.expr1), self.of(node.expr2))
            case nodes.Neg() | nodes.Pos():
                return self.of(node.node)
            case nodes.BinExpr() if not isinstance(node, (nodes.And, nodes.Or)):
                return calculated(node.operator, self.of(node.left), self.of(node.right))
        return None

    def _of_filter(self, node: nodes.Filter) -> Kinds:
        if node.name in _TEXTS:
            return frozenset({"text"})
        if node.name in _NUMBERS:
            return frozenset({"number"})
        if node.name == "default" and node.node is not None and node.args:
            return _either(self.of(node.node), self.of(node.args[0]))
        return None


def kind_of(value: object) -> Kinds:
    """The kind of a constant."""
    if isinstance(value, bool):
        return frozenset({"boolean"})
    if isinstance(value, (int, float)):
        return frozenset({"number"})
    return frozenset({"text"}) if isinstance(value, str) else None


def _either(one: Kinds, other: Kinds) -> Kinds:
    return None if one is None or other is None else one | other


def ordered(one: Kind, other: Kind) -> bool:
    """Whether two values of these kinds can be put into an order."""
    return one == other and one not in ("boolean", "list")


def equal(one: Kind, other: Kind) -> bool:
    """Whether two values of these kinds may be equal (true is 1 to the machine)."""
    return one == other or {one, other} == {"boolean", "number"}


def calculated(operator: str, left: Kinds, right: Kinds) -> Kinds:
    """The kinds that a calculation gives; no kind at all where it always fails."""
    if left is None or right is None:
        return None
    found = {_calculated(operator, one, other) for one in left for other in right}
    return frozenset(kind for kind in found if kind is not None)


def _calculated(operator: str, left: Kind, right: Kind) -> Kind | None:
    if left == right == "number":
        return "number"
    if left == right == "text" and operator == "+":
        return "text"
    if operator in ("+", "-") and left in {*_TIMES, "length"} and right == "length":
        return left
    if operator == "+" and left == "length" and right in _TIMES:
        return right
    if operator == "-" and left == right and left in _TIMES:
        return "length"
    return None


def accepted_events(journey: Journey) -> tuple[str, ...]:
    """The events of which `event` is one at the steps: those that let leads in, and those that it waits for."""
    found = dict.fromkeys(journey.trigger.event)
    for _, step in every_step(journey.steps):
        if isinstance(step, WaitForStep):
            found |= dict.fromkeys(step.wait_for.event)
        elif isinstance(step, RemindStep):
            found |= dict.fromkeys(step.remind.unless or ())
        elif isinstance(step, SurveyStep):
            found[ANSWERED] = None
    return tuple(found)


def types_at(journey: Journey, workspace: Workspace, event: tuple[str, ...] | None = None) -> Types:
    """The types at the steps of a journey, or in a filter on those events."""
    here = accepted_events(journey) if event is None else event
    return Types(workspace, here, journey.trigger.event, _results(journey))


def _results(journey: Journey) -> dict[str, tuple[str, ...] | None]:
    results: dict[str, tuple[str, ...] | None] = {}
    for _, step in every_step(journey.steps):
        for name in names_of(step):
            events = _events_of(step)
            known = results.get(name, events)
            if known is None or bool(known) != bool(events) or isinstance(step, (SetStep, IncludeStep)):
                results[name] = None
            else:
                results[name] = tuple({*known, *events})
    return results


def _events_of(step: Step) -> tuple[str, ...]:
    """The events of which the step's result is one."""
    if isinstance(step, SurveyStep):
        return (ANSWERED,)
    return step.wait_for.event if isinstance(step, WaitForStep) else ()


def names_of(step: Step) -> Iterator[str]:
    """The names that a step gives."""
    if isinstance(step, SetStep):
        yield from step.set
    elif isinstance(step, IncludeStep):
        yield from step.include.with_
    elif isinstance(step, NamedResult) and step.as_ is not None:
        yield step.as_


def within(types: Types, bound: frozenset[str]) -> Types:
    """The types where a template has given names of its own."""
    return replace(types, unknown=types.unknown | bound)
