"""From what the workspace file says of scores to what scoring follows, and whether it says what there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dripline.language.check_names import Scope, properties
from dripline.language.expressions import compile_expression, tree_of
from dripline.language.fields import times_of
from dripline.language.misfits import misfits
from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.scoring import GIVEN_BY, OWN_EVENTS, OWN_FIELDS, ScoreRuleEntry, Scoring, compiled_rule
from dripline.language.value_types import Types
from dripline.language.workspace import FILE, Workspace
from dripline.language.yaml_reader import read_yaml


def compile_scoring(workspace: Workspace) -> Scoring | None:
    """What scores are made by; None where the workspace says nothing of them."""
    said = workspace.scoring
    if said is None:
        return None
    events = {event for rule in said.rules for event in rule.event or ()}
    times = {name: times_of(workspace.events.get(name, {})) for name in sorted(events)}
    return Scoring(
        rules=tuple(compiled_rule(rule, said.half_life) for rule in said.rules),
        warm=said.warm,
        hot=said.hot,
        margin=said.margin,
        grades=tuple((grade, said.grades[grade]) for grade in ("A", "B", "C") if grade in said.grades),
        timezone=workspace.timezone,
        attribute_times=times_of(workspace.attributes),
        event_times={name: fields for name, fields in times.items() if fields},
    )


def check_scoring(root: Path, workspace: Workspace) -> list[Problem]:
    """Everything that is wrong with the rules by which leads are scored."""
    if workspace.scoring is None:
        return []
    document, _ = read_yaml(FILE, (root / FILE).read_bytes())
    if document is None:
        return []
    found = list(own_rules(document, workspace))
    for number, rule in enumerate(workspace.scoring.rules):
        at: Loc = ("scoring", "rules", number)
        found += [*scored_events(document, at, rule, workspace), *scored_names(document, at, rule, workspace)]
        found += fitting_scores(document, at, rule, workspace)
    return found


def own_rules(document: Document, workspace: Workspace) -> Iterator[Problem]:
    """No two rules of `scoring` have one name, nor one that what journeys and colleagues give is called by."""
    seen: set[str] = set()
    for number, rule in enumerate(workspace.scoring.rules if workspace.scoring else ()):
        taken = rule.title in GIVEN_BY or rule.title.startswith("journey:")
        if rule.title in seen or taken:
            place = document.key_place(("scoring", "rules", number))
            message = f"another rule is called `{rule.title}`" if not taken else f"`{rule.title}` is taken"
            yield Problem(FILE, *place, "duplicate-rule", "error", message, "give it a `name` of its own")
        seen.add(rule.title)


def scored_events(
    document: Document, at: Loc, rule: ScoreRuleEntry, workspace: Workspace
) -> Iterator[Problem]:
    """Every event that gives points is declared, and is not one that scoring itself tells."""
    for number, event in enumerate(rule.event or ()):
        place = document.place((*at, "event", number))
        if event in OWN_EVENTS:
            message = f"`{event}` follows from the score, and cannot change it"
            yield Problem(FILE, *place, "scored-by-itself", "error", message, "score what led to it")
        elif event not in workspace.events:
            hint = did_you_mean(event, workspace.events) or "declare it under `events`"
            yield Problem(FILE, *place, "unknown-event", "error", f"no event `{event}` is declared", hint)


def scored_names(
    document: Document, at: Loc, rule: ScoreRuleEntry, workspace: Workspace
) -> Iterator[Problem]:
    """A rule reads only what leads and its events have, and nothing that scoring itself says of them."""
    if rule.when is None:
        return
    expression = compile_expression(rule.when)
    scope = Scope(workspace, properties(workspace, rule.event or ()), None, {}, {})
    for path in sorted(expression.names):
        place = document.place((*at, "when"), expression.places.get(path, 0))
        root, *parts = path.split(".")
        if root == "lead" and parts[:1] and parts[0] in OWN_FIELDS:
            message = f"`{path}` is made by these rules: it would go round in a circle"
            yield Problem(FILE, *place, "scored-by-itself", "error", message, "read what it is made of")
            continue
        if root in ("event", "journey") and not (root == "event" and rule.event):
            message, hint = f"there is no `{root}` here", "there are `lead`, `now` and `today`"
            yield Problem(FILE, *place, "unknown-name", "error", message, hint)
            continue
        wrong = scope.wrong(path, path in expression.guarded)
        if wrong is not None:
            code, message, hint = wrong
            yield Problem(FILE, *place, code, "error", message, hint)


def fitting_scores(
    document: Document, at: Loc, rule: ScoreRuleEntry, workspace: Workspace
) -> Iterator[Problem]:
    """What the conditions of rules compare, and reckon with, goes together."""
    if rule.when is None:
        return
    places = compile_expression(rule.when).places
    for misfit in misfits(tree_of(rule.when), Types(workspace, rule.event or (), ())):
        place = document.place((*at, "when"), places.get(misfit.path or "", 0))
        yield Problem(FILE, *place, misfit.code, misfit.severity, misfit.message, misfit.hint)
