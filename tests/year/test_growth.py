"""What is done for one lead costs the database the same, however many others there are.

Counted in steps of SQLite's machine, not in time: a question that reads through everybody takes more of them with
every lead. The others are copies of one who has lived through the same.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, update

from dripline.ingest.campaigns.moving import Mover
from dripline.ingest.campaigns.starting import Wanted, start_campaign
from dripline.ingest.hands import Hands
from dripline.ingest.identity import Reference
from dripline.ingest.incoming import EventIn, LeadIn
from dripline.ingest.redeeming import Purchase
from dripline.ingest.referring.joining import Arrival
from dripline.ingest.referring.service import Referring
from dripline.ingest.reports import take_report
from dripline.privacy.erasing import Eraser
from dripline.providers import DeliveryReport, Outgoing
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.leads import read_lead
from dripline.store.overview import house_clock
from dripline.story import tell
from tests.year.driver import Installation
from tests.year.people import START

ROOT = Path(__file__).parents[2]
FEW, MANY = 40, 1_200
EACH = 10
"""Steps after which they are counted."""
GROWN = 100
"""So many times `EACH` may be more by chance: the first page of a table is read otherwise than the second."""
OF_PEOPLE = "SELECT assignments.person, count(CASE"
"""How colleagues stand is counted from what each was given within a year: here, all of the others."""
KNOWN_BY = (
    "id",
    "lead_id",
    "run_id",
    "trigger_event",
    "email",
    "phone",
    "external_id",
    "value",
    "last_event",
)


class Steps:
    """Counts the steps of each statement that the store executes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._now = ""
        self._counts: Counter[str] = Counter()

    @contextmanager
    def counted(self) -> Iterator[Counter[str]]:
        """What is executed within it."""
        self._counts = Counter()
        engine = self._store.engine
        event.listen(engine, "checkout", self._watch)
        event.listen(engine, "before_cursor_execute", self._note)
        try:
            yield self._counts
        finally:
            event.remove(engine, "checkout", self._watch)
            event.remove(engine, "before_cursor_execute", self._note)
            self._now = ""

    def _watch(self, connection: sqlite3.Connection, *_: Any) -> None:
        connection.set_progress_handler(self._step, EACH)

    def _note(self, _connection: Any, _cursor: Any, sql: str, *_: Any) -> None:
        self._now = sql

    def _step(self) -> int:
        if self._now:
            self._counts[self._now] += 1
        return 0


def lives(house: Installation, sent: list[Outgoing], name: str, phone: str) -> None:
    """Some hours in which a lead comes, looks around, buys, is written to, and clicks."""
    ingest = house.ingest
    ingest.upsert_lead(
        LeadIn.model_validate(
            {
                "external_id": name,
                "email": f"{name}@example.com",
                "phone": None,
                "consent": {"email": True, "sms": True},
                "touch": {"source": "google", "medium": "cpc", "campaign": "spring"},
                "stage": "interest",
            }
        )
    )
    for event_name, properties in (
        ("pricing.viewed", {"page": "/pricing"}),
        ("product.viewed", {"product": "sms-1000"}),
        ("cart.abandoned", {"cart_id": f"{name}/cart", "items": ["sms-5000"], "total": 50_000}),
        ("demo.booked", {"seats": 4}),
        ("order.paid", {"order_id": f"{name}/1", "total": 12_000, "currency": "AMD", "items": ["sms-1000"]}),
    ):
        said = {"name": event_name, "lead": name, "properties": properties}
        ingest.record_event(EventIn.model_validate(said))
    house.live(house.now + timedelta(hours=3))
    for message in sent:
        for kind in ("delivered", "opened", "clicked"):
            link = "https://www.dripline.example/pricing" if kind == "clicked" else None
            report = DeliveryReport(message.key, kind, house.now, link=link)
            take_report(house.store, report, machine=house.clock)
    sent.clear()
    ingest.upsert_lead(LeadIn.model_validate({"external_id": name, "phone": phone, "stage": "lead"}))
    house.live(house.now + timedelta(hours=3))


