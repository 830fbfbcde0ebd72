"""Who is meant: identities made normal, and the one lead that they name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Connection, select

from dripline.ingest.incoming import LeadRef
from dripline.ingest.refusal import FieldError, Refused, invalid, unknown_lead
from dripline.store.leads import Identity, identity_of, owners, survivors
from dripline.store.schema import leads


class NotNormal(ValueError):
    """Not an e-mail address, or not a phone number; says why, without repeating it."""


@lru_cache(
    maxsize=10_000
)  # who is active now is named again and again, and this is a third of an event's cost
def normal_email(text: str) -> str:
    """The address as it is kept: domain in lower case, Unicode composed. No look-up of the domain is made.

    Addresses under `.test` (RFC 2606) are taken: nobody can be reached by them, which is what trials need.
    """
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise NotNormal(f"is not an e-mail address: {_reason(str(error), text)}") from None


def normal_phone(text: str, region: str | None) -> str:
    """The number in E.164. A local number is read as one of `region` (ISO 3166-1 alpha-2).

    One that is none there, and would be one with a `+`, is read so: spreadsheets take the `+` away.
    """
    number = _number(text, region)
    if number is None or not phonenumbers.is_valid_number(number):
        abroad = _number(f"+{text}", None) if text[:1] in "123456789" and len(text) > _LOCAL else None
        if abroad is not None and phonenumbers.is_valid_number(abroad):
            number = abroad
    if number is None:
        hint = "" if region else " with its country code, such as +37491123456"
        raise NotNormal(f"is not a phone number{hint}")
    if not phonenumbers.is_possible_number(number):
        raise NotNormal("is not a phone number: it has too few or too many digits")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_LOCAL = 9
"""Digits of the longest numbers that are mostly written without their country."""


def _number(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


@dataclass(frozen=True)
class Reference:
    """Everything by which a caller named a lead. Any of it may be unknown; none may name another lead."""

    ids: tuple[str, ...]
    identities: tuple[Identity, ...]


def read_reference(lead: LeadRef | str, region: str | None) -> Reference:
    """What the caller said of who is meant, made normal. Raises Refused with every field that is wrong."""
    return _loose(lead, region) if isinstance(lead, str) else _strict(lead, region)


def _strict(lead: LeadRef, region: str | None) -> Reference:
    errors: list[FieldError] = []
    found: list[Identity] = []
    if lead.external_id:
        found.append(identity_of("external_id", lead.external_id))
    for kind, text in (("email", lead.email), ("phone", lead.phone)):
        if text is None:
            continue
        try:
            normal = normal_email(text) if kind == "email" else normal_phone(text, region)
            found.append(identity_of(kind, normal))
        except NotNormal as error:
            errors.append(FieldError(f"lead.{kind}", str(error)))
    if lead.anonymous_id and not found and not lead.id:  # it says who it is only where nothing else does
        found.append(identity_of("anonymous_id", lead.anonymous_id))
    if not found and not lead.id and not errors:
        errors.append(FieldError("lead", "needs one of id, external_id, email, phone, anonymous_id"))
    if errors:
        raise invalid(errors)
    return Reference((lead.id,) if lead.id else (), tuple(found))


def _loose(text: str, region: str | None) -> Reference:
    found = [identity_of("external_id", text)]
    for kind in ("email", "phone"):
        try:
            normal = normal_email(text) if kind == "email" else normal_phone(text, region)
            found.append(identity_of(kind, normal))
        except NotNormal:
            continue
    return Reference((text,), tuple(found))


def resolve(connection: Connection, reference: Reference) -> str:
    """The id of the lead that is meant (after merges). Raises Refused: nobody (404), or several (409)."""
    [found] = resolve_all(connection, [reference])
    if isinstance(found, Refused):
        raise found
    return found


def resolve_all(connection: Connection, references: Sequence[Reference]) -> list[str | Refused]:
    """For each reference what `resolve` answers, or refuses; asked all at once."""
    known = owners(connection, {identity for one in references for identity in one.identities})
    ids = {lead_id for one in references for lead_id in one.ids}
    there = set(connection.execute(select(leads.c.id).where(leads.c.id.in_(ids))).scalars()) if ids else set()
    final = survivors(connection, there | set(known.values()))
    return [_resolved(one, known, there, final) for one in references]


def _resolved(
    reference: Reference, known: Mapping[Identity, str], there: set[str], final: Mapping[str, str]
) -> str | Refused:
    found = [identity for identity in reference.identities if identity in known]
    named = {known[identity] for identity in found} | there.intersection(reference.ids)
    meant = {final[lead_id] for lead_id in named}
    if not meant:
        return unknown_lead()
    return meant.pop() if len(meant) == 1 else several_leads(identity.kind for identity in found)


def several_leads(kinds: Iterable[str]) -> Refused:
    """The refusal of identities that belong to different leads."""
    names = sorted(set(kinds))
    return Refused(
        409,
        "identities-of-several-leads",
        "These identities belong to different leads; nothing was changed.",
        [FieldError(name, "belongs to another lead than the rest") for name in names],
    )


def _reason(sentence: str, text: str) -> str:
    """email-validator's sentence, unless it repeats some of what was given."""
    if "'" in sentence or text in sentence:
        return "it holds characters that may not stand there"
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")
