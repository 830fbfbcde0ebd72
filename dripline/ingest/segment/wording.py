"""Their words in ours: which event a name means, which property, which field of a lead. Refuses nothing.

What the workspace file maps comes first. Else names are the same that differ in case and word breaks alone:
`Demo Booked`, `demoBooked` and `demo_booked` are `demo.booked`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from babel import Locale
from pydantic import ValidationError

from dripline.ingest.change import read_change
from dripline.ingest.incoming import LeadIn
from dripline.ingest.refusal import Refused
from dripline.ingest.words import field_errors
from dripline.language.fields import FieldErrors, FieldType, coerce
from dripline.language.workspace import BUILT_IN_EVENTS, Workspace
from dripline.store.strays import Stray

_IGNORED = frozenset({"id"})
"""Traits that are the ids of the call once more."""
_BY_ITSELF = ("email", "phone", "locale", "timezone")
"""Built-in fields that a trait of that name is without being mapped. Stage, score, tags and consent never are."""
_IDENTITIES = ("email", "phone")
_BREAK = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_WORD = re.compile(r"[\W_]+")
_TRUTHS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_CODES = {name.casefold(): code for code, name in Locale("en").territories.items() if len(code) == 2}


@dataclass
class Told:
    """What a call says in our words, and what had no place."""

    values: dict[str, Any] = field(default_factory=dict)
    strays: list[Stray] = field(default_factory=list)


class Wording:
    """The words of a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._told = workspace.tracking_api

    def event(self, name: str) -> str | None:
        """The declared event that the name means. What only Dripline itself tells, nobody can say."""
        mapped = self._told.events.get(name)
        return mapped.event if mapped else self._events.get(word(name))

    def properties(self, name: str, event: str, said: Mapping[str, Any]) -> Told:
        """The properties of an event that came by that name, by their declared types; the rest is stray."""
        types = self._workspace.events[event]
        mapped = self._told.events[name].properties if name in self._told.events else {}
        told = Told()
        for path, value in self._laid_out(said, mapped, types).items():
            target = mapped.get(path) or _by_words(types, path)
            self._put(told, "property", event, path, target, value, types)
        return told

    def lead(self, traits: Mapping[str, Any]) -> Told:
        """What traits say of a lead, as the API takes it: each that is good, and no more."""
        told = Told()
        for path, value in self._laid_out(traits, self._told.traits, self._workspace.attributes).items():
            if path in _IGNORED:
                continue
            target = self._told.traits.get(path) or self._field(path)
            if target is None:
                told.strays += self._unplaced(path, value)
            elif value is not None or ("." not in target and target not in _IDENTITIES):
                self._put_field(told, path, target, value)
        self._split_name(told, traits)
        return told

    def group(self, traits: Mapping[str, Any]) -> Told:
        """What the traits of a group say of those who join it: what is mapped, and nothing else."""
        told = Told()
        for path, value in self._laid_out(traits, self._told.group_traits, {}).items():
            target = self._told.group_traits.get(path)
            if target is not None:
                self._put_field(told, path, target, value)
        return told

    def guessed(self, context: Mapping[str, Any]) -> dict[str, Any]:
        """What a browser knows of its language and its clock, as far as it can be read."""
        told = Told()
        for name in ("locale", "timezone"):
            if isinstance(context.get(name), str):
                self._put_field(told, name, name, context[name])
        return told.values

    @cached_property
    def _events(self) -> Mapping[str, str]:
        ours = [name for name in self._workspace.declared if name not in BUILT_IN_EVENTS]
        return _by_word(ours)

    def _field(self, path: str) -> str | None:
        if word(path) == "address country":
            return "country"
        field = _by_words(self._workspace.attributes, path)
        if field is not None:
            return field
        return next((name for name in _BY_ITSELF if name == word(path)), None)

    def _laid_out(
        self, said: Mapping[str, Any], mapped: Mapping[str, str], types: Mapping[str, Any]
    ) -> dict[str, Any]:
        """By path, what was said: what is nested only where a path of the mapping, or `address`, leads into it."""
        found: dict[str, Any] = {}
        for name, value in said.items():
            paths = [path for path in mapped if path.startswith(f"{name}.")]
            if name == "address" and isinstance(value, dict) and "address.country" not in paths:
                paths.append("address.country")
            inner = {path: _at(said, path) for path in paths} if isinstance(value, dict) else {}
            found |= {path: one for path, one in inner.items() if one is not None}
            if name in mapped or not paths:
                found[name] = _named(value) if name == "company" else value
        return found

    def _put(
        self,
        told: Told,
        kind: Any,
        event: str,
        path: str,
        target: str | None,
        value: Any,
        types: Mapping[str, FieldType],
    ) -> None:
        if target is None:
            told.strays.append(Stray(kind, event, path, "is not declared"))
            return
        try:
            if value is not None:
                value = _coerced(self._workspace, {target: types[target]}, target, value)
            told.values[target] = value
        except FieldErrors as error:
            told.strays.append(Stray(kind, event, path, f"`{target}` {error.errors[0][1]}"))

    def _put_field(self, told: Told, path: str, target: str, value: Any) -> None:
        """Put a field where it belongs, if it holds what it must: which the API's own rules decide."""
        if target in self._workspace.attributes:
            attributes = Told()
            self._put(attributes, "trait", "", path, target, value, self._workspace.attributes)
            told.strays += attributes.strays
            told.values.setdefault("attributes", {}).update(attributes.values)
            return
        group, dot, name = target.partition(".")
        if dot and isinstance(value, (str, int)) and not isinstance(value, bool):
            value = _TRUTHS.get(str(value).strip().casefold(), value)
        if target == "country" and isinstance(value, str):
            value = _CODES.get(value.strip().casefold(), value)
        one = {group: {name: value}} if dot else {target: value}
        why = self._refused(one)
        if why is not None:
            told.strays.append(Stray("trait", "", path, f"`{target}` {why}"))
        elif dot:
            told.values.setdefault(group, {})[name] = value
        else:
            told.values[target] = value

    def _refused(self, said: Mapping[str, Any]) -> str | None:
        try:
            read_change(LeadIn.model_validate(said), self._workspace)
        except ValidationError as error:
            return next(field_errors(error.errors())).detail
        except Refused as refusal:
            return refusal.errors[0].detail if refusal.errors else refusal.detail
        return None

    def _unplaced(self, path: str, value: Any) -> Iterator[Stray]:
        if path == "name" and "first_name" in self._workspace.attributes and isinstance(value, str):
            return
        if path == "address" and isinstance(value, dict):
            return
        yield Stray("trait", "", path, "is not declared")

    def _split_name(self, told: Told, traits: Mapping[str, Any]) -> None:
        """A `name` in full is a first and a last one, where nothing says them better."""
        full, known = traits.get("name"), self._workspace.attributes
        given = {word(name) for name in traits}
        if not isinstance(full, str) or "name" in known or "name" in self._told.traits:
            return
        if "first name" in given or "last name" in given:
            return
        first, _, last = full.strip()[:500].partition(" ")
        for name, value in (("first_name", first), ("last_name", last.strip())):
            if value and known.get(name) == "text":
                told.values.setdefault("attributes", {})[name] = value


def word(name: str) -> str:
    """What is the same of names that differ in case and word breaks alone."""
    parted = _BREAK.sub(" ", name[:256])
    return _NO_WORD.sub(" ", parted).strip().casefold()


def _by_word(names: Iterable[str]) -> dict[str, str]:
    """Each word with the one name that it means; where it means two, none."""
    found: dict[str, str | None] = {}
    for name in names:
        found[word(name)] = None if word(name) in found else name
    return {key: name for key, name in found.items() if name is not None}


def _by_words(types: Mapping[str, FieldType], path: str) -> str | None:
    return path if path in types else _by_word(types).get(word(path))


def _at(said: Any, path: str) -> Any:
    for step in path.split("."):
        if not isinstance(said, dict):
            return None
        said = said.get(step)
    return said


def _named(company: Any) -> Any:
    """Segment's reserved trait `company` is an object with a name; a text is one, too."""
    return company.get("name") if isinstance(company, dict) else company


def _coerced(workspace: Workspace, types: Mapping[str, FieldType], name: str, value: Any) -> Any:
    if types[name] == "date" and isinstance(value, str) and value[10:11] in ("T", " "):
        value = value[:10]  # libraries write a birthday as a moment
    return coerce({name: value}, types, workspace.zone)[name]
