"""What goes wrong in a file before it is a journey: YAML's own words, put into the author's."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError

from dripline.language.problems import Problem

QUOTE = "put the whole value in double quotes"
_PAIR = re.compile(r"""^\s*(?:-\s+)*(?P<key>[\w.$-]+):\s+(?P<value>\S.*?)\s*$""")
_BRACES = re.compile(r"""[{,]\s*(?P<key>[\w.$-]+):\s+(?P<value>\{\{[^}]*\}\})""")
_SIGNS = ("!", "*", "&", "{{", "{%", "%", "@", "`", "[", "|", ">", "?")


def bent_braces(line: str) -> str | None:
    """The cure for a `{{ … }}` that is a value within a mapping or a list of one line."""
    match = _BRACES.search(line)
    if match is None or match.start("value") == 0:
        return None
    value = match["value"].replace('"', "'")
    return f'{QUOTE}: `{match["key"]}: "{value}"`'


def bent_value(line: str) -> str | None:
    """The cure, with the value in quotes, where the line holds a value that YAML bends; else None."""
    match = _PAIR.match(line)
    if match is None:
        return None
    value = match["value"]
    quoted = value[:1] in "\"'" and _text_after_quote(value)
    if not quoted and not value.startswith(_SIGNS) and ": " not in value:
        return None
    inner = value.replace("\\", "\\\\").replace('"', "'")
    if value.startswith("!"):
        inner = "not " + inner[1:].strip()
    return f'{QUOTE}: `{match["key"]}: "{inner}"`'


def _text_after_quote(value: str) -> bool:
    end = value.find(value[0], 1)
    return end >= 0 and value[end + 1 :].split(" #")[0].strip() != ""


def syntax_problem(path: str, lines: list[str], error: MarkedYAMLError) -> Problem:
    """The problem that YAML's parser stumbled on."""
    mark = error.problem_mark or error.context_mark
    number, column = (mark.line, mark.column) if mark is not None else (0, 0)
    number = min(number, len(lines) - 1)
    line = lines[number]
    said = f"{error.context or ''} {error.problem or ''}"

    def problem(code: str, message: str, hint: str, at: int = column) -> Problem:
        return Problem(path, number + 1, at + 1, code, "error", message, hint)

    if "\\t" in said or line[column : column + 1] == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        return problem("tab", "a tab stands here, where YAML wants spaces", "indent with spaces")
    opened = _left_open(lines, number, column) if "block mapping" in said else None
    if opened is not None:
        number, column = opened
        return problem("open-quote", "a quotation mark is not closed", "close it", column)
    if "flow" in said and error.context_mark is not None and number > error.context_mark.line:
        number, column = error.context_mark.line, error.context_mark.column
        return problem(
            "open-bracket", "a bracket is not closed", "close it, or write one item a line", column
        )
    cure = bent_value(line)
    match = _PAIR.match(line)
    if cure is not None and match is not None:
        return problem("unquoted", "YAML does not read this value as one text", cure, match.start("value"))
    if "mapping values are not allowed" in said:
        return problem(
            "bad-indentation",
            "a `:` stands where no key can be",
            "look at the indentation of this line and the one before it",
        )
    if "could not find expected ':'" in said and error.context_mark is not None:
        number, column = error.context_mark.line, error.context_mark.column
        return problem(
            "missing-colon", "no `key: value` stands here", "write a `:` and a space behind the key", column
        )
    if "quoted scalar" in said:
        opened = error.context_mark or mark
        if opened is not None:
            number, column = opened.line, opened.column
        return problem("open-quote", "a quotation mark is not closed", "close it", column)
    if "flow" in said:
        return problem("open-bracket", "a bracket is not closed", "close it, or write one item a line")
    return problem(
        "bad-yaml",
        "YAML cannot be read from here",
        "look at the indentation, and put values with odd signs in double quotes",
    )


def _left_open(lines: list[str], number: int, column: int) -> tuple[int, int] | None:
    """The quotation mark of an earlier line that only the one before this place has closed; None if there is none."""
    for earlier in range(number - 1, -1, -1):
        match = _PAIR.match(lines[earlier])
        sign = match["value"][0] if match is not None else ""
        if match is None or sign not in ("'", '"') or sign in match["value"][1:]:
            continue
        between = [*lines[earlier + 1 : number], lines[number][:column].rstrip()]
        closed = between[-1].endswith(sign) and "".join(between).count(sign) == 1
        return (earlier, match.start("value")) if closed else None
    return None
