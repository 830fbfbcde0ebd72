"""The segments of a made-up lead: by the same rules as in the store, from what happens in its life.

Nobody can be ranked alone: `lead.rfm` is what the scenario says of it. What the scenario says of segments holds,
whatever their rules say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Any

from dripline.engine.calendar import add, at_local, zone, zone_of
from dripline.engine.effects import Event
from dripline.engine.scope import lead_scope
from dripline.engine.segments import back, belongs
from dripline.language.expressions import EvaluationError, compile_expression, revive
from dripline.language.membership import Bought, Did, Membership, SegmentRules
from dripline.language.orders import Ordered, Unreadable, minor, read_order, read_refund
from dripline.simulate.state import State

Told = tuple[str, dict[str, Any]]


class Segments:
    """Keeps the lead's segments. Where the workspace has none it does nothing."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._rules = state.rules.segments or SegmentRules()
        self._said = frozenset(state.lead.get("segments") or ())
        self._names = frozenset(self._rules.segments) - self._said
        if self._rules.segments:
            self._judge(self._names)  # who is in one from the start is told by nobody

    @property
    def due(self) -> datetime | None:
        """When time alone may change something."""
        timed = self._names & self._rules.by_the_clock
        return min(self._moments(timed), default=None)

    def follow(self, event: Event) -> list[Told]:
        """Let the lead enter and leave by an event; what is to be told of it."""
        names = self._rules.by_event.get(event.name, frozenset()) | self._rules.by_any_event
        return self._judge(names & self._names)

    def age(self) -> list[Told]:
        """Let it enter and leave by time; what is to be told of it."""
        return self._judge(self._names & self._rules.by_the_clock)

    def _judge(self, names: frozenset[str]) -> list[Told]:
        if not names:
            return []
        before = frozenset(self._state.lead.get("segments") or ())
        known = _Known(self._state, self._rules)
        inside = {name for name in names if belongs(self._rules.segments[name], known)}
        after = (before - names) | inside
        self._state.lead["segments"] = sorted(after)
        left, entered = sorted(before - after), sorted(after - before)
        told: list[Told] = [("segment.left", {"segment": name}) for name in left]
        return told + [("segment.entered", {"segment": name}) for name in entered]

    def _moments(self, names: frozenset[str]) -> Iterator[datetime]:
        """When something that happened is so long ago that it does not count any more; the next midnight."""
        where, now = zone(self._rules.timezone), self._state.now
        for part in (part for name in names for part in self._rules.reached(name)):
            for one in (*part.did, *part.bought):
                heard = one.events if isinstance(one, Did) else self._rules.ordered
                for event in self._state.events if one.within else ():
                    if one.within and event.name in heard:
                        at = add(event.received_at, one.within, where)
                        if at > now:
                            yield at
            if _reads_the_clock(part) and any(run.outcome is None for run in self._state.runs):
                lead = self._state.lead
                lives = zone_of(lead.get("timezone"), lead.get("country"), self._rules.timezone)
                tomorrow = now.astimezone(lives).date() + timedelta(days=1)
                yield at_local(datetime.combine(tomorrow, time()), lives)


@dataclass(frozen=True)
class _Known:
    """What is known of the lead now."""

    state: State
    rules: SegmentRules

    @cached_property
    def names(self) -> Mapping[str, Any]:
        lead = self.state.lead
        where = zone_of(lead.get("timezone"), lead.get("country"), self.rules.timezone)
        now = self.state.now.astimezone(where)
        return {"lead": lead_scope(lead, self.rules.attribute_times), "now": now, "today": now.date()}

    def did(self, wanted: Did) -> int:
        since = back(self.state.now, wanted.within, zone(self.rules.timezone))
        return sum(
            event.name in wanted.events
            and (since is None or event.received_at > since)
            and self._counts(wanted.when, event)
            for event in self.state.events
        )

    def _counts(self, when: str | None, event: Event) -> bool:
        known = revive(event.properties, self.rules.event_times.get(event.name, {}))
        try:
            return when is None or compile_expression(when).holds({"event": {**known, "name": event.name}})
        except EvaluationError:
            return False

    def bought(self, wanted: Bought) -> tuple[int, int]:
        since = back(self.state.now, wanted.within, zone(self.rules.timezone))
        counted = [
            (order, paid)
            for at, order, paid in self._orders
            if (since is None or at > since)
            and (wanted.products is None or {item.product for item in order.items} & {*wanted.products})
            and (paid > 0 or order.total == 0)
        ]
        return len(counted), sum(paid for order, paid in counted if order.currency == wanted.currency)

    @cached_property
    def _orders(self) -> list[tuple[datetime, Ordered, int]]:
        """When each order was placed, what it was, and what is left of what was paid."""
        rules, found = self.state.rules, dict[str, tuple[datetime, Ordered, int]]()
        for event in self.state.events:
            try:
                if rules.orders and event.name == rules.orders.event:
                    order = read_order(rules.orders, event.properties, rules.currency)
                    found.setdefault(order.reference, (event.received_at, order, order.total))
                elif rules.orders and rules.orders.refund and event.name == rules.orders.refund.event:
                    said = read_refund(rules.orders.refund, event.properties)
                    at, order, paid = found[said.reference]
                    back_ = paid if said.total is None else minor(said.total, order.currency)
                    found[said.reference] = at, order, max(0, paid - back_)
            except (Unreadable, KeyError):
                continue
        return list(found.values())

    def segment(self, name: str) -> Membership:
        return self.rules.segments[name]


def _reads_the_clock(part: Membership) -> bool:
    read = compile_expression(part.when).names if part.when is not None else ()
    return any(path.split(".")[0] in ("now", "today") for path in read)


__all__ = ["Segments"]
