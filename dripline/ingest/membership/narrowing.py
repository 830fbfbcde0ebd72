"""What the database can tell of a segment by itself, so that not every lead must be looked at.

What stands here lets through everybody who belongs to it, and some more.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from jinja2 import nodes
from sqlalchemy import ColumnElement, and_, or_, select

from dripline.engine.calendar import zone
from dripline.engine.segments import back
from dripline.ingest.membership.facts import did_conditions
from dripline.ingest.membership.orders import bought_conditions
from dripline.language.expressions import tree_of
from dripline.language.grammar import dotted_path
from dripline.language.membership import Membership, SegmentRules
from dripline.store.schema import events, leads, orders

_PLAIN = ("external_id", "email", "phone", "locale", "timezone", "country", "stage", "owner")
"""Fields of a lead that are texts of their own in its row."""


def narrowed(wanted: Membership, rules: SegmentRules, now: datetime) -> list[ColumnElement[bool]]:
    """Conditions on rows of `leads`, all of which hold for everybody who belongs to it."""
    where = zone(rules.timezone)
    found = list(_by_when(wanted.when))
    for did in wanted.did:
        if did.least:
            theirs = did_conditions(did, back(now, did.within, where))
            found.append(select(events.c.id).where(events.c.lead_id == leads.c.id, *theirs).exists())
    for bought in wanted.bought:
        if bought.least:
            theirs = bought_conditions(bought, back(now, bought.within, where))
            found.append(select(orders.c.id).where(orders.c.lead_id == leads.c.id, *theirs).exists())
    for name in wanted.all_of:
        found += narrowed(rules.segments[name], rules, now)
    ways = [narrowed(one, rules, now) for one in wanted.any_of]
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
