"""Whether what is asked of the catalogue is asked where somebody looks."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.conditions import filters_of
from dripline.language.expressions import compile_expression
from dripline.language.look import Look
from dripline.language.naming import every_step
from dripline.language.positions import Loc
from dripline.language.problems import Problem
from dripline.language.reading import expressions_of
from dripline.language.recommending import FUNCTION

_WHERE = ("if", "branch", "set", "include")
_INSTEAD = f'ask before: `- set: {{picks: "{FUNCTION}(lead)"}}`'


def asked_in_place(look: Look) -> Iterator[Problem]:
    """What there is to recommend is asked in `if`, `branch`, `set` and templates: there somebody looks."""
    for said in filters_of(look):
        yield from _asked(look, said.loc, said.begins, said.source)
    goal = look.journey.goal
    if goal is not None and goal.value is not None:
        yield from _asked(look, ("goal", "value"), 0, goal.value)
    for loc, step in every_step(look.journey.steps):
        for where, begins, source in expressions_of(step):
            if where[0] not in _WHERE:
                yield from _asked(look, (*loc, *where), begins, source)


def _asked(look: Look, loc: Loc, begins: int, source: str) -> Iterator[Problem]:
    expression = compile_expression(source)
    if expression.recommends:
        offset = begins + expression.places.get(FUNCTION, 0)
        message = f"`{FUNCTION}` cannot be asked here"
        yield look.draft.problem(loc, "misplaced-recommend", message, _INSTEAD, offset=offset)
