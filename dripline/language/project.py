"""A whole workspace at once: every file read, every problem told, every journey that has none compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dripline.language.allowing import Source, told_still
from dripline.language.blocks import FOLDER as BLOCKS
from dripline.language.blocks import Blocks, read_blocks
from dripline.language.check import check_journey
from dripline.language.check_contents import check_contents
from dripline.language.check_together import check_project
from dripline.language.compile import compile_journey
from dripline.language.compile_scoring import check_scoring
from dripline.language.explaining import severities
from dripline.language.extensions import find_extensions
from dripline.language.load import fit
from dripline.language.look import Draft
from dripline.language.mending import mended
from dripline.language.model import Journey
from dripline.language.plan import Plan
from dripline.language.positions import Document
from dripline.language.problems import Problem
from dripline.language.scenario import ScenarioFile, load_scenarios
from dripline.language.templates import TemplateFile, Templates, find_templates
from dripline.language.workspace import FILE, Workspace, load_workspace
from dripline.language.yaml_reader import read_yaml

FOLDER = "journeys"
TEST_ENDING = ".test.yaml"


@dataclass(frozen=True)
class Project:
    """What a workspace folder holds."""

    workspace: Workspace | None
    plans: dict[str, Plan]
    """By journey, those in which there is no error."""
    problems: tuple[Problem, ...]
    """Of all files, in the order of paths and lines."""
    scenarios: dict[str, ScenarioFile] = field(default_factory=dict)
    """By journey."""
    files: int = 0
    """How many files were checked."""
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The lines of the files in which there are problems, by path."""

    @property
    def errors(self) -> int:
        """How many of the problems keep something from running."""
        return sum(problem.severity == "error" for problem in self.problems)


def load_project(root: Path, paths: Sequence[Path] = ()) -> Project:
    """The workspace in the folder `root`; with `paths` only those journeys, scenarios, or folders of them."""
    root = root.resolve()
    workspace, problems = load_workspace(root)
    templates = find_templates(root)
    extensions, more = find_extensions(root)
    problems += more
    files = sorted(set(_files(root, paths)))
    read = [_read(root, file) for file in files]
    problems += [problem for _, found in read for problem in found]
    documents = [document for document, _ in read if document is not None]
    journeys = [document for document in documents if not document.path.endswith(TEST_ENDING)]
    blocks, more = _blocks(root)
    problems += more
    drafts, more = _drafts(journeys, blocks)
    used = _used(templates, drafts) if paths else list(templates.every_file())
    named = {file.path for file in used}
    problems += more + [one for one in templates.problems if not paths or one.path in named]
    problems += check_contents(file for file in used if not templates.is_broken(file))
    plans: dict[str, Plan] = {}
    scenarios: dict[str, ScenarioFile] = {}
    if workspace is not None:
        problems += check_scoring(root, workspace)
        problems += check_project([draft for draft in drafts if not draft.mended], workspace)
        known = _known_journeys(root, drafts)
        for draft in drafts:
            found = check_journey(draft, workspace, templates, extensions, known)
            problems += found
            plans |= _plan(draft, workspace, templates, problems)
        tests = [document for document in documents if document.path.endswith(TEST_ENDING)]
        scenarios, more = load_scenarios(tests, workspace, root / FOLDER, plans)
        problems += more
    sources = [
        *(Source(one.path, one.lines) for one in documents),
        *_sources(root, blocks),
        *map(_source, used),
    ]
    whole = not paths and not any(problem.severity == "error" for problem in problems)
    problems = told_still(sorted(set(problems)), sources, severities, thorough=whole)
    texts = {problem.path: _lines(root / problem.path) for problem in problems}
    return Project(workspace, plans, tuple(sorted(set(problems))), scenarios, len(files) + 1, texts)


def _files(root: Path, paths: Sequence[Path]) -> Iterator[Path]:
    for given in paths or [root / FOLDER]:
        path = given.resolve()
        if path.is_dir():
            yield from (
                file for file in path.rglob("*.y*ml") if "blocks" not in file.parts and file.name != FILE
            )
        elif path.name != FILE and path.parent.name != BLOCKS:  # blocks are always read
            yield path


def _read(root: Path, file: Path) -> tuple[Document | None, list[Problem]]:
    path = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
    try:
        content = file.read_bytes()
    except OSError:
        return None, [Problem(path, 1, 1, "no-file", "error", "the file cannot be read", "look at its name")]
    if file.suffix != ".yaml":
        return None, [Problem(path, 1, 1, "bad-ending", "error", "the file ends in .yml", "name it .yaml")]
    return read_yaml(path, content)


def _lines(file: Path) -> tuple[str, ...]:
    try:
        return tuple(file.read_text(encoding="utf-8-sig").splitlines())
    except (OSError, ValueError):
        return ()


def _blocks(root: Path) -> tuple[Blocks, list[Problem]]:
    """All blocks, whichever journeys are looked at."""
    folder = root / FOLDER / BLOCKS
    read = [_read(root, file) for file in sorted(folder.glob("*.y*ml"))]
    problems = [problem for _, found in read for problem in found]
    blocks, more = read_blocks([document for document, _ in read if document is not None])
    unread = {file.stem for file in folder.glob("*.yaml")} - blocks.files.keys()
    return Blocks(blocks.files, blocks.broken | unread, blocks.sizes), problems + more


def _drafts(documents: Sequence[Document], blocks: Blocks) -> tuple[list[Draft], list[Problem]]:
    drafts, problems = [], []
    for document in documents:
        journey, found = fit(document, Journey)
        problems += found
        whole, complete = journey is not None, True
        if journey is None:
            journey, complete = mended(document)
        if journey is None:
            continue
        linked = blocks.fill(journey.steps, document)
        problems += linked.problems
        drafts.append(
            Draft(
                journey,
                document,
                mended=not (whole and linked.complete),
                complete=complete and linked.complete,
                included=linked.documents,
            )
        )
    return drafts, problems


def _known_journeys(root: Path, drafts: Sequence[Draft]) -> frozenset[str]:
    """The ids of all journeys of the workspace, those too that are not looked at now: the names of their files."""
    files = _files(root, [])
    names = {file.name.removesuffix(".yaml") for file in files if not file.name.endswith(TEST_ENDING)}
    return frozenset(names | {draft.journey.journey for draft in drafts})


def _used(templates: Templates, drafts: Sequence[Draft]) -> list[TemplateFile]:
    """The files of the templates that the journeys name."""
    keys = sorted({key for draft in drafts for key in draft.templates()})
    return [file for key in keys for file in templates.files.get(key, {}).values()]


def _source(file: TemplateFile) -> Source:
    return Source(file.path, file.lines, file.first_line)


def _sources(root: Path, blocks: Blocks) -> Iterator[Source]:
    """The other files whose comments count."""
    yield Source(FILE, _lines(root / FILE))
    for _, document in blocks.files.values():
        yield Source(document.path, document.lines)


def _plan(
    draft: Draft, workspace: Workspace, templates: Templates, problems: Sequence[Problem]
) -> dict[str, Plan]:
    """The plan, unless there is an error in the journey or in a template of it."""
    if draft.mended:
        return {}
    paths = {draft.document.path, *(document.path for document in draft.included.values())}
    for key in draft.templates():
        paths |= {file.path for file in templates.files.get(key, {}).values()}
        if key in templates.broken:
            return {}
    if any(problem.path in paths and problem.severity == "error" for problem in problems):
        return {}
    return {draft.journey.journey: compile_journey(draft.journey, workspace, templates)}
