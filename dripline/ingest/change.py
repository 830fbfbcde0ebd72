"""A change to a lead: what was said, coerced to the workspace's types, and how it is laid over the known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.core import parse_locale
from phonenumbers import SUPPORTED_REGIONS

from dripline.engine import topics as wishes
from dripline.engine.calendar import UnknownZone, zone
from dripline.ingest.agreeing import Source
from dripline.ingest.identity import NotNormal, normal_email, normal_phone
from dripline.ingest.incoming import LeadIn
from dripline.ingest.refusal import FieldError, invalid
from dripline.ingest.touches import Touch, read_touch
from dripline.language.problems import did_you_mean
from dripline.language.workspace import FieldErrors, Workspace
from dripline.store.leads import COLUMNS, IDENTIFYING, Identity, identity_of

_UNSAID: Mapping[str, Any] = {"score": 0.0, "tags": []}
"""Columns that are never NULL, and what they are where nothing was said."""
_MAPS = ("consent", "attributes")
_COUNTRIES = Locale("en").territories


@dataclass(frozen=True)
class LeadChange:
    """Only what was said: a missing key leaves things as they are, None empties. All values are normal."""

    columns: Mapping[str, Any] = field(default_factory=dict)
    consent: Mapping[str, bool | None] = field(default_factory=dict)
    topics: Mapping[str, wishes.Said] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    historical: bool = False
    source: Source = field(default_factory=Source)
    touch: Touch | None = None
    """Where the lead came from this time."""
    stage_reason: str | None = None
    """Why the stage is what it is now, as whoever says it says."""
    anonymous_id: str | None = None
    only_empty: bool = False
    """Said by nobody knows whom: fills what is empty, and overwrites nothing of a lead that is known."""

    @property
    def identities(self) -> tuple[Identity, ...]:
        """The identities that were said, those that name a person best first."""
        named = [identity_of(kind, self.columns[kind]) for kind in IDENTIFYING if self.columns.get(kind)]
        visitor = [identity_of("anonymous_id", self.anonymous_id)] if self.anonymous_id else []
        return (*named, *visitor)

    def applied_to(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """All columns of the lead after the change."""
        after: dict[str, Any] = {name: self._column(name, before) for name in COLUMNS}
        for name, nothing in _UNSAID.items():
            value = self._column(name, before)
            after[name] = nothing if value is None else value
        for name in _MAPS:
            known, said = before.get(name) or {}, getattr(self, name)
            laid_over = {**said, **known} if self.only_empty else {**known, **said}
            after[name] = {key: value for key, value in laid_over.items() if value is not None}
        topics = before.get("topics") or {}
        new = {name: one for name, one in self.topics.items() if not self.only_empty or name not in topics}
        after["topics"] = wishes.changed(topics, new)
        after["tracking"] = self.columns.get("tracking", before.get("tracking"))
        return after

    def _column(self, name: str, before: Mapping[str, Any]) -> Any:
        known = before.get(name)
        if name not in self.columns or (self.only_empty and known):
            return known
        return self.columns[name]

    def differences(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
        """The names that changed, as expressions read them (`stage`, `consent`, an attribute's own name)."""
        plain = (*COLUMNS, *_UNSAID, "consent", "topics", "tracking")
        names = [name for name in plain if before.get(name) != after.get(name)]
        old, new = before.get("attributes") or {}, after["attributes"]
        names += [name for name in {**old, **new} if old.get(name) != new.get(name)]
        return tuple(sorted(names))


def read_change(said: LeadIn, workspace: Workspace, source: Source | None = None) -> LeadChange:
    """What was said of a lead, made normal. Raises Refused with everything that is wrong, field by field.

    Without a `source` it is the API's, with the proof that the caller gave.
    """
    errors: list[FieldError] = []
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        if name not in said.model_fields_set:
            continue
        value = getattr(said, name)
        try:
            columns[name] = None if value is None else _normal(name, value, workspace)
        except NotNormal as error:
            errors.append(FieldError(name, str(error)))
    if "score" in said.model_fields_set:
        columns["score"] = said.score
    if "tags" in said.model_fields_set:
        columns["tags"] = list(dict.fromkeys(said.tags or []))
    if "tracking" in said.model_fields_set:
        columns["tracking"] = said.tracking
    errors += _unknown_topics(said, workspace)
    attributes: dict[str, Any] = {}
    try:
        attributes = workspace.coerce_attributes(said.attributes)
    except FieldErrors as error:
        errors += [FieldError(f"attributes.{name}", words) for name, words in error.errors]
    came, wrong = read_touch(said.touch, workspace) if said.touch else (None, [])
    errors += wrong
    if errors:
        raise invalid(errors)
    return LeadChange(
        columns,
        _by_channel(said),
        _by_topic(said),
        attributes,
        said.id,
        said.historical,
        source or Source(proof=_proof(said)),
        came,
        said.stage_reason,
        said.anonymous_id,
    )


def _proof(said: LeadIn) -> dict[str, Any]:
    """What the caller says of how consent was given. Of the page only what is before `?`: the rest may name people."""
    if said.consent_proof is None:
        return {}
    proof = said.consent_proof.model_dump(mode="json", exclude_none=True)
    if "url" in proof:
        proof["url"] = proof["url"].partition("#")[0].partition("?")[0]
    return proof


def _by_channel(said: LeadIn) -> dict[str, bool | None]:
    return {channel: agreed for channel, agreed in said.consent.items()}  # noqa: C416  (widens the key's type)


def _by_topic(said: LeadIn) -> dict[str, wishes.Said]:
    return {
        topic: dict[str, bool | None](wish.items()) if isinstance(wish, dict) else wish
        for topic, wish in said.topics.items()
    }


def _unknown_topics(said: LeadIn, workspace: Workspace) -> Iterator[FieldError]:
    for name in said.topics:
        if name not in workspace.topics:
            hint = did_you_mean(name, workspace.topics)
            yield FieldError(f"topics.{name}", f"is no topic of the workspace{', ' + hint if hint else ''}")


def _normal(name: str, value: str, workspace: Workspace) -> str:
    if name == "email":
        return normal_email(value)
    if name == "phone":
        return normal_phone(value, workspace.default_region)
    if name == "locale":
        return _normal_locale(value)
    if name == "timezone":
        return _normal_zone(value)
    if name == "country":
        return _normal_country(value)
    return value


def _normal_locale(text: str) -> str:
    tag = text.replace("_", "-")
    try:
        try:
            return str(Locale.parse(tag, sep="-")).replace("_", "-")
        except UnknownLocaleError:
            return _locale_abroad(tag)
    except (UnknownLocaleError, ValueError):
        raise NotNormal("is not a language tag such as hy-AM") from None


def _locale_abroad(tag: str) -> str:
    """A known language in a country that Unicode's list does not pair with it: `ru-AM`. Raises as Locale.parse."""
    language, country, script, *_ = parse_locale(tag, sep="-")
    known = Locale.parse("-".join(part for part in (language, script) if part), sep="-")
    if country not in _COUNTRIES:
        raise ValueError(country)
    return f"{known}-{country}".replace("_", "-")


def _normal_zone(text: str) -> str:
    try:
        return zone(text).key
    except UnknownZone:
        raise NotNormal("is not a zone of the tz database, such as Asia/Yerevan") from None


def _normal_country(text: str) -> str:
    if text.upper() not in SUPPORTED_REGIONS:
        raise NotNormal("is not a two-letter country code, such as AM")
    return text.upper()
