"""The rules of the house: kept when a process starts with the workspace file, read by whoever records events."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from dripline.clock import MachineClock, machine_clock
from dripline.language.rules import Rules, compile_rules
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.schema import rules

_NEWEST = select(rules.c.id, rules.c.hash).order_by(rules.c.id.desc()).limit(1)
_BODY = select(rules.c.body).where(rules.c.id == bindparam("id"))
_CACHE: dict[str, Rules] = {}
_CACHE_SIZE = 64
_NONE = Rules()


def keep_rules(connection: Connection, wanted: Rules, at: datetime) -> bool:
    """Let these rules hold from now on; False where they do already. `at` is house time."""
    newest = connection.execute(_NEWEST).one_or_none()
    if newest is not None and newest.hash == wanted.hash:
        return False
    body = wanted.model_dump(mode="json", exclude_defaults=True)
    connection.execute(insert(rules).values(hash=wanted.hash, body=body, at=at))
    return True


def to_be_kept(workspace: Workspace, current: Rules) -> Rules:
    """The rules of this workspace, but for scores those that hold: leads are scored anew on purpose only."""
    wanted = compile_rules(workspace)
    return wanted if current.scoring is None else wanted.model_copy(update={"scoring": current.scoring})


def make_known(store: Store, workspace: Workspace, machine: MachineClock = machine_clock) -> bool:
    """Let the rules of this workspace hold in the store; False where they do already."""
    if are_known(store, workspace):
        return False
    with store.write() as connection:
        at = open_house(connection).clock.to_house(machine())
        return keep_rules(connection, to_be_kept(workspace, current_rules(connection)), at)


def put_in_force(store: Store, workspace: Workspace, machine: MachineClock = machine_clock) -> bool:
    """Let all the rules of this workspace hold, those of scores too; False where they do already."""
    with store.write() as connection:
        at = open_house(connection).clock.to_house(machine())
        return keep_rules(connection, compile_rules(workspace), at)


def are_known(store: Store, workspace: Workspace) -> bool:
    """Whether the rules of this workspace are those that hold in the store."""
    with store.read() as connection:
        newest = connection.execute(_NEWEST).one_or_none()
        return newest is not None and newest.hash == to_be_kept(workspace, current_rules(connection)).hash


def current_rules(connection: Connection) -> Rules:
    """The rules that hold; where none were ever kept, nothing follows from anything."""
    newest = connection.execute(_NEWEST).one_or_none()
    if newest is None:
        return _NONE
    known = _CACHE.get(newest.hash)
    if known is None:
        known = Rules.model_validate(connection.execute(_BODY, {"id": newest.id}).scalar_one())
        if len(_CACHE) >= _CACHE_SIZE:
            _CACHE.pop(next(iter(_CACHE)), None)
        _CACHE[newest.hash] = known
    return known
