"""Warnings that an author allows on a line, with a reason: `# dripline: allow dead-branch because …`.

Behind a line, the comment is about that line; alone on a line, about the next one. In templates it is written
`{# dripline: allow … because … #}`. Errors cannot be allowed: what has one cannot run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dripline.language.masking import masked
from dripline.language.problems import Problem, did_you_mean, listed

_YAML = re.compile(r"(?:^|(?<=\s))#\s*dripline:(?P<said>.*)$")
_TEMPLATE = re.compile(r"\{#-?\s*dripline:(?P<said>.*?)-?#\}")
_SAID = re.compile(r"\s*allow\s+(?P<codes>[\w-]+(?:\s*,\s*[\w-]+)*)(?:\s+because\s+(?P<reason>\S.*))?\s*")
_FORM = "write `dripline: allow CODE because REASON`"


@dataclass(frozen=True)
class Source:
    """A file that may hold such comments."""

    path: str
    lines: Sequence[str]
    body: int | None = None
    """The line at which a template begins; None for YAML, where there is none."""


@dataclass(frozen=True)
class Allowance:
    """What one comment allows."""

    path: str
    line: int
    column: int
    codes: tuple[str, ...]
    covers: int
    """The line that it is about."""

    def problem(self, code: str, message: str, hint: str) -> Problem:
        """Something that is wrong with the comment itself."""
        return Problem(self.path, self.line, self.column, code, "warning", message, hint)

    def allows(self, problem: Problem) -> bool:
        """Whether the problem is one of those."""
        return (problem.path, problem.line) == (self.path, self.covers) and problem.code in self.codes


def told_still(
    problems: Iterable[Problem],
    sources: Iterable[Source],
    known: Callable[[], Mapping[str, str]],
    thorough: bool,
) -> list[Problem]:
    """The problems that nobody has allowed, and what is wrong with the comments.

    `known` gives the severity of every code. Comments that allow nothing are told if everything was looked at
    (`thorough`).
    """
    left = list(problems)
    told: list[Problem] = []
    for found in (one for source in sources for one in _comments(source)):
        if isinstance(found, Problem):
            told.append(found)
            continue
        wrong = list(_unknown(found, known()))
        told += wrong
        allowed = {problem for problem in left if problem.severity == "warning" and found.allows(problem)}
        left = [problem for problem in left if problem not in allowed]
        idle = set(found.codes) - {problem.code for problem in allowed}
        if idle and not wrong and thorough:
            message = f"nothing here would be told as {listed(sorted(idle))}"
            told.append(found.problem("unused-allow", message, "remove the comment"))
    return left + told


def _unknown(found: Allowance, known: Mapping[str, str]) -> Iterator[Problem]:
    for code in found.codes:
        if code not in known:
            hint = did_you_mean(code, known) or "`dripline check --list` has them all"
            yield found.problem("bad-allow", f"there is no code `{code}`", hint)
        elif known[code] == "error":
            hint = "mend what it tells, and remove the comment"
            yield found.problem("bad-allow", f"`{code}` is an error, which cannot be allowed", hint)


def _comments(source: Source) -> Iterator[Allowance | Problem]:
    for number, line in enumerate(source.lines, 1):
        if "dripline:" not in line:
            continue
        in_template = source.body is not None and number >= source.body
        for match in (_TEMPLATE if in_template else _YAML).finditer(line):
            yield _read(source, number, line, match, in_template)


def _read(
    source: Source, number: int, line: str, match: re.Match[str], in_template: bool
) -> Allowance | Problem:
    place = (source.path, number, match.start() + 1)
    said = _SAID.fullmatch(match["said"])
    if said is None:
        return Problem(*place, "bad-allow", "warning", "this allows nothing", _FORM)
    if not said["reason"]:
        hint = f"{_FORM}: whoever reads it next wants to know"
        return Problem(*place, "bad-allow", "warning", "it is not said why this is allowed", hint)
    codes = tuple(code.strip() for code in said["codes"].split(","))
    alone = not (masked(line) if in_template else line[: match.start()]).strip()
    covers = _next_line(source, number, in_template) if alone else number
    return Allowance(*place, codes, covers)


def _next_line(source: Source, number: int, in_template: bool) -> int:
    """The next line that holds more than comments."""
    for later in range(number + 1, len(source.lines) + 1):
        text = source.lines[later - 1]
        text = masked(text) if in_template else text.strip()
        if text.strip() and (in_template or not text.startswith("#")):
            return later
    return number
