"""A form's inputs as a browser sends them, made what leads and events hold."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dripline.ingest.change import LeadChange, read_change
from dripline.ingest.incoming import LeadIn
from dripline.ingest.referring.joining import Arrival
from dripline.ingest.refusal import Refused
from dripline.ingest.touches import Touch
from dripline.language.check_forms import SUBMITTED
from dripline.language.fields import FieldErrors
from dripline.language.forms import LEAD, FormEntry, FormField
from dripline.language.workspace import Workspace

MOST_LETTERS = 200
MOST_LETTERS_LONG = 5_000
"""Characters of a field of one line, and of one with several."""

CONSENT = "consent"
"""The name of the box by which a visitor agrees."""

_TICKED = ("yes", "on", "true", "1")
_WEB_ADDRESS = re.compile(r"://|\bwww\.|<a\s", re.IGNORECASE)

Complaint = Literal["required", "email", "phone", "too-long", "choice", "web-address", "value", "agree"]


@dataclass(frozen=True)
class Fault:
    """What is wrong with the input of that name."""

    field: str
    what: Complaint


class NotAnswered(Exception):
    """The form is not filled in as it must be; `faults` has everything."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(", ".join(fault.what for fault in faults))
        self.faults = tuple(faults)


class _Wrong(Exception):
    def __init__(self, what: Complaint) -> None:
        super().__init__(what)
        self.what: Complaint = what


@dataclass(frozen=True)
class Submission:
    """A form as it was filled in."""

    form: str
    locale: str
    """The language in which it was read."""
    said: LeadChange
    """What it says of the lead; nothing of consent."""
    properties: Mapping[str, Any]
    """What it says besides, as properties of `form.submitted`."""
    agreed: bool
    """Whether the box was ticked."""
    page: str | None = None
    """The page that the form stood on, without its query."""
    touch: Touch | None = None
    """Where the visitor came from."""
    came: Arrival | None = None
    """By whose code, where a friend sent it."""


def read_submission(
    form_id: str,
    form: FormEntry,
    inputs: Mapping[str, Sequence[Any]],
    locale: str,
    page: str | None,
    workspace: Workspace,
) -> Submission:
    """What was filled in, by the names of the inputs. Raises NotAnswered. Inputs that the form has not are ignored."""
    faults: list[Fault] = []
    found: dict[str, Any] = {}
    for name, field in form.fields.items():
        try:
            answer = _answer(field, form.target(name), inputs.get(name, ()), workspace)
        except _Wrong as wrong:
            faults.append(Fault(name, wrong.what))
            continue
        if answer is not None:
            found[form.target(name)] = answer
    names = {form.target(name): name for name in form.fields}
    faults += [Fault(names[field], what) for field, what in _misfits(found, workspace)]
    agreed = _is_ticked(inputs.get(CONSENT, ()))
    if form.consent is not None and form.consent.required and not agreed:
        faults.append(Fault(CONSENT, "agree"))
    if faults:
        raise NotAnswered(faults)
    said = {name: found[name] for name in LEAD if name in found}
    attributes = {name: found[name] for name in workspace.attributes if name in found}
    change = read_change(LeadIn(**said, attributes=attributes, locale=locale), workspace)
    properties = {**form.properties, **{name: found[name] for name in _own(workspace) if name in found}}
    return Submission(form_id, locale, change, properties, agreed and form.consent is not None, page)


def _own(workspace: Workspace) -> Mapping[str, Any]:
    return workspace.declared.get(SUBMITTED, {})


def _answer(field: FormField, target: str, given: Sequence[Any], workspace: Workspace) -> Any:
    """The answer; None where there is none. Raises _Wrong."""
    texts = [text for text in (_text(one) for one in given[:100]) if text]
    if not texts:
        if field.required:
            raise _Wrong("required")
        return None
    kind = {**_own(workspace), **workspace.attributes}.get(target)
    if any(len(text) > (MOST_LETTERS_LONG if field.long else MOST_LETTERS) for text in texts):
        raise _Wrong("too-long")
    if field.options and not set(texts) <= field.options.keys():
        raise _Wrong("choice")
    if kind == "list":
        return texts
    if len(texts) > 1:
        raise _Wrong("choice")
    [text] = texts
    if kind == "boolean":
        return _is_ticked([text])
    if not field.long:
        text = " ".join(text.split())
        # What is printed into messages to whoever's address was entered must not advertise anything to them.
        if _WEB_ADDRESS.search(text) and target in workspace.attributes and not field.options:
            raise _Wrong("web-address")
    return text


def _text(value: Any) -> str:
    """The value as text, without what no keyboard types."""
    if isinstance(value, bool):
        return "true" if value else ""
    if not isinstance(value, str | int | float):
        return ""
    letters = (letter for letter in str(value) if letter in "\n\t" or unicodedata.category(letter) != "Cc")
    return "".join(letters).strip()


def _is_ticked(given: Sequence[Any]) -> bool:
    return any(_text(one).lower() in _TICKED for one in given)


def _misfits(found: Mapping[str, Any], workspace: Workspace) -> Iterator[tuple[str, Complaint]]:
    """What cannot be made what it is declared as."""
    for name in LEAD:
        if name in found:
            try:
                read_change(LeadIn.model_validate({name: found[name]}), workspace)
            except (Refused, ValueError):
                kinds: dict[str, Complaint] = {"email": "email", "phone": "phone"}
                yield name, kinds.get(name, "value")
    own = _own(workspace)
    for name, value in found.items():
        try:
            if name in workspace.attributes:
                workspace.coerce_attributes({name: value})
            elif name in own:
                workspace.coerce_event(SUBMITTED, {name: value})
        except FieldErrors:
            yield name, "value"
