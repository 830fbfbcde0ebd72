"""Whether a template is MJML, once what is filled in is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dripline.language.masking import masked, place_in, uncommented
from dripline.language.mjml import BadMjml, to_html
from dripline.language.problems import Problem, did_you_mean

_TAG = re.compile(r"<(?P<end>/?)(?P<name>mj-[\w-]+|mjml)\b(?P<rest>[^<>]*)>")
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

Fault = tuple[int, str, str]
"""At which character, what is wrong, and what to do."""


def check_mjml(path: str, body: str, first_line: int) -> list[Problem]:
    """An e-mail's template in MJML has MJML's elements only, each of them closed."""
    text = uncommented(masked(body, "x"))
    faults = [*_unknown(text), *_unclosed(text)]
    if not faults:
        faults = list(_unreadable(text))
    told = []
    for offset, message, hint in faults:
        line, column = place_in(text, offset)
        told.append(Problem(path, first_line + line - 1, column, "bad-mjml", "error", message, hint))
    return told


def _unknown(text: str) -> Iterator[Fault]:
    """Elements that MJML has not: they would be passed through, and readers would see no button but its text."""
    for match in re.finditer(r"<(mj-[\w-]+)", text):
        if match[1] not in _ELEMENTS:
            hint = did_you_mean(match[1], _ELEMENTS) or "look for its right name at documentation.mjml.io"
            yield match.start(1), f"MJML has no `{match[1]}`", hint


def _unclosed(text: str) -> Iterator[Fault]:
    """The first element that is not closed, or that is closed and was not open."""
    opened: list[re.Match[str]] = []
    for match in _TAG.finditer(text):
        if match["end"]:
            before = opened.pop() if opened else None
            if before is None:
                yield match.start(), f"`</{match['name']}>` closes nothing", "remove it"
                return
            if before["name"] != match["name"]:
                message = f"`<{before['name']}>` is not closed before `</{match['name']}>`"
                yield before.start(), message, f"write `</{before['name']}>` before it"
                return
        elif not match["rest"].rstrip().endswith("/"):
            opened.append(match)
    for match in opened[-1:]:
        yield match.start(), f"`<{match['name']}>` is not closed", f"end it with `</{match['name']}>`"


def _unreadable(text: str) -> Iterator[Fault]:
    """What MRML stumbles on, or does not expect."""
    begin = len(text) - len(text.lstrip())
    try:
        output = to_html(text.strip())
    except BadMjml as error:
        at = begin + len(text.strip().encode()[: error.offset].decode("utf-8", "ignore"))
        yield at, "this is not MJML", "look for a tag that is not closed or not known"
        return
    for warning in output.warnings:
        yield begin, f"MJML does not expect this: {warning.kind}", ""
