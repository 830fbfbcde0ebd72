"""Whether the templates that a journey names are there, in every language, with all that they are filled with."""

from __future__ import annotations

from collections.abc import Iterator

from dripline.language.check_names import Scope, scope_at
from dripline.language.look import Look
from dripline.language.positions import Loc
from dripline.language.problems import Problem, did_you_mean
from dripline.language.steps import MessageArguments
from dripline.language.template_grammar import TemplateError, TemplateSandbox
from dripline.language.templates import TemplateFile, locale_for
from dripline.language.workspace import LEAD_FIELDS

_ENDINGS = {"email": "mjml", "sms": "txt"}
_ALWAYS = frozenset({"id", "consent", "topics", "lacks", "complete", "created_at", "updated_at"})
_SANDBOX = TemplateSandbox()


def existing_templates(look: Look) -> Iterator[Problem]:
    """Every template that a step names exists, in every locale of the workspace."""
    for loc, channel, message in look.sent:
        key = f"{channel}:{message.template}"
        there = set(look.templates.files.get(key, {}))
        if key in look.templates.broken:
            continue
        if not there:
            names = [name.split(":")[1] for name in look.templates.files if name.startswith(f"{channel}:")]
            first = look.workspace.locales[0]
            hint = did_you_mean(message.template, names)
            hint = hint or f"write templates/{message.template}.{first}.{_ENDINGS[channel]}"
            yield _at(
                look, loc, "missing-template", f"there is no {channel} template `{message.template}`", hint
            )
            continue
        for locale in look.workspace.locales:
            if locale_for(locale, there, locale) is None:
                yield _at(
                    look,
                    loc,
                    "missing-locale",
                    f"the template `{message.template}` is not there in `{locale}`",
                    f"write templates/{message.template}.{locale}.{_ENDINGS[channel]}",
                )


def subjects_of_emails(look: Look) -> Iterator[Problem]:
    """Every e-mail has a subject, of the step or in each locale's template."""
    for loc, channel, message in look.sent:
        if channel != "email":
            continue
        if message.subject is not None:
            yield from check_text(look, (*loc, "subject"), message.subject, scope_at(look, loc[:-1]))
            continue
        for file in _files(look, channel, message):
            if file.source.subject is None:
                message_ = f"{file.path} has no subject"
                hint = "begin the file with `---`, `subject: …`, `---`"
                yield Problem(file.path, 1, 1, "missing-subject", "error", message_, hint)


def check_text(look: Look, loc: Loc, text: str, scope: Scope) -> Iterator[Problem]:
    """What is wrong in a text of the journey that is a template of its own."""
    try:
        reads = _SANDBOX.read(text)[1]
    except TemplateError as error:
        yield look.draft.problem(loc, "bad-template", str(error), error.hint)
        return
    for read in reads:
        wrong = scope.wrong(read.path, read.guarded)
        if wrong is not None:
            code, message, hint = wrong
            yield look.draft.problem(loc, code, message, hint, offset=read.column - 1)


def filled_templates(look: Look) -> Iterator[Problem]:
    """Everything that a template is filled with is there at every step that names the template."""
    for loc, channel, message in look.sent:
        scope = scope_at(look, loc[:-1])
        document, at = look.draft.written(loc)
        line, _ = document.place(at)
        where = f"at {document.path}:{line}"
        for file in _files(look, channel, message):
            yield from _filled(file, scope, where)


def _filled(file: TemplateFile, scope: Scope, where: str) -> Iterator[Problem]:
    warned: set[str] = set()
    for read in file.reads:
        wrong = scope.wrong(read.path, read.guarded)
        if wrong is not None:
            code, message, hint = wrong
            yield Problem(file.path, read.line, read.column, code, "error", f"{message} ({where})", hint)
        elif not read.guarded and _may_lack(read.path, scope) and read.path not in warned:
            warned.add(read.path)
            yield Problem(
                file.path,
                read.line,
                read.column,
                "may-be-empty",
                "warning",
                f"a lead without `{read.path.removeprefix('lead.')}` will not get this message",
                f'write `{read.path} | default("…")`, or put it within `{{% if {read.path} is defined %}}`',
            )


def _may_lack(path: str, scope: Scope) -> bool:
    root, *parts = path.split(".")
    lacking = (*LEAD_FIELDS, *scope.workspace.attributes)
    return root == "lead" and bool(parts) and parts[0] in lacking and parts[0] not in _ALWAYS


def _files(look: Look, channel: str, message: MessageArguments) -> list[TemplateFile]:
    return list(look.templates.files.get(f"{channel}:{message.template}", {}).values())


def _at(look: Look, loc: Loc, code: str, message: str, hint: str) -> Problem:
    return look.draft.problem((*loc, "template"), code, message, hint)
