"""Blocks: steps that journeys share. Each is a file of its own, `journeys/blocks/NAME.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pydantic import Field

from dripline.language.kinds import JourneyId, Name, Text
from dripline.language.load import Written, fit
from dripline.language.naming import every_step
from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem, did_you_mean, listed
from dripline.language.steps import IncludeStep, Steps

FOLDER = "blocks"
MAX_DEPTH = 5
"""Blocks within one another."""
MAX_STEPS = 2_000
"""Steps of a journey with all that it includes."""


class Block(Written):
    """Steps that journeys share."""

    block: JourneyId = Field(description="The block's id: the name of its file.")
    title: Text | None = Field(None, description="Its name for people.")
    with_: tuple[Name, ...] = Field(
        (), alias="with", description="Names that whoever includes it gives values."
    )
    steps: Steps = Field(description="What happens, in order.")


@dataclass(frozen=True)
class Blocks:
    """The blocks of a workspace."""

    files: Mapping[str, tuple[Block, Document]] = field(default_factory=dict)
    """By id, those of the right form that may be included."""
    broken: frozenset[str] = frozenset()
    """Ids of files in which something is wrong."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """How many steps each block has with all that it includes."""

    def fill(self, steps: Steps, document: Document) -> Linked:
        """Give every include of the steps what it includes. Nothing is filled where that would be too much."""
        problems: list[Problem] = []
        own = list(every_step(steps))
        includes = [(loc, step) for loc, step in own if isinstance(step, IncludeStep)]
        for loc, step in includes:
            problems += self._wrong(loc, step, document)
        size = len(own) + sum(self._size(step) for _, step in includes)
        if size > MAX_STEPS:
            message = f"with all that it includes this has {size} steps, more than {MAX_STEPS}"
            problems.append(Problem(document.path, 1, 1, "too-large", "error", message, "split it"))
        complete = not problems and not any(step.include.block in self.broken for _, step in includes)
        if complete:
            for _, step in includes:
                step.fill(self.files[step.include.block][0].steps)
        places = {
            (*loc, "include", "steps"): self.files[step.include.block][1]
            for loc, step in every_step(steps)
            if isinstance(step, IncludeStep) and step.body
        }
        return Linked(places, tuple(problems), complete, size if complete else len(own))

    def _size(self, step: IncludeStep) -> int:
        name = step.include.block
        return 0 if name in self.broken else self.sizes.get(name, 0)

    def _wrong(self, loc: Loc, step: IncludeStep, document: Document) -> Iterator[Problem]:
        said = step.include

        def problem(at: Loc, code: str, message: str, hint: str) -> Problem:
            place = document.key_place(at) if at[-1] in said.with_ else document.place(at)
            return Problem(document.path, *place, code, "error", message, hint)

        at = (*loc, "include")
        if said.block in self.broken:
            return
        if said.block not in self.files:
            hint = did_you_mean(said.block, self.files, "blocks/{}")
            hint = hint or f"create journeys/{FOLDER}/{said.block}.yaml"
            yield problem((*at, "block"), "unknown-block", f"there is no block `{said.block}`", hint)
            return
        wanted = self.files[said.block][0].with_
        for name in said.with_:
            if name not in wanted:
                hint = did_you_mean(name, wanted) or (f"it takes {listed(wanted)}" if wanted else "remove it")
                message = f"the block `{said.block}` takes no `{name}`"
                yield problem((*at, "with", name), "unknown-parameter", message, hint)
        lacking = [name for name in wanted if name not in said.with_]
        if lacking:
            message = f"the block `{said.block}` wants {listed(lacking)}"
            hint = "write `include: {block: …, with: {" + ", ".join(f"{name}: …" for name in lacking) + "}}`"
            yield problem(at, "missing-parameter", message, hint)


@dataclass(frozen=True)
class Linked:
    """What filling the includes of a file came to."""

    documents: Mapping[Loc, Document]
    """Where included steps stand, seen from the including file, and the file that they are written in."""
    problems: tuple[Problem, ...]
    complete: bool
    """Whether every include was filled."""
    size: int
    """How many steps there are with all that is included."""


def read_blocks(documents: Sequence[Document]) -> tuple[Blocks, list[Problem]]:
    """The blocks of these files, filled with one another, and what is wrong with them."""
    files: dict[str, tuple[Block, Document]] = {}
    broken: set[str] = set()
    problems: list[Problem] = []
    for document in documents:
        name = PurePosixPath(document.path).stem
        block, found = fit(document, Block)
        problems += found
        if block is not None and block.block != name:
            message = f"the block is called `{block.block}`, its file `{name}.yaml`"
            place = document.place(("block",))
            hint = f"write `block: {name}`, or rename the file"
            problems.append(Problem(document.path, *place, "id-not-file-name", "error", message, hint))
            block = None
        if block is None:
            broken.add(name)
        else:
            files[name] = (block, document)
    for name in sorted(files):
        for loc, step in every_step(files[name][0].steps):
            if isinstance(step, IncludeStep):
                way = _way_back(files, step.include.block, name)
                if way or _depth(files, name) > MAX_DEPTH:
                    broken.add(name)
                    message = (
                        f"this block includes itself: {' → '.join([name, *way])}"
                        if way
                        else f"blocks stand in one another more than {MAX_DEPTH} deep"
                    )
                    code = "recursive-include" if way else "too-deep"
                    place = files[name][1].place((*loc, "include"))
                    problems.append(
                        Problem(
                            files[name][1].path, *place, code, "error", message, "include another, or none"
                        )
                    )
    for name in sorted(broken & files.keys()):
        del files[name]
    blocks = Blocks(files, frozenset(broken))
    for name in sorted(files, key=lambda one: (_depth(files, one), one)):
        linked = blocks.fill(*_of(files[name]))
        problems += linked.problems
        unfilled = frozenset() if linked.complete else frozenset({name})
        blocks = Blocks(files, blocks.broken | unfilled, {**blocks.sizes, name: linked.size})
    return blocks, problems


def _of(file: tuple[Block, Document]) -> tuple[Steps, Document]:
    return file[0].steps, file[1]


def _included(files: Mapping[str, tuple[Block, Document]], name: str) -> set[str]:
    steps = files[name][0].steps if name in files else ()
    return {step.include.block for _, step in every_step(steps) if isinstance(step, IncludeStep)}


def _way_back(files: Mapping[str, tuple[Block, Document]], begin: str, end: str) -> list[str]:
    """The blocks from `begin` to `end`, each including the next; empty where there is no such way."""
    ways, seen = [[begin]], {begin}
    while ways:
        way = ways.pop(0)
        if way[-1] == end:
            return way
        for name in sorted(_included(files, way[-1]) - seen):
            seen.add(name)
            ways.append([*way, name])
    return []


def _depth(files: Mapping[str, tuple[Block, Document]], name: str, limit: int = MAX_DEPTH + 1) -> int:
    """How many blocks stand within one another here, itself counted; no further than the limit."""
    if limit == 0:
        return 0
    return 1 + max((_depth(files, one, limit - 1) for one in sorted(_included(files, name))), default=0)
