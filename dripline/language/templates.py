"""The files under templates/: found, read, and known by the step that names them and by language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from dripline.language.check_mjml import check_mjml
from dripline.language.kinds import Text
from dripline.language.links import LinkCall
from dripline.language.load import Written, fit
from dripline.language.plan import TemplateSource
from dripline.language.positions import Document
from dripline.language.problems import Problem
from dripline.language.template_grammar import Read, TemplateError, TemplateSandbox
from dripline.language.yaml_reader import MAX_BYTES, not_utf8, read_yaml

FOLDER = "templates"
Markup = Literal["mjml", "html", "md", "text"]
_MARKUPS: dict[str, Markup] = {".mjml": "mjml", ".html": "html", ".md": "md", ".txt": "text"}
_FILE = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]*)\.(?P<locale>[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)")
_SANDBOX = TemplateSandbox()


class Head(Written):
    """The lines between `---` at the top of an e-mail's template."""

    subject: Text | None = Field(None, description="The subject line; may hold `{{ … }}`.")
    preheader: Text | None = Field(
        None, description="What the inbox shows beside the subject; may hold `{{ … }}`."
    )


@dataclass(frozen=True)
class TemplateFile:
    """One template in one language."""

    path: str
    locale: str
    source: TemplateSource
    reads: tuple[Read, ...]
    links: tuple[LinkCall, ...] = ()
    lines: tuple[str, ...] = ()
    """The file, line by line."""
    first_line: int = 1
    """Where its body begins."""
    places: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Line and column of what its head says."""


@dataclass
class Templates:
    """Every template of the workspace: `email:welcome/hello` to locale to file."""

    files: dict[str, dict[str, TemplateFile]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Templates of which a file is wrong, so that what it lacks is not said twice."""
    problems: list[Problem] = field(default_factory=list)

    def every_file(self) -> Iterator[TemplateFile]:
        """Every template in every language."""
        for files in self.files.values():
            yield from files.values()

    def is_broken(self, file: TemplateFile) -> bool:
        """Whether something in the file is wrong."""
        return any(problem.path == file.path for problem in self.problems)

    def sources(self, key: str) -> dict[str, TemplateSource]:
        """The template in every language, as plans have it."""
        return {locale: file.source for locale, file in sorted(self.files.get(key, {}).items())}


def find_templates(root: Path) -> Templates:
    """Every template in the workspace folder, and what is wrong with those that are wrong."""
    templates = Templates()
    for file in sorted((root / FOLDER).rglob("*")):
        if file.is_file() and file.suffix in _MARKUPS:
            _add(templates, root, file)
    return templates


def _add(templates: Templates, root: Path, file: Path) -> None:
    path = file.relative_to(root).as_posix()
    match = _FILE.fullmatch(file.stem)
    if match is None:
        templates.problems.append(
            Problem(
                path,
                1,
                1,
                "bad-template-name",
                "error",
                "the file's name does not say which template in which language it is",
                f"name it like `hello.en{file.suffix}`",
            )
        )
        return
    name = file.relative_to(root / FOLDER).with_name(match["name"]).as_posix()
    key = f"{'sms' if file.suffix == '.txt' else 'email'}:{name}"
    known = templates.files.setdefault(key, {})
    if match["locale"] in known:
        other = known[match["locale"]].path
        problem = Problem(
            path, 1, 1, "duplicate-template", "error", f"{other} is the same template", "keep one of the two"
        )
        templates.problems.append(problem)
        return
    read, problems = _read(path, match["locale"], file)
    templates.problems += problems
    if read is None or problems:
        templates.broken.add(key)
    if read is not None:
        known[match["locale"]] = read


def _read(path: str, locale: str, file: Path) -> tuple[TemplateFile | None, list[Problem]]:
    content = file.read_bytes()
    if len(content) > MAX_BYTES:
        size = f"the template is larger than {MAX_BYTES // 1024} KB"
        return None, [Problem(path, 1, 1, "too-large", "error", size, "make it smaller")]
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        return None, [not_utf8(path, error)]
    markup = _MARKUPS[file.suffix]
    head, body, first_line, problems = Head(), text, 1, list[Problem]()
    document: Document | None = None
    if markup != "text":
        head, body, first_line, document, problems = _split(path, text)
    places = {}
    parts = [_read_part(path, body, first_line, 1)]
    for key, said in (("subject", head.subject), ("preheader", head.preheader)):
        if said is not None and document is not None:
            places[key] = document.place((key,))
            parts.append(_read_part(path, said, *places[key]))
    problems += [problem for part in parts for problem in part.problems]
    if not body.strip():
        problems.append(Problem(path, first_line, 1, "empty-template", "error", "the template is empty"))
    elif markup == "mjml" and not problems:
        problems += check_mjml(path, body, first_line)
    source = TemplateSource(markup=markup, body=body, subject=head.subject, preheader=head.preheader)
    reads = tuple(sorted({read for part in parts for read in part.reads}))
    links = tuple(link for part in parts for link in part.links)
    lines = tuple(text.split("\n"))
    return TemplateFile(path, locale, source, reads, links, lines, first_line, places), problems


def _split(path: str, text: str) -> tuple[Head, str, int, Document | None, list[Problem]]:
    """Head, body, the body's first line, the head as it is written, and what is wrong with it."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return Head(), text, 1, None, []
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        problem = Problem(
            path, 1, 1, "open-head", "error", "the head is not closed", "end it with a line `---`"
        )
        return Head(), "", 1, None, [problem]
    body = "\n".join(lines[end + 1 :])
    document, problems = read_yaml(path, "\n".join(lines[1:end]).encode(), first_line=2)
    if document is None:
        return Head(), body, end + 2, None, problems
    head, more = fit(document, Head)
    return head or Head(), body, end + 2, document, problems + more


@dataclass(frozen=True)
class _Part:
    """What was read of the body, or of a part of the head."""

    reads: tuple[Read, ...] = ()
    links: tuple[LinkCall, ...] = ()
    problems: tuple[Problem, ...] = ()


def _read_part(path: str, text: str, line: int, column: int) -> _Part:
    """The names and the links in what begins at that line and column."""
    try:
        reads, links = _SANDBOX.read(text)[1], _SANDBOX.links_in(text)
    except TemplateError as error:
        place = _shifted(error.line, error.column, line, column)
        return _Part(problems=(Problem(path, *place, "bad-template", "error", str(error), error.hint),))
    return _Part(
        tuple(
            Read(read.path, *_shifted(read.line, read.column, line, column), read.guarded) for read in reads
        ),
        tuple(_moved(link, *_shifted(link.line, link.column, line, column)) for link in links),
    )


def _moved(link: LinkCall, line: int, column: int) -> LinkCall:
    return replace(link, line=line, column=column)


def _shifted(line: int, column: int, first_line: int, first_column: int) -> tuple[int, int]:
    return line + first_line - 1, column + (first_column - 1 if line == 1 else 0)


def locale_for(wanted: str | None, there: dict[str, TemplateSource] | set[str], default: str) -> str | None:
    """The language to use: the wanted one, else the same without its region, else the default's; else None."""
    tags = {tag.lower(): tag for tag in there}
    for tag in (wanted, default):
        parts = (tag or "").lower().replace("_", "-").split("-")
        while parts:
            if "-".join(parts) in tags:
                return tags["-".join(parts)]
            parts.pop()
    return None
