"""Who a call is about: found by its ids, made where nobody has them, changed by its traits, merged by an alias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from dripline.ingest.agreeing import Source
from dripline.ingest.change import LeadChange, read_change
from dripline.ingest.identity import NotNormal, normal_email
from dripline.ingest.incoming import LeadIn
from dripline.ingest.leads import Upserted, upsert
from dripline.ingest.merging.merge import Cause, Times, merge
from dripline.ingest.merging.rules import is_anonymous
from dripline.ingest.refusal import FieldError, Refused
from dripline.ingest.segment.calls import Call
from dripline.ingest.touches import Touch, touch_of
from dripline.language.workspace import Workspace
from dripline.store.leads import Identity, identity_of, load_lead, owners, survivor_id

_TAGS = {"source": "source", "medium": "medium", "name": "campaign", "term": "term", "content": "content"}
"""Segment's names of a campaign's parts, and ours."""


def note_lead(
    connection: Connection,
    workspace: Workspace,
    call: Call,
    said: Mapping[str, Any],
    guessed: Mapping[str, Any],
    times: Times,
    source: Source,
) -> Upserted:
    """Make or change the lead that the call names. Raises Refused.

    `said` is as the API takes it; `guessed` is what a browser knows of itself, and only fills what is empty.
    """
    who = ids_of(call.said.user_id, said.get("email"))
    if call.said.anonymous_id is not None:
        who["anonymous_id"] = call.said.anonymous_id
    body = {**_unknown(connection, who, guessed), **said, **who, "historical": call.historical}
    change = replace(_change(body, workspace, source), touch=_touch(call))
    return upsert(connection, change, times.house, times.machine, strict=False)


def unite(
    connection: Connection, workspace: Workspace, call: Call, times: Times, source: Source
) -> Upserted | None:
    """The two ids of an alias are one person's from now on. Raises Refused."""
    previous, now = str(call.more("previous_id")), call.said.user_id
    who = ids_of(now, None)
    before = _owner(connection, _identities(ids_of(previous, None)))
    if before is None:
        change = _change({**who, "anonymous_id": previous, "historical": call.historical}, workspace, source)
        return upsert(connection, change, times.house, times.machine, strict=False, cause="alias")
    other = _owner(connection, _identities(who))
    _refuse_known(connection, workspace, before, other)
    if other is None:
        change = _change({**who, "id": before, "historical": call.historical}, workspace, source)
        return upsert(connection, change, times.house, times.machine, strict=False, cause="alias")
    if other != before:
        cause: Cause = "alias"
        merge(connection, other, before, cause, times, into=other, by=source.by)
    return None


def _refuse_known(connection: Connection, workspace: Workspace, before: str, other: str | None) -> None:
    """A write key may lie open on a web page: by default it makes nobody another person who is known already."""
    if workspace.tracking_api.aliases == "anybody" or before == other:
        return
    if not any(
        one is not None and is_anonymous(load_lead(connection, one)._mapping) for one in (before, other)
    ):
        raise Refused(
            409,
            "both-known",
            "Both ids are of somebody who is known; nothing was merged. To allow it: `tracking_api: {aliases: anybody}`"
            " in dripline.yaml, or `dripline lead merge`.",
            [FieldError("previousId", "is of somebody who is known")],
        )


def ids_of(user_id: str | None, email: Any) -> dict[str, str]:
    """What a userId is: an external id, or, as many use it so, an e-mail address, unless a trait names another."""
    if user_id is None:
        return {}
    try:
        address = normal_email(user_id) if "@" in user_id else None
    except NotNormal:
        address = None
    if address is None or (isinstance(email, str) and email.strip().casefold() != address.casefold()):
        return {"external_id": user_id}
    return {"email": user_id}


def _change(body: Mapping[str, Any], workspace: Workspace, source: Source) -> LeadChange:
    return read_change(LeadIn.model_validate(body), workspace, source)


def _unknown(connection: Connection, who: Mapping[str, str], guessed: Mapping[str, Any]) -> dict[str, Any]:
    """What is guessed, less what the lead has already."""
    lead_id = _owner(connection, _identities(who)) if guessed else None
    if lead_id is None:
        return dict(guessed)
    lead = load_lead(connection, lead_id)
    return {name: value for name, value in guessed.items() if getattr(lead, name) is None}


def _touch(call: Call) -> Touch | None:
    """Where the person came from, if the call says so."""
    campaign, page = call.context.get("campaign"), call.context.get("page")
    tags: dict[str, str | None] = {}
    if isinstance(campaign, dict):
        tags = {ours: _text(campaign.get(theirs)) for theirs, ours in _TAGS.items()}
    seen = {
        **(page if isinstance(page, dict) else {}),
        **(call.fields("properties") if _is_page(call) else {}),
    }
    url, referrer = _text(seen.get("url")), _text(seen.get("referrer"))
    if not any(tags.values()) and not url and not referrer:
        return None
    return touch_of(url, referrer, tags)


def _is_page(call: Call) -> bool:
    return call.kind == "page"


def _text(value: Any) -> str | None:
    return value[:8_192] if isinstance(value, str) and value.strip() else None


def _identities(who: Mapping[str, str]) -> list[Identity]:
    return [
        identity_of(kind, normal_email(value) if kind == "email" else value) for kind, value in who.items()
    ]


def _owner(connection: Connection, wanted: list[Identity]) -> str | None:
    found = owners(connection, wanted)
    return next((survivor_id(connection, found[one]) for one in wanted if one in found), None)


def identities_of(call: Call) -> list[Identity]:
    """Everything by which the call names people."""
    found = _identities(ids_of(call.said.user_id, call.fields("traits").get("email")))
    for value in (call.said.anonymous_id, call.more("previous_id")):
        if value is not None:
            found.append(identity_of("anonymous_id", value))
    if call.more("previous_id") is not None:
        found += _identities(ids_of(call.more("previous_id"), None))
    return found
