"""A year of a small shop, through every journey that ships; and its reports, counted again in plain SQL.

The year is lived by the real store, ingest, turns, deliveries and sweeps, in virtual time and in one process. It has
`DRIPLINE_YEAR` leads; without that, a part of what `make test-year` has.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dripline.reports.catalogue import Wanted, make_report
from dripline.reports.surveys import read_totals
from dripline.store.database import Store
from tests.year.people import START
from tests.year.shop import Shop

ROOT = Path(__file__).parents[2]
LEADS = int(os.environ.get("DRIPLINE_YEAR", "130"))
SEED = 7


pytestmark = pytest.mark.timeout(1_800)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, migrated_file: Path) -> Iterator[Year]:
    """The year, lived once for all tests of it."""
    path = tmp_path_factory.mktemp("year") / "year.db"
    path.write_bytes(migrated_file.read_bytes())
    store = Store(f"sqlite:///{path}")
    shop = Shop(store, ROOT, START, LEADS, SEED)
    shop.run()
    yield Year(store, shop, sqlite3.connect(path))
    store.close()


class Year:
    """What is left of the year: its store, and the same read by nothing of ours."""

    def __init__(self, store: Store, shop: Shop, plain: sqlite3.Connection) -> None:
        self.store, self.shop, self._plain = store, shop, plain

    def count(self, sql: str) -> Any:
        """The only figure of a query."""
        return self._plain.execute(sql).fetchone()[0]

    def rows(self, sql: str) -> dict[Any, Any]:
        """Keys and values of a query of two columns."""
        return dict(self._plain.execute(sql).fetchall())

    def report(self, name: str, **more: Any) -> Any:
        """A report from the beginning."""
        at = self.shop.start + timedelta(days=365)
        with self.store.read() as connection:
            return make_report(connection, Wanted(name, "beginning", **more), self.shop.house.workspace, at)


NET = "SUM(total - refunded) / 100.0"


def test_everybody_has_come_and_nothing_is_left_undone(year: Year) -> None:
    assert year.count("SELECT COUNT(*) FROM leads WHERE merged_into IS NULL") == LEADS
    assert year.count("SELECT COUNT(*) FROM runs WHERE parked_reason IS NOT NULL") == 0
    assert year.count("SELECT COUNT(*) FROM runs WHERE wake_wanted > wake_done") == 0
    assert year.count("SELECT COUNT(*) FROM inbox WHERE taken_in IS NULL") == 0
    assert year.count("SELECT COUNT(*) FROM messages WHERE state IN ('queued', 'sending', 'uncertain')") == 0
    ended = "ended_at IS NULL AND until IS NOT NULL AND until < (SELECT MAX(received_at) FROM events)"
    assert year.count(f"SELECT COUNT(*) FROM runs WHERE {ended}") == 0


def test_no_message_of_a_year_left_twice(year: Year) -> None:
    assert year.count("SELECT COUNT(*) - COUNT(DISTINCT run_id || step || visit) FROM messages") == 0
    assert year.count("SELECT COUNT(*) FROM messages WHERE attempts > 1") == 0
    assert (
        len(year.shop.sent)
        == len(set(year.shop.sent))
        == year.count("SELECT COUNT(*) FROM messages WHERE accepted_at IS NOT NULL")
    )


def test_leads_go_through_the_journeys_that_ship(year: Year) -> None:
    """By events of their own; some journeys are begun by what other parts tell."""
    gone = year.rows("SELECT journey, COUNT(*) FROM runs GROUP BY journey")
    begun = {name for name, plan in year.shop.house.plans.items() if plan.trigger.on.events}
    assert begun - gone.keys() <= {"friend-welcome", "welcome-opt-in", "hot-lead", "replenishment"}


def test_leads_and_what_they_brought_by_channel(year: Year) -> None:
    told = year.report("sources", by="channel")
    first = "(SELECT channel FROM touches WHERE touches.lead_id = leads.id ORDER BY touches.at, touches.id LIMIT 1)"
    came = year.rows(f"SELECT {first} AS c, COUNT(*) FROM leads WHERE merged_into IS NULL GROUP BY c")
    assert {row.key: row.leads for row in told.rows} == came
    assert told.totals.leads == LEADS
    assert told.totals.customers == year.count("SELECT COUNT(DISTINCT lead_id) FROM orders")
    assert told.totals.goals == year.count(
        "SELECT COUNT(DISTINCT lead_id) FROM runs WHERE converted_at IS NOT NULL"
    )
    assert told.totals.revenue == pytest.approx(year.count(f"SELECT {NET} FROM orders"))


def test_orders_by_month(year: Year) -> None:
    told = year.report("orders", by="month")
    month = "strftime('%Y-%m-01', at, '+4 hours')"  # in Yerevan
    assert {row.key: row.orders for row in told.rows} == year.rows(
        f"SELECT {month} AS m, COUNT(*) FROM orders GROUP BY m"
    )
    assert {row.key: row.net for row in told.rows} == pytest.approx(
        year.rows(f"SELECT {month} AS m, {NET} FROM orders GROUP BY m")
    )
    assert sum(row.new for row in told.rows) == year.count("SELECT COUNT(DISTINCT lead_id) FROM orders")


@pytest.mark.parametrize("by", ["source", "channel", "campaign", "journey", "template"])
def test_whatever_led_to_orders_all_of_the_revenue_is_given_to_something(year: Year, by: str) -> None:
    told = year.report("revenue", by=by)
    net = year.count(f"SELECT {NET} FROM orders")
    for model in ("first", "last", "linear"):
        assert sum(getattr(row, model) or 0 for row in told.rows) == pytest.approx(net), model


def test_messages_by_channel_and_how_they_arrived(year: Year) -> None:
    told = {row.key: row for row in year.report("channels").rows}
    for column, name in (
        ("accepted_at", "sent"),
        ("delivered_at", "delivered"),
        ("first_clicked_at", "clicked"),
    ):
        counted = year.rows(
            f"SELECT channel, COUNT({column}) FROM messages WHERE NOT notice GROUP BY channel"
        )
        assert {key: getattr(row, name) for key, row in told.items()} == counted, name
    bounced = (
        "SELECT COUNT(*) FROM messages WHERE channel = 'email' AND NOT notice AND bounced_at IS NOT NULL"
    )
    assert sum(row.bounced for row in year.report("deliverability", by="domain").rows) == year.count(bounced)


def test_the_funnel(year: Year) -> None:
    told = {row.key: row.reached for row in year.report("funnel").rows}
    assert (told["came"], told["bought"], told["again"]) == (
        LEADS,
        year.count("SELECT COUNT(DISTINCT lead_id) FROM orders"),
        year.count("SELECT COUNT(*) FROM (SELECT 1 FROM orders GROUP BY lead_id HAVING COUNT(*) > 1)"),
    )
    welcome = year.report("funnel", journey="welcome").rows[0]
    assert welcome.reached == year.count("SELECT COUNT(*) FROM runs WHERE journey = 'welcome'")


def test_control_groups(year: Year) -> None:
    rows = year.report("experiments", measure="order").rows
    told = [row for row in rows if row.step is None]
    for row in told:
        held = "holdout" if row.arm == "control group" else "NOT holdout"
        counted = year.count(
            f"SELECT COUNT(DISTINCT lead_id) FROM runs WHERE {held} AND journey = '{row.key}'"
        )
        assert row.leads == counted, row
    assert {row.key for row in told} == {
        name for name, plan in year.shop.house.plans.items() if plan.holdout
    } & set(year.rows("SELECT journey, 1 FROM runs"))


def test_discounts_by_journey(year: Year) -> None:
    told = year.report("discounts")
    assert {row.key: row.issued for row in told.rows} == year.rows(
        "SELECT journey, COUNT(*) FROM discounts GROUP BY journey"
    )
    assert {row.key: row.redeemed for row in told.rows} == year.rows(
        "SELECT journey, COUNT(redeemed_at) FROM discounts GROUP BY journey"
    )
    assert told.totals.redeemed > 0
    orders = "(SELECT MAX(total) AS total FROM discounts GROUP BY redeemed_for)"
    assert told.totals.given == pytest.approx(year.count("SELECT SUM(given) / 100.0 FROM discounts"))
    assert told.totals.total == pytest.approx(year.count(f"SELECT SUM(total) / 100.0 FROM {orders}"))
    fates = ("redeemed", "open", "expired", "revoked")
    assert all(sum(getattr(row, name) for name in fates) == row.issued for row in told.rows)


def test_who_of_the_lost_came_back(year: Year) -> None:
    told = year.report("recycling").totals
    lost = "(SELECT lead_id, MAX(at) AS at FROM stage_changes WHERE after = 'lost' GROUP BY lead_id) AS lost"
    bought = "EXISTS (SELECT 1 FROM orders WHERE orders.lead_id = lost.lead_id AND orders.at >= lost.at)"
    left = (
        "EXISTS (SELECT 1 FROM stage_changes AS later WHERE later.lead_id = lost.lead_id"
        " AND later.at > lost.at AND later.after <> 'lost')"
    )
    assert told.lost == year.count(f"SELECT COUNT(*) FROM {lost}") > 0
    assert told.bought == year.count(f"SELECT COUNT(*) FROM {lost} WHERE {bought}")
    assert told.back == year.count(f"SELECT COUNT(*) FROM {lost} WHERE {bought} OR {left}")


def test_who_looked_after_leads(year: Year) -> None:
    told = {row.key: row for row in year.report("owners").rows}
    given = year.rows("SELECT person, COUNT(*) FROM assignments WHERE person IS NOT NULL GROUP BY person")
    assert {name: row.given for name, row in told.items() if row.given} == given
    for column, name in (("id", "tasks"), ("done_at", "done"), ("overdue_at", "overdue")):
        counted = year.rows(
            f"SELECT person, COUNT({column}) FROM tasks"
            " WHERE person IS NOT NULL AND cancelled_at IS NULL GROUP BY person"
        )
        assert {person: getattr(told[person], name) for person in counted} == counted, name
        assert sum(getattr(row, name) for row in told.values()) == sum(counted.values()), name


def test_what_was_answered(year: Year) -> None:
    """NPS is the promoters (9 and 10) less the detractors (0 to 6), of 100 who answered."""
    with year.store.read() as connection:
        told = {one.survey: one.total for one in read_totals(connection)}
    asked = year.rows(
        "SELECT survey, COUNT(accepted_at) FROM survey_asks JOIN messages ON messages.id = survey_asks.id"
        " GROUP BY survey"
    )
    assert {name: one.asked for name, one in told.items()} == asked
    answered = year.rows("SELECT survey, COUNT(answered_at) FROM survey_asks GROUP BY survey")
    assert {name: one.answered for name, one in told.items()} == answered
    points = "CASE WHEN score >= 9 THEN 100.0 WHEN score <= 6 THEN -100.0 ELSE 0.0 END"
    net = f"SELECT AVG({points}) FROM survey_asks WHERE kind = 'nps' AND answered_at IS NOT NULL"
    assert told["recommend"].score == pytest.approx(year.count(net), abs=0.05)
