"""What the database can tell of a segment by itself, so that not every lead must be looked at.

What stands here lets through everybody who belongs to it, and some more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from jinja2 import nodes
from sqlalchemy import ColumnElement, and_, or_, select

from dripline.engine.segments import back
from dripline.ingest.membership.facts import WHEN
from dripline.ingest.membership.orders import conditions
from dripline.language.expressions import tree_of
from dripline.language.grammar import dotted_path
from dripline.language.segments import Members
from dripline.language.workspace import Workspace
from dripline.store.schema import events, leads, orders

_PLAIN = ("external_id", "email", "phone", "locale", "timezone", "country", "stage", "owner")
"""Fields of a lead that are texts of their own in its row."""


def narrowed(members: Members, workspace: Workspace, now: datetime) -> list[ColumnElement[bool]]:
    """Conditions on rows of `leads`, all of which hold for everybody who belongs to it."""
    found = list(_by_when(members.when))
    for did in members.did:
        if did.times.least:
            mine: list[ColumnElement[bool]] = [events.c.lead_id == leads.c.id, events.c.name.in_(did.event)]
            since = back(now, did.within, workspace.zone)
            if since is not None:
                mine.append(since < WHEN)
            found.append(select(events.c.id).where(*mine).exists())
    for bought in members.bought:
        if bought.times.least:
            since = back(now, bought.within, workspace.zone)
            his = [orders.c.lead_id == leads.c.id, *conditions(bought, since)]
            found.append(select(orders.c.id).where(*his).exists())
    for name in members.in_ or ():
        found += narrowed(workspace.segments[name], workspace, now)
    ways = [narrowed(one, workspace, now) for one in members.any]
    if ways and all(ways):
        found.append(or_(*(and_(*way) for way in ways)))
    return found


def _by_when(when: str | None) -> Iterator[ColumnElement[bool]]:
    """Of `lead.stage == 'lost' and …` the parts that compare a plain field with a text."""
    open_ = [tree_of(when)] if when is not None else []
    while open_:
        node = open_.pop()
        if isinstance(node, nodes.And):
            open_ += [node.left, node.right]
        elif isinstance(node, nodes.Compare) and len(node.ops) == 1 and node.ops[0].op == "eq":
            field, value = (dotted_path(node.expr) or "").removeprefix("lead."), node.ops[0].expr
            if field in _PLAIN and isinstance(value, nodes.Const) and isinstance(value.value, str):
                yield leads.c[field] == value.value


__all__ = ["narrowed"]
