"""The files under templates/: found, read, and known by the step that names them and by language."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from dripline.language.kinds import Text
from dripline.language.links import LinkCall
from dripline.language.load import Written, fit
from dripline.language.mjml import BadMjml, to_html
from dripline.language.plan import TemplateSource
from dripline.language.problems import Problem, did_you_mean
from dripline.language.template_grammar import Read, TemplateError, TemplateSandbox
from dripline.language.yaml_reader import MAX_BYTES, not_utf8, read_yaml

FOLDER = "templates"
Markup = Literal["mjml", "html", "md", "text"]
_MARKUPS: dict[str, Markup] = {".mjml": "mjml", ".html": "html", ".md": "md", ".txt": "text"}
_FILE = re.compile(r"(?P<name>[a-z0-9][a-z0-9_-]*)\.(?P<locale>[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_ELEMENTS = {
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
    "mj-wrapper",
}
"""The elements of MJML that may stand in a template; `mj-include` would read files."""
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


@dataclass
class Templates:
    """Every template of the workspace: `email:welcome/hello` to locale to file."""

    files: dict[str, dict[str, TemplateFile]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    """Templates of which a file is wrong, so that what it lacks is not said twice."""
    problems: list[Problem] = field(default_factory=list)

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
    if markup != "text":
        head, body, first_line, problems = _split(path, text)
    reads: list[Read] = []
    links: list[LinkCall] = []
    for part, line in ((head.subject, None), (head.preheader, None), (body, first_line)):
        if part is not None:
            more, asked, told = _read_part(path, part, line)
            reads += more
            links += asked
            problems += told
    if not body.strip():
        problems.append(Problem(path, first_line, 1, "empty-template", "error", "the template is empty"))
    elif markup == "mjml" and not problems:
        problems += _mjml(path, body, first_line)
    source = TemplateSource(markup=markup, body=body, subject=head.subject, preheader=head.preheader)
    return TemplateFile(path, locale, source, tuple(sorted(set(reads))), tuple(links)), problems


def _split(path: str, text: str) -> tuple[Head, str, int, list[Problem]]:
    """Head, body, the body's first line, and what is wrong with the head."""
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return Head(), text, 1, []
    end = next((number for number, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
    if end is None:
        problem = Problem(
            path, 1, 1, "open-head", "error", "the head is not closed", "end it with a line `---`"
        )
        return Head(), "", 1, [problem]
    body = "\n".join(lines[end + 1 :])
    document, problems = read_yaml(path, "\n".join(lines[1:end]).encode(), first_line=2)
    if document is None:
        return Head(), body, end + 2, problems
    head, more = fit(document, Head)
    return head or Head(), body, end + 2, problems + more


def _read_part(path: str, text: str, line: int | None) -> tuple[list[Read], list[LinkCall], list[Problem]]:
    """The names that the body (from `line` on) or a part of the head (line None) reads, and its links."""
    shift = (line or 2) - 1
    try:
        reads, links = _SANDBOX.read(text)[1], _SANDBOX.links_in(text)
    except TemplateError as error:
        problem = Problem(path, error.line + shift, 1, "bad-template", "error", str(error), error.hint)
        return [], [], [problem]
    return (
        [
            Read(read.path, read.line + shift if line else 1, read.column if line else 1, read.guarded)
            for read in reads
        ],
        [
            replace(link, line=link.line + shift if line else 1, column=link.column if line else 1)
            for link in links
        ],
        [],
    )


def _mjml(path: str, body: str, first_line: int) -> list[Problem]:
    """Whether the body is MJML once what is filled in is filled in."""
    lines = (
        (text if kind == "data" else "x" if kind == "variable_begin" else "")
        for _, kind, text in _SANDBOX.lex(body)
    )
    try:
        output = to_html("".join(lines).strip())
    except BadMjml:
        message, hint = "this is not MJML", "look for a tag that is not closed or not known"
        return [Problem(path, first_line, 1, "bad-mjml", "error", message, hint)]
    unexpected = [
        Problem(path, first_line, 1, "bad-mjml", "error", f"MJML does not expect this: {warning.kind}", "")
        for warning in output.warnings
    ]
    return unexpected + _unknown_elements(path, body, first_line)


def _unknown_elements(path: str, body: str, first_line: int) -> list[Problem]:
    """Elements that MJML has not: they would be passed through, and readers would see no button but its text."""
    text = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), body)
    return [
        Problem(
            path,
            first_line + number,
            match.start(1) + 1,
            "bad-mjml",
            "error",
            f"MJML has no `{match[1]}`",
            did_you_mean(match[1], _ELEMENTS) or "look for its right name at documentation.mjml.io",
        )
        for number, line in enumerate(text.split("\n"))
        for match in re.finditer(r"<(mj-[\w-]+)", line)
        if match[1] not in _ELEMENTS
    ]


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
