"""What has become of the demo's leads so far, out of the store. Blocking."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, union_all

from dripline.clock import HouseClock
from dripline.stack.demo.people import PREFIX
from dripline.store.database import Store
from dripline.store.overview import house_clock
from dripline.store.schema import discounts, events, leads, messages, referral_codes, runs

_OURS = leads.c.external_id.startswith(PREFIX, autoescape=True)
_UNSETTLED = ("queued", "sending", "uncertain")


@dataclass(frozen=True)
class Counts:
    """How far the demo is."""

    leads: int
    runs: int
    open_runs: int
    converted: int
    messages: Mapping[str, int]
    """By state."""

    @property
    def sent(self) -> int:
        """Messages that reached their mailbox."""
        return self.messages.get("accepted", 0) + self.messages.get("delivered", 0)

    @property
    def quiet(self) -> bool:
        """Whether every run has ended and no message is on its way."""
        return not self.open_runs and not any(self.messages.get(state) for state in _UNSETTLED)


class Ledger:
    """Looks at the demo's leads, and at nobody else's."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def clock(self) -> HouseClock:
        """By which journey time passes at present."""
        return house_clock(self._store)

    def began(self) -> datetime | None:
        """When the first of the leads came (house time); None: none has come yet."""
        with self._store.read() as connection:
            first = select(func.min(leads.c.created_at)).where(_OURS)
            began: datetime | None = connection.execute(first).scalar_one()
            return began

    def known(self) -> set[str]:
        """The traces of what has been done: leads, events, changes of leads from outside, redeemed discounts."""
        here = select(leads.c.external_id).where(_OURS)
        told = select(events.c.id).where(events.c.id.startswith(PREFIX, autoescape=True))
        changed = (
            select(leads.c.external_id + " changed")
            .join(events, events.c.lead_id == leads.c.id)
            .where(_OURS, events.c.name == "lead.updated", events.c.depth == 0)
        )
        redeemed = (
            select(discounts.c.redeemed_for)
            .join(leads, leads.c.id == discounts.c.lead_id)
            .where(_OURS, discounts.c.redeemed_for.is_not(None))
        )
        with self._store.read() as connection:
            return set(connection.execute(union_all(here, told, changed, redeemed)).scalars())

    def arrivals(self, templates: Collection[str]) -> dict[tuple[str, str], datetime]:
        """When these messages first reached leads, by external id and template."""
        with self._store.read() as connection:
            rows = connection.execute(
                select(leads.c.external_id, messages.c.template, func.min(messages.c.accepted_at))
                .join(leads, leads.c.id == messages.c.lead_id)
                .where(_OURS, messages.c.template.in_(templates), messages.c.accepted_at.is_not(None))
                .group_by(leads.c.external_id, messages.c.template)
            )
            return {(lead, template): at for lead, template, at in rows}

    def code(self, lead: str, journey: str, gives: str) -> str | None:
        """The code that a lead has of a journey, as it finds it in its mailbox."""
        with self._store.read() as connection:
            return connection.execute(
                select(discounts.c.code)
                .join(leads, leads.c.id == discounts.c.lead_id)
                .where(
                    leads.c.external_id == lead,
                    discounts.c.journey == journey,
                    discounts.c[gives].is_not(None),
                )
                .order_by(discounts.c.issued_at.desc())
                .limit(1)
            ).scalar_one_or_none()

    def friends_code(self, lead: str) -> str | None:
        """The code by which a lead brings friends, as it finds it in its mailbox."""
        with self._store.read() as connection:
            return connection.execute(
                select(referral_codes.c.code)
                .join(leads, leads.c.id == referral_codes.c.lead_id)
                .where(leads.c.external_id == lead)
                .order_by(referral_codes.c.created_at)
                .limit(1)
            ).scalar_one_or_none()

    def counts(self) -> Counts:
        """How far everything is."""
        with self._store.read() as connection:
            of_runs = select(
                func.count(), func.count() - func.count(runs.c.ended_at), func.count(runs.c.converted_at)
            )
            all_runs, open_runs, converted = connection.execute(
                of_runs.join(leads, leads.c.id == runs.c.lead_id).where(_OURS)
            ).one()
            here = connection.execute(select(func.count()).where(_OURS)).scalar_one()
            return Counts(here, all_runs, open_runs, converted, _states(connection))


def _states(connection: Connection) -> dict[str, int]:
    query = (
        select(messages.c.state, func.count().label("number"))
        .join(leads, leads.c.id == messages.c.lead_id)
        .where(_OURS)
        .group_by(messages.c.state)
    )
    return {row.state: row.number for row in connection.execute(query)}
