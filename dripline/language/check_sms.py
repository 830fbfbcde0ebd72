"""How long text messages are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dripline.language.check_contents import first_words
from dripline.language.examples import Example, locale_of
from dripline.language.links import STANDS_FOR
from dripline.language.look import Look
from dripline.language.problems import Problem
from dripline.language.sms import SmsLength, measure
from dripline.language.template_grammar import TemplateError, TemplateSandbox
from dripline.language.templates import TemplateFile

_SANDBOX = TemplateSandbox()
_LINK = re.compile(rf"https?://(?!{re.escape(STANDS_FOR.removeprefix('https://'))})\S+")
_LONGER = 75
"""Characters by which a tracked link is longer than the link itself."""
_NARROW = re.compile("[\u00a0\u2007\u202f]")


def short_texts(look: Look) -> Iterator[Problem]:
    """No SMS takes more segments, in any language, than `sms_segments` of dripline.yaml says: each is paid for.

    Links that are tracked (`tracking: {sms: true}`) count as long as they then are, about 75 characters more.
    What is filled in counts as long as such values usually are, and in Latin letters. A single letter that is not
    in GSM-7 (all but a few Latin and Greek ones) leaves room for 70 characters instead of 160, and in several
    segments for 67 instead of 153.
    """
    most, rules = look.workspace.sms_segments, look.workspace.tracking
    for _, channel, message in look.sent:
        files = look.templates.files.get(f"{channel}:{message.template}", {}) if channel == "sms" else {}
        for file in files.values():
            length = _length(look, file, bool(rules and rules.sms) and not message.transactional)
            if length is not None and length.segments > most:
                told = f"with usual values this is {length.segments} segments ({length.encoding}), more than {most}"
                hint = (
                    f"it takes {length.places} places; shorten it, or raise `sms_segments` in dripline.yaml"
                )
                yield Problem(file.path, *first_words(file), "sms-segments", "warning", told, hint)


def _length(look: Look, file: TemplateFile, tracked: bool) -> SmsLength | None:
    example = Example(look.types(), locale_of(file.locale), look.workspace.currency or "EUR")
    try:
        text = example.body(_SANDBOX.read(file.source.body)[0].body)
        if tracked:
            text = _LINK.sub(lambda link: link[0] + "/" * _LONGER, text)
    except TemplateError:
        return None  # the template is wrong, which is told by itself
    return measure(_NARROW.sub(" ", text).strip())
