"""The suppression list: what weighs more stays, softly refused messages are counted, and people may lift an entry."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dripline.ingest.bouncing import Patience
from dripline.ingest.refusal import Refused
from dripline.ingest.reports import take_report
from dripline.ingest.suppressing import Suppressions, read_address
from dripline.providers import DeliveryReport
from dripline.store.database import Store
from dripline.store.schema import audit, bounces, messages, suppressions
from dripline.store.suppressions import REASONS
from tests.ingest.test_reports import NOW, rows, sent

__all__ = ["sent"]

ANI = read_address("ani@example.com", None)
DAY = timedelta(days=1)
PATIENCE = Patience(3, 14 * DAY)


@pytest.fixture
def listed(store: Store) -> Suppressions:
    return Suppressions(store, machine=lambda: NOW)


def another_message(store: Store, key: str) -> None:
    """One more e-mail to the same address."""
    with store.write() as connection:
        row = dict(connection.execute(select(messages).where(messages.c.id == "m1")).one()._mapping)
        row |= {"id": key, "visit": int(key[1:])}
        for fact in ("state", "delivered_at", "accepted_at", "failed_at", "bounced_at"):
            row.pop(fact)
        connection.execute(messages.insert().values(**row))


def soft(store: Store, key: str, after: timedelta, kind: str = "failed") -> None:
    report = DeliveryReport(key, kind, NOW + after, None, "sendgrid.blocked.4.2.2", soft=kind != "delivered")
    take_report(store, report, machine=lambda: NOW + after, patience=PATIENCE)


def reason(listed: Suppressions) -> str | None:
    entry = listed.look_up(ANI)
    return entry.reason if entry else None


@pytest.mark.parametrize("heavier", REASONS)
@pytest.mark.parametrize("lighter", REASONS)
def test_what_weighs_more_stays_in_whatever_order_it_is_said(
    listed: Suppressions, lighter: str, heavier: str
) -> None:
    for said in (lighter, heavier):
        listed.put(ANI, said)
    assert reason(listed) == min(lighter, heavier, key=REASONS.index)


def test_an_address_is_known_again_in_whatever_case_and_only_its_hash_is_kept(
    store: Store, listed: Suppressions
) -> None:
    listed.put(read_address("Ani@Example.com", None), why="asked for it")
    assert reason(listed) == "by hand"
    [row] = rows(store, suppressions)
    assert "ani" not in str(row).lower()
    [act] = rows(store, audit)
    assert (act.what, act.why) == ("suppress", "asked for it")
    assert "example.com" not in str(act)


def test_a_number_is_not_an_e_mail_address(listed: Suppressions) -> None:
    listed.put(read_address("091 123456", "AM"))
    assert listed.look_up(read_address("+37491123456", None)) is not None
    assert reason(listed) is None


@pytest.mark.parametrize("why", ["unsubscribed", "bounced", "soft-bounced", "by hand", "erased"])
def test_whoever_says_why_may_lift_an_entry(store: Store, listed: Suppressions, why: str) -> None:
    listed.put(ANI, why)
    assert listed.take_off(ANI, "wrote to us", by="nare") == why
    assert reason(listed) is None
    act = rows(store, audit)[-1]
    assert (act.what, act.by, act.why, act.detail["reason"]) == ("unsuppress", "nare", "wrote to us", why)


def test_a_complaint_is_only_lifted_by_a_plain_word(listed: Suppressions) -> None:
    listed.put(ANI, "complained")
    with pytest.raises(Refused, match="complained"):
        listed.take_off(ANI, "wrote to us")
    assert reason(listed) == "complained"
    listed.take_off(ANI, "wrote to us", complaint=True)
    assert reason(listed) is None


def test_what_is_not_on_the_list_cannot_be_lifted(listed: Suppressions) -> None:
    with pytest.raises(Refused, match="not-suppressed"):
        listed.take_off(ANI, "wrote to us")


def test_many_are_put_there_and_a_second_time_changes_nothing(store: Store, listed: Suppressions) -> None:
    many = [(read_address(f"lead{number}@example.com", None), "unsubscribed") for number in range(1_100)]
    assert sum(listed.put_all(many)) == 1_100
    assert sum(listed.put_all(many)) == 0
    assert len(rows(store, suppressions)) == 1_100


# -- messages that were refused for the moment ---------------------------------------------------------------


def test_three_in_a_row_over_two_weeks_give_the_address_up(
    store: Store, sent: str, listed: Suppressions
) -> None:
    another_message(store, "m2")
    another_message(store, "m3")
    soft(store, "m1", 0 * DAY)
    soft(store, "m2", 7 * DAY)
    assert reason(listed) is None
    soft(store, "m3", 14 * DAY)
    assert reason(listed) == "soft-bounced"


def test_three_within_a_few_days_do_not(store: Store, sent: str, listed: Suppressions) -> None:
    for number in (2, 3, 4):
        another_message(store, f"m{number}")
    for number in (1, 2, 3, 4):
        soft(store, f"m{number}", number * DAY)
    assert reason(listed) is None
    [row] = rows(store, bounces)
    assert row.times == 4


def test_one_message_counts_once_however_often_it_is_deferred(
    store: Store, sent: str, listed: Suppressions
) -> None:
    for days in range(0, 30, 3):
        soft(store, "m1", days * DAY, "accepted")
    assert reason(listed) is None
    [row] = rows(store, bounces)
    assert row.times == 1


def test_a_delivery_begins_anew_and_brings_a_softly_bounced_address_back(
    store: Store, sent: str, listed: Suppressions
) -> None:
    another_message(store, "m2")
    soft(store, "m1", 0 * DAY)
    soft(store, "m2", 3 * DAY, "delivered")
    assert rows(store, bounces) == []
    listed.put(ANI, "soft-bounced")
    soft(store, "m2", 4 * DAY, "delivered")
    assert reason(listed) is None


def test_what_is_told_late_of_a_message_that_arrived_does_not_count(
    store: Store, sent: str, listed: Suppressions
) -> None:
    soft(store, "m1", 1 * DAY, "delivered")
    soft(store, "m1", 0 * DAY, "accepted")
    assert rows(store, bounces) == []


def test_a_delivery_lifts_nothing_but_a_soft_bounce(store: Store, sent: str, listed: Suppressions) -> None:
    listed.put(ANI, "complained")
    soft(store, "m1", 1 * DAY, "delivered")
    assert reason(listed) == "complained"


@pytest.mark.parametrize("text", ["", "nobody", "ani@", "+1"])
def test_what_is_no_address_is_refused(text: Any) -> None:
    with pytest.raises(Refused, match="invalid"):
        read_address(text, "AM")
