"""What an `update` says, as its plan has it: values of the declared types, and expressions."""

from __future__ import annotations

from dripline.language import plan
from dripline.language.changing import UpdateStep, expression_in
from dripline.language.fields import FieldType, coerce_value
from dripline.language.workspace import Workspace


def compile_update(
    step: UpdateStep, id_: str, following: str | None, workspace: Workspace
) -> plan.UpdateStep:
    """The step compiled; that its values fit was checked before."""
    said = step.update
    score, tags = said.score, said.tags

    def value(given: str | tuple[str, ...] | None, kind: FieldType) -> plan.LeadValue | None:
        if given is None:
            return None
        found = expression_in(given) if isinstance(given, str) else None
        if found is not None:
            return plan.LeadValue(kind=kind, expression=found[1])
        literal = list(given) if isinstance(given, tuple) else given
        return plan.LeadValue(kind=kind, value=coerce_value(literal, kind, workspace.zone))

    attributes = {name: value(given, workspace.attributes[name]) for name, given in said.attributes.items()}
    return plan.UpdateStep(
        id=id_,
        condition=step.if_,
        next=following,
        stage=value(said.stage, "text"),
        stage_reason=value(said.stage_reason, "text"),
        score_add=value(score.add, "number") if score else None,
        score_set=value(score.set_, "number") if score else None,
        tags_add=(tags.add or ()) if tags else (),
        tags_remove=(tags.remove or ()) if tags else (),
        attributes={name: made for name, made in attributes.items() if made is not None},
    )