def is_served(house: Installation, name: str) -> None:
    """What people and shops do with a lead, and with others of it: hand it over, reward, merge, tell, erase."""
    ingest, hands = house.ingest, Hands(house.store, house.workspace, machine=house.clock)
    referring = Referring(house.store, machine=house.clock)

    def comes(who: str) -> str:
        said = {"external_id": who, "email": f"{who}@example.net", "consent": {"email": True}}
        return str(ingest.upsert_lead(LeadIn.model_validate(said)).body["id"])

    lead, friend, twin = comes(name), comes(f"{name}-friend"), comes(f"{name}-twin")
    hands.assign(lead, "sales")
    task = hands.set_task(lead, "Call")
    hands.reacted(lead)
    hands.finish_task(task.id, "aram", "wants an offer")
    hands.set_stage(lead, "lost", "price", "api")
    code = referring.code(Reference((lead,), ()), "friends").code
    welcome = referring.join(Reference((friend,), ()), Arrival(code, "api")).welcome["code"]
    order = Purchase(f"{name}/friend", None, Decimal(50_000), "AMD")
    ingest.reserve(welcome, order.reference, None, timedelta(minutes=30))
    ingest.redeem(welcome, order)
    merged = ingest.merge_leads(lead, twin, "command")
    with house.store.read() as connection:
        row = read_lead(connection, lead)
        assert row is not None
        tell(connection, row, house_clock(house.store), house.workspace.zone)
    ingest.undo_merge(merged.id)
    Eraser(house.store, machine=house.clock).erase(twin, "test")


def multiply(store: Store, lead: str, times: int) -> int:
    """Copies of everything that is the lead's, each with names of its own; how many rows."""
    number = 0
    with store.write() as connection:
        tables = [one for one in schema.metadata.sorted_tables if "lead_id" in one.c or one.name == "leads"]
        for table in tables:
            own = table.c.id if table.name == "leads" else table.c.lead_id
            rows = [dict(row) for row in connection.execute(select(table).where(own == lead)).mappings()]
            copies = [_copy(table, row, copy) for copy in range(times) for row in rows]
            if copies:
                connection.execute(insert(table), copies)
            number += len(copies)
    return number


def _copy(table: Any, row: dict[str, Any], copy: int) -> dict[str, Any]:
    made = dict(row)
    for name, value in row.items():
        if name in table.primary_key and isinstance(value, int) and table.c[name].autoincrement is True:
            del made[name]
        elif isinstance(value, str) and (name in KNOWN_BY or name in table.primary_key or _is_key(name)):
            made[name] = f"{copy:05}{value}"
    return made


def _is_key(name: str) -> bool:
    return name in ("code", "plain_code", "reference", "key", "order_id")


def steps_of(folder: Path, migrated: Path, others: int) -> Counter[str]:
    """What one more lead costs beside so many others: steps by statement."""
    folder.mkdir()
    path = folder / "growth.db"
    path.write_bytes(migrated.read_bytes())
    store = Store(f"sqlite:///{path}")
    sent: list[Outgoing] = []
    house = Installation(store, ROOT, START, sent.append)
    lives(house, sent, "ani", "+37477123001")
    is_served(house, "ani")
    with store.read() as connection:
        own = select(schema.leads.c.id).where(schema.leads.c.external_id == "ani")
        ani = connection.execute(own).scalar_one()
    assert multiply(store, ani, others) > 20 * others
    lives(house, sent, "aram", "+37477123002")  # what is read once, and then known
    is_served(house, "aram")
    steps = Steps(store)
    with steps.counted() as counts:
        lives(house, sent, "nare", "+37477123003")
        is_served(house, "nare")
    _campaign(store, house, steps, counts)
    store.close()
    return counts


def _campaign(store: Store, house: Installation, steps: Steps, counts: Counter[str]) -> None:
    """The same of the last lead that a campaign lets in."""
    with store.write() as connection:
        wanted = Wanted("win-back", "lead.stage != 'nowhere'", "all")
        campaign = start_campaign(connection, house.workspace, wanted, house.now, "test")
    mover = Mover(store, house.workspace, house.clock, sleep=lambda seconds: None)
    while mover._step(campaign, 1) == 0.0 and not _is_looked_through(store, campaign):
        pass
    table = schema.campaign_leads
    with store.write() as connection:  # as if all but some had been let in
        some = select(table.c.found_as).limit(FEW // 2)
        connection.execute(update(table).where(table.c.found_as.not_in(some)).values(state="entered"))
    mover._step(campaign, 1)
    with steps.counted() as more:
        mover._step(campaign, 1)
    with store.read() as connection:
        assert connection.execute(select(func.count(table.c.run_id))).scalar_one() > 0
    counts.update(more)


def _is_looked_through(store: Store, campaign: str) -> bool:
    with store.read() as connection:
        table = schema.campaigns
        row = connection.execute(select(table).where(table.c.id == campaign)).one()
    return row.looking_at is None


@pytest.mark.timeout(300)
def test_what_one_lead_costs_does_not_grow_with_the_others(tmp_path: Path, migrated_file: Path) -> None:
    few = steps_of(tmp_path / "few", migrated_file, FEW)
    many = steps_of(tmp_path / "many", migrated_file, MANY)
    assert len(many) > 40
    grown = {
        sql: (few[sql], number)
        for sql, number in many.items()
        if number > 2 * few[sql] + GROWN and not sql.startswith(OF_PEOPLE)
    }
    assert not grown, "\n".join(f"{before} to {after}: {sql}" for sql, (before, after) in grown.items())
