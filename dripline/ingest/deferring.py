"""Not now, but then: the day that a lead names by a link of a message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from dripline.engine.calendar import zone_of
from dripline.ingest.choosing import Times
from dripline.ingest.recording import record
from dripline.language.links import LaterLink
from dripline.language.workspace import Workspace
from dripline.links import Claim
from dripline.store.events import Event
from dripline.store.leads import lock_survivor, read_lead
from dripline.store.schema import messages

EVENT = "demand.deferred"
MOST = timedelta(days=2 * 366)
"""No day is later than so long from now."""

_MESSAGE = select(messages.c.lead_id, messages.c.notice)


@dataclass(frozen=True)
class Deferral:
    """What a lead may say by the link, by the date where it is."""

    today: date
    product: str | None = None
    until: date | None = None
    """What it has said just now."""

    @property
    def first(self) -> date:
        """The first day that can be named."""
        return self.today + timedelta(days=1)

    @property
    def last(self) -> date:
        """The last one."""
        return self.today + MOST


def read_deferral(
    connection: Connection, workspace: Workspace, claim: Claim, now: datetime
) -> Deferral | None:
    """What may be said by the link at that moment (house time); None where it has outlived its lead."""
    message: Any = connection.execute(_MESSAGE.where(messages.c.id == claim.message)).one_or_none()
    lead = read_lead(connection, message.lead_id) if message is not None and not message.notice else None
    if lead is None or lead.erased_at is not None or not isinstance(claim.link, LaterLink):
        return None
    return _deferral(workspace, lead, claim.link, now)


def defer(
    connection: Connection,
    workspace: Workspace,
    claim: Claim,
    times: Callable[[], Times],
    choose: Callable[[Deferral], date | None],
) -> Deferral | None:
    """Keep the day that `choose` takes, in the caller's transaction: once, however often it is sent.

    Nothing is kept of a day that cannot be named. None as above.
    """
    message: Any = connection.execute(_MESSAGE.where(messages.c.id == claim.message)).one_or_none()
    lead = lock_survivor(connection, message.lead_id) if message is not None and not message.notice else None
    if lead is None or lead.erased_at is not None or not isinstance(claim.link, LaterLink):
        return None
    now = times()
    may = _deferral(workspace, lead, claim.link, now.house)
    until = choose(may)
    if until is None or not may.first <= until <= may.last:
        return may
    said = {"product": claim.link.product, "until": until.isoformat()}
    properties = {name: value for name, value in said.items() if value is not None}
    record(connection, Event(f"{claim.id}-{until}", lead.id, EVENT, properties, now.house), now.machine)
    return Deferral(may.today, may.product, until)


def _deferral(workspace: Workspace, lead: Row[Any], link: LaterLink, now: datetime) -> Deferral:
    where = zone_of(lead.timezone, lead.country, workspace.timezone)
    return Deferral(now.astimezone(where).date(), link.product)


__all__ = ["EVENT", "MOST", "Deferral", "defer", "read_deferral"]
