"""What must hold of the segments of a workspace, beyond their form; and of an audience that is named elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from dripline.language.check_names import Scope, properties
from dripline.language.expressions import ExpressionError, compile_expression, tree_of
from dripline.language.misfits import misfits
from dripline.language.money import MoneyError, to_minor
from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.segments import Members, SegmentEntry, is_name
from dripline.language.value_types import Types
from dripline.language.workspace import Workspace

_Told = Iterator[tuple[Loc, int, str, str, str]]
"""Place within the segment, characters into it, code, message and hint."""


def known_segments(segment: SegmentEntry, workspace: Workspace) -> _Told:
    """Every segment that is named is declared under `segments`."""
    for loc, part in _parts((), segment):
        for key, names in (("in", part.in_), ("not_in", part.not_in)):
            for number, name in enumerate(names or ()):
                wrong = _unknown(name, workspace)
                if wrong:
                    yield ((*loc, key, number), 0, *wrong)


def known_behaviour(segment: SegmentEntry, workspace: Workspace) -> _Told:
    """A segment goes by events that are declared, and reads of them what they have."""
    for loc, part in _parts((), segment):
        for key, entries in (("did", part.did), ("did_not", part.did_not)):
            for number, entry in enumerate(entries):
                for event in entry.event:
                    if event in ("segment.entered", "segment.left"):
                        hint = "name the other segment under `in` or `not_in`"
                        message = "a segment cannot go by who entered one"
                        yield (*loc, key, number, "event"), 0, "segment-loop", message, hint
                    if event not in workspace.events:
                        hint = did_you_mean(event, workspace.events) or "declare it under `events`"
                        yield (*loc, key, number, "event"), 0, "unknown-event", f"no event `{event}`", hint
                if entry.when is not None:
                    here = frozenset({"event"})
                    for offset, code, message, hint in _read(entry.when, workspace, entry.event, here):
                        yield (*loc, key, number, "when"), offset, code, message, hint


def known_facts(segment: SegmentEntry, workspace: Workspace) -> _Told:
    """The condition of a segment reads what leads have, and compares what goes together."""
    for loc, part in _parts((), segment):
        if part.when is not None:
            for offset, code, message, hint in _read(part.when, workspace):
                yield (*loc, "when"), offset, code, message, hint


def known_money(segment: SegmentEntry, workspace: Workspace) -> _Told:
    """What was spent is an amount of a currency that is said, here or for the workspace."""
    for loc, part in _parts((), segment):
        for number, entry in enumerate(part.bought):
            if entry.spent is None:
                continue
            currency = entry.spent[1] or workspace.currency
            place = (*loc, "bought", number, "spent")
            if currency is None:
                yield place, 0, "bad-amount", "it is not said of which currency", "write it like `50000 AMD`"
                continue
            try:
                to_minor(entry.spent[0], currency)
            except MoneyError as error:
                yield place, 0, "bad-amount", str(error), error.hint


def ends_somewhere(segment: SegmentEntry, workspace: Workspace) -> _Told:
    """No segment goes by itself, not even by way of others."""
    for loc, part in _parts((), segment):
        for key, names in (("in", part.in_), ("not_in", part.not_in)):
            for number, name in enumerate(names or ()):
                if segment in _reached(name, workspace.segments):
                    message = f"`{name}` goes by this segment itself"
                    yield (
                        (*loc, key, number),
                        0,
                        "segment-loop",
                        message,
                        "say in one of them who belongs to it",
                    )


RULES_OF_SEGMENTS: tuple[Callable[[SegmentEntry, Workspace], _Told], ...] = (
    known_segments,
    known_behaviour,
    known_facts,
    known_money,
    ends_somewhere,
)
"""Every rule, in the order in which they are told."""


def check_segments(workspace: Workspace, document: Document) -> list[Problem]:
    """Everything that is wrong with the segments."""
    problems = []
    for id_, segment in workspace.segments.items():
        for rule in RULES_OF_SEGMENTS:
            for loc, offset, code, message, hint in rule(segment, workspace):
                at = document.place(("segments", id_, *loc), offset)
                problems.append(Problem(document.path, *at, code, "error", message, hint))
    return problems


def wrong_audience(workspace: Workspace, audience: str) -> tuple[int, str, str, str] | None:
    """What is wrong with an audience, which is a segment's name or a condition over `lead`.

    Characters into it, code, message and hint; None where it is as it should be.
    """
    if is_name(audience):
        wrong = _unknown(audience.strip(), workspace)
        return wrong and (0, *wrong)
    try:
        compile_expression(audience)
    except ExpressionError as error:
        return error.offset, "bad-expression", str(error), error.hint
    return next(_read(audience, workspace), None)


def _parts(loc: Loc, part: Members) -> Iterator[tuple[Loc, Members]]:
    yield loc, part
    for number, one in enumerate(part.any):
        yield from _parts((*loc, "any", number), one)


def _unknown(name: str, workspace: Workspace) -> tuple[str, str, str] | None:
    if name in workspace.segments:
        return None
    hint = did_you_mean(name, workspace.segments) or "declare it under `segments` in dripline.yaml"
    return "unknown-segment", f"there is no segment `{name}`", hint


def _reached(name: str, segments: Mapping[str, SegmentEntry]) -> list[SegmentEntry]:
    """The segment of that name, and all that it goes by."""
    seen: dict[str, SegmentEntry] = {}
    open_ = [name]
    while open_:
        one = open_.pop()
        if one in segments and one not in seen:
            seen[one] = segments[one]
            open_ += segments[one].names()
    return list(seen.values())


def _read(
    source: str,
    workspace: Workspace,
    events: tuple[str, ...] = (),
    known: frozenset[str] = frozenset({"lead", "now", "today"}),
) -> Iterator[tuple[int, str, str, str]]:
    """Characters into it, code, message and hint of what is wrong with an expression."""
    expression = compile_expression(source)
    scope = Scope(workspace, properties(workspace, events), None, {}, {})
    for path in sorted(expression.names):
        root = path.split(".")[0]
        at = expression.places.get(path, 0)
        if root not in known:
            hint = did_you_mean(root, known) or f"there are {', '.join(f'`{one}`' for one in sorted(known))}"
            yield at, "unknown-name", f"there is no `{root}` here", hint
            continue
        if path == "lead.segments":
            yield (
                at,
                "segment-loop",
                "a segment cannot go by the list of segments",
                "name the others under `in`",
            )
            continue
        wrong = scope.wrong(path)
        if wrong is not None:
            yield (at, *wrong)
    for misfit in misfits(tree_of(source), Types(workspace, events, ())):
        if misfit.severity == "error":
            at = expression.places.get(misfit.path or "", 0)
            yield at, misfit.code, misfit.message, misfit.hint


__all__ = ["RULES_OF_SEGMENTS", "check_segments", "wrong_audience"]
