"""Whether the names that conditions and templates read are there, and have what is read of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dripline.language.check_teams import card_fields
from dripline.language.expressions import compile_expression
from dripline.language.flow import ANYTHING, Names
from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.ranking import RFM
from dripline.language.reading import expressions_of
from dripline.language.step_texts import step_texts
from dripline.language.steps import RemindStep, Step, WaitForStep
from dripline.language.texts import reads
from dripline.language.touches import TOUCH, TOUCHES
from dripline.language.workspace import LEAD_FIELDS, Workspace

_JOURNEY = frozenset({"id", "title"})
_CHANNELS = ("email", "sms")
_DECLARE = "declare it in dripline.yaml"


@dataclass(frozen=True)
class Scope:
    """The names that can be read at one place."""

    workspace: Workspace
    event: frozenset[str]
    """What `event` has here."""
    trigger: frozenset[str] | None
    """What `trigger` has here; None where there is none yet."""
    names: Names
    """What steps before have set on every way."""
    ever: Mapping[str, frozenset[str]]
    """What steps set anywhere."""

    def wrong(self, path: str, guarded: bool = False) -> tuple[str, str, str] | None:
        """Code, message and hint if the path cannot be read here; None if it can."""
        root, *parts = path.split(".")
        if root == "lead":
            return self._lead(path, parts)
        if root in ("now", "today"):
            return _none_of(path, parts)
        has = self._has(root)
        if has is None and root in self.ever:
            has = self.ever[root]
            if not guarded:
                return (
                    "unset-name",
                    f"`{root}` is not set on every way that leads here",
                    f"read it only where it is set, or ask first: `{root} is defined`",
                )
        if has is None:
            if parts[:1] in (["code"], ["expires_on"]):
                return (
                    "discount-never-issued",
                    f"no discount is issued as `{root}` before this",
                    f"add `- discount: {{percent: 15}}` with `as: {root}` before it",
                )
            known = {"lead", "event", "journey", "now", "today", *self.names}
            known |= {"trigger"} if self.trigger is not None else set()
            text = f"; a text stands in quotation marks: `'{root}'`" if not parts else ""
            return (
                "unknown-name",
                f"there is no `{root}` here",
                did_you_mean(root, known) or _known(known) + text,
            )
        if not parts:
            return None
        if parts[0] not in has and ANYTHING not in has:
            hint = did_you_mean(parts[0], has, root + ".{}") or f"there are {listed(sorted(has))}"
            return "unknown-property", f"`{root}` has no `{parts[0]}`", hint
        return None

    def _has(self, root: str) -> frozenset[str] | None:
        if root == "event":
            return self.event
        if root == "trigger":
            return self.trigger
        return _JOURNEY if root == "journey" else self.names.get(root)

    def _lead(self, path: str, parts: list[str]) -> tuple[str, str, str] | None:
        known = lead_paths(self.workspace)
        if not parts or path in known:
            return None
        parent = ".".join(["lead", *parts[:-1]])
        if parts[0] in self.workspace.attributes and self.workspace.attributes[parts[0]] == "any":
            return None
        if parent in known and parts[0] not in ("consent", "topics", "rfm", "customer", *TOUCHES):
            return "unknown-attribute", f"`{parent}` has no parts", f"write `{parent}`"
        said = path.removeprefix("lead.")
        hint = did_you_mean(said, (name.removeprefix("lead.") for name in known), "lead.{}")
        hint = hint or f"{_DECLARE} under `attributes`"
        return "unknown-attribute", f"leads have no `{said}`", hint


def _known(names: set[str]) -> str:
    return f"there are {listed(sorted(names))}"


def _none_of(path: str, parts: list[str]) -> tuple[str, str, str] | None:
    if not parts:
        return None
    root = path.split(".")[0]
    return "unknown-property", f"`{root}` has no parts", f"compare it: `{root} > …`"


def lead_paths(workspace: Workspace) -> set[str]:
    """Everything that can be read of a lead."""
    paths = {f"lead.{name}" for name in (*LEAD_FIELDS, *workspace.attributes)}
    paths |= {f"lead.consent.{channel}" for channel in _CHANNELS}
    paths |= {f"lead.rfm.{name}" for name in RFM}
    paths |= {f"lead.{touch}.{name}" for touch in TOUCHES for name in TOUCH}
    paths |= {f"lead.customer.{name}" for name in card_fields(workspace)}
    return paths | {f"lead.topics.{topic}" for topic in workspace.topics}


def properties(workspace: Workspace, events: tuple[str, ...]) -> frozenset[str]:
    """What one of those events has, `name` included."""
    return frozenset({"name"}).union(*(workspace.events.get(event, {}) for event in events))


def scope_at(look: Look, loc: Loc) -> Scope:
    """The names that the step at `loc` and its template can read."""
    trigger = look.journey.trigger.event
    return Scope(
        look.workspace,
        properties(look.workspace, look.accepted),
        properties(look.workspace, trigger),
        look.before.get(loc, {}),
        look.flow.ever,
    )


def known_names(look: Look) -> Iterator[Problem]:
    """A condition reads only what there is, and what is set on every way that leads to it."""
    journey, ever = look.journey, look.flow.ever
    trigger = properties(look.workspace, journey.trigger.event)
    if journey.trigger.when is not None:
        scope = Scope(look.workspace, trigger, None, {}, {})
        yield from _read(look, ("trigger", "when"), journey.trigger.when, scope)
    if journey.goal is not None:
        scope = Scope(look.workspace, properties(look.workspace, journey.goal.event), trigger, {}, ever)
        for key, source in (("when", journey.goal.when), ("value", journey.goal.value)):
            if source is not None:
                yield from _read(look, ("goal", key), source, scope)
    for number, exit_ in enumerate(journey.exit):
        if exit_.when is not None:
            scope = Scope(look.workspace, properties(look.workspace, exit_.event), trigger, {}, ever)
            yield from _read(look, ("exit", number, "when"), exit_.when, scope)
    for loc, step in every_step(journey.steps):
        yield from _read_step(look, loc, step)


def _read_step(look: Look, loc: Loc, step: Step) -> Iterator[Problem]:
    scope = scope_at(look, loc)
    for where, begins, source in expressions_of(step):
        yield from _read(look, (*loc, *where), source, scope, begins)
    if isinstance(step, WaitForStep) and step.filter is not None:
        event = properties(look.workspace, step.wait_for.event)
        at = (*loc, "when") if step.when is not None else (*loc, "wait_for", "when")
        candidate = Scope(scope.workspace, event, scope.trigger, scope.names, scope.ever)
        yield from _read(look, at, step.filter, candidate)
    if isinstance(step, RemindStep) and step.remind.unless_when is not None:
        event = properties(look.workspace, step.remind.unless or ())
        candidate = Scope(scope.workspace, event, scope.trigger, scope.names, scope.ever)
        yield from _read(look, (*loc, "remind", "unless_when"), step.remind.unless_when, candidate)
    for where, text in step_texts(step):
        yield from _read_text(look, (*loc, *where), text, scope)


def _read_text(look: Look, loc: Loc, text: str, scope: Scope) -> Iterator[Problem]:
    for read in reads(text):
        wrong = scope.wrong(read.path, read.guarded)
        if wrong is not None:
            code, message, hint = wrong
            if read.path.startswith("secret."):
                message, hint = "secrets can be read in headers only", "put it into `headers`"
            yield look.draft.problem(loc, code, message, hint, offset=read.column - 1)


def _read(look: Look, loc: Loc, source: str, scope: Scope, begins: int = 0) -> Iterator[Problem]:
    expression = compile_expression(source)
    for path in sorted(expression.names):
        wrong = scope.wrong(path, path in expression.guarded)
        if wrong is not None:
            code, message, hint = wrong
            offset = expression.places.get(path, 0)
            yield look.draft.problem(loc, code, message, hint, offset=begins + offset)
