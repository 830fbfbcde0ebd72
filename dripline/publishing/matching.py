"""Which step of an edited journey is which of the old one.

A step that has a name of its own is found by its id. The ids of unnamed ones are numbered where several have one
name (`after email:hello`, `after email:hello/2`), and are made from their neighbours', so that taking a
step out may rename those behind it: there we compare what the steps do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from dripline.language.plan import Plan, Step
from dripline.publishing.content import RESTS, content, kind

_NUMBER = re.compile(r"/\d+$")


@dataclass(frozen=True)
class Matching:
    """The steps of the old plan and what they are in the new one, each of which is matched once."""

    pairs: Mapping[str, str]
    """By the old id, the new one; those that were taken out are left out."""
    said: frozenset[str] = frozenset()
    """The old ids of which somebody said so; several of these may be matched to one."""

    def renamed(self) -> dict[str, str]:
        """Those whose ids differ."""
        return {old: new for old, new in self.pairs.items() if old != new}


def match(old: Plan, new: Plan, said: Mapping[str, str] | None = None) -> Matching:
    """Match the steps; what somebody `said` (old id to new id) goes before everything else."""
    said = {
        before: after for before, after in (said or {}).items() if before in old.by_id and after in new.by_id
    }
    pairs: dict[str, str] = {}
    for stem, before in _by_stem(old.steps).items():
        after = _by_stem(new.steps).get(stem, [])
        pairs |= _align(before, after)
    left = [step for step in old.steps if step.id not in pairs]
    free = [step for step in new.steps if step.id not in pairs.values()]
    pairs |= _same_elsewhere(left, free)
    return Matching({**pairs, **said}, frozenset(said))


def _by_stem(steps: Iterable[Step]) -> dict[str, list[Step]]:
    """The steps by their ids without a number at the end, in their order."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        found.setdefault(_NUMBER.sub("", step.id), []).append(step)
    return found


def _align(old: Sequence[Step], new: Sequence[Step]) -> dict[str, str]:
    """The pairs, in the order of both, that are alike the most, all of them together."""

    @cache
    def best(at: int, to: int) -> tuple[int, tuple[tuple[str, str], ...]]:
        if at == len(old) or to == len(new):
            return 0, ()
        found = max(best(at + 1, to), best(at, to + 1), key=lambda one: one[0])
        alike = _alike(old[at], new[to])
        if alike:
            behind, pairs = best(at + 1, to + 1)
            if alike + behind >= found[0]:
                return alike + behind, ((old[at].id, new[to].id), *pairs)
        return found

    if len(old) == len(new) == 1:
        return {old[0].id: new[0].id} if old[0].id == new[0].id or _alike(old[0], new[0]) else {}
    return dict(best(0, 0)[1])


def _alike(old: Step, new: Step) -> int:
    """How much one step is like another; 0: it is something else."""
    if content(old) == content(new):
        alike = 8
    elif kind(old) == kind(new):
        alike = 6
    elif old.verb == new.verb:
        alike = 4
    else:
        alike = 2 if isinstance(old, RESTS) and isinstance(new, RESTS) and old.id == new.id else 0
    return alike + 1 if alike and old.id == new.id else alike


def _same_elsewhere(old: Sequence[Step], new: Sequence[Step]) -> dict[str, str]:
    """Steps that are the same under another name, where there is just one such on either side."""
    pairs = {}
    for step in old:
        twins = [other for other in old if content(other) == content(step) and other.verb == step.verb]
        found = [other for other in new if content(other) == content(step) and other.verb == step.verb]
        if len(twins) == len(found) == 1:
            pairs[step.id] = found[0].id
    return pairs
