"""Doing what a call says, in the caller's transaction: the person, what happened, and what had no place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import uuid_utils
from sqlalchemy import Connection

from dripline.ingest.agreeing import Source
from dripline.ingest.merging.merge import Times
from dripline.ingest.recording import record
from dripline.ingest.segment.calls import Call
from dripline.ingest.segment.people import note_lead, unite
from dripline.ingest.segment.wording import Wording, word
from dripline.language.who_tells import of_servers
from dripline.language.workspace import BUILT_IN_EVENTS, Workspace
from dripline.store.database import insert_into
from dripline.store.events import Event
from dripline.store.groups import join, keep_group
from dripline.store.schema import idempotency
from dripline.store.strays import Stray

_OURS = {word(name): name for name in BUILT_IN_EVENTS}
ONLY_SERVERS = "no write key may tell it"
_SEEN = ("path", "url", "title", "referrer")
_MAX = 2_000
"""Characters that are kept of a page's address or title."""


@dataclass(frozen=True)
class Taken:
    """What became of a call. A repeated one is not `new`, and changed nothing."""

    new: bool
    strays: tuple[Stray, ...] = ()


class Taker:
    """Takes calls for a workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.wording = Wording(workspace)
        believes_anybody = workspace.tracking_api.orders == "anybody"
        self._of_servers = frozenset[str]() if believes_anybody else of_servers(workspace)

    def take(
        self, connection: Connection, call: Call, times: Times, by: str | None, *, server: bool = False
    ) -> Taken:
        """Do what the call says, unless that was done. Raises Refused.

        `server`: it comes by a key that does not lie open anywhere.
        """
        if call.key is not None and not _first(connection, call.key, times):
            return Taken(False)
        source = Source("segment", {"call": call.kind, **({"message": call.key} if call.key else {})}, by)
        if call.kind == "alias":
            unite(connection, self._workspace, call, times, source)
            return Taken(True)
        said, strays = self._of_person(call)
        guessed = self.wording.guessed(call.context)
        done = note_lead(connection, self._workspace, call, said, guessed, times, source)
        if call.kind == "track":
            strays += self._track(connection, call, done.lead_id, times, server=server)
        elif call.kind == "group":
            self._group(connection, call, done.lead_id, times)
        elif call.kind in ("page", "screen") and self._workspace.tracking_api.pages:
            self._page(connection, call, done.lead_id, times)
        return Taken(True, tuple(strays))

    def _of_person(self, call: Call) -> tuple[Mapping[str, Any], list[Stray]]:
        if call.kind == "identify":
            earlier = call.context.get("traits")  # where some libraries put them
            traits = {**(earlier if isinstance(earlier, dict) else {}), **call.fields("traits")}
            told = self.wording.lead(traits)
        elif call.kind == "group":
            told = self.wording.group(call.fields("traits"))
        else:
            return {}, []
        return told.values, told.strays

    def _track(
        self, connection: Connection, call: Call, lead_id: str, times: Times, *, server: bool
    ) -> list[Stray]:
        name = str(call.more("event"))
        event = self.wording.event(name)
        if event is None:
            ours = _OURS.get(word(name))
            why = f"is `{ours}`, which only Dripline itself tells" if ours else "is not declared"
            return [Stray("event", "", name, why)]
        if event in self._of_servers and not server:
            return [Stray("event", "", name, f"something hangs of `{event}`: {ONLY_SERVERS}")]
        told = self.wording.properties(name, event, call.fields("properties"))
        _record(connection, call, lead_id, event, told.values, times)
        return told.strays

    def _page(self, connection: Connection, call: Call, lead_id: str, times: Times) -> None:
        page = call.context.get("page")
        seen = {**(page if isinstance(page, dict) else {}), **call.fields("properties")}
        own = self.wording.properties("", "page.viewed", call.fields("properties")).values
        built_in: dict[str, Any] = {name: _short(seen.get(name)) for name in _SEEN}
        built_in |= {name: _short(call.more(name) or seen.get(name)) for name in ("name", "category")}
        built_in |= {name: _without_query(built_in[name]) for name in ("url", "referrer")}
        built_in["screen"] = True if call.kind == "screen" else None
        said = {name: value for name, value in built_in.items() if value is not None}
        rest = {name: value for name, value in own.items() if name not in built_in}
        _record(connection, call, lead_id, "page.viewed", {**rest, **said}, times)

    def _group(self, connection: Connection, call: Call, lead_id: str, times: Times) -> None:
        group_id, traits = str(call.more("group_id")), call.fields("traits")
        keep_group(connection, group_id, traits, times.house)
        if join(connection, lead_id, group_id, times.house):
            name = _short(traits.get("name"))
            said = {"group": group_id, **({"name": name} if name else {})}
            _record(connection, call, lead_id, "group.joined", said, times)


def _first(connection: Connection, key: str, times: Times) -> bool:
    """Whether the call comes for the first time. A repeat at the same moment waits for the first."""
    row = {
        "key": f"segment:{key}",
        "request_hash": key,
        "status": 200,
        "body": {},
        "created_at": times.machine,
    }
    claim = insert_into(connection, idempotency).values(row).on_conflict_do_nothing()
    return connection.execute(claim.returning(idempotency.c.key)).one_or_none() is not None


def _record(
    connection: Connection, call: Call, lead_id: str, name: str, said: Mapping[str, Any], times: Times
) -> None:
    event_id = f"segment.{call.key}" if call.key else str(uuid_utils.uuid7())
    event = Event(event_id, lead_id, name, said, times.house, call.occurred_at, call.historical)
    record(connection, event, times.machine)


def _short(value: Any) -> str | None:
    return value[:_MAX] if isinstance(value, str) and value.strip() else None


def _without_query(address: str | None) -> str | None:
    """An address as far as it says which page it is: what follows may say who it was."""
    if address is None:
        return None
    try:
        parts = urlsplit(address)
        return parts._replace(query="", fragment="", netloc=parts.netloc.rpartition("@")[2]).geturl()
    except ValueError:
        return None
