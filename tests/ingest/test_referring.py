"""Leads bring friends: once each, by rules, and nobody is rewarded for what can still be given back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from activities.sweep import Patience, Sweeper
from dripline.ingest.identity import Reference
from dripline.ingest.incoming import EventIn
from dripline.ingest.merging.merge import Times as MergeTimes
from dripline.ingest.merging.merge import merge
from dripline.ingest.referring.guards import Meeting, mailbox_of, reason_against
from dripline.ingest.referring.joining import Arrival, Joined
from dripline.ingest.referring.service import PUT_OFF, Referring
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.plan import ReferralStep
from dripline.language.workspace import Workspace
from dripline.privacy.erasing import Eraser
from dripline.privacy.exporting import export
from dripline.store import budgets, referrals, schema
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.leads import add_lead, change_lead, load_lead
from dripline.store.rules import make_known
from tests.durable.house import NOW, Clock, House
from tests.engine.plans import email, plan

DAY = timedelta(days=1)
PROGRAM: dict[str, Any] = {
    "landing": "https://shop.example/friends",
    "told_by": {"event": ["lead.registered", "order.paid"], "code": "event.friend_code"},
    "welcome": {"percent": 15, "valid": "30 days"},
    "reward": [
        {"discount": {"amount": "50 USD", "valid": "180 days"}},
        {"from": 2, "bonus": "80 USD"},
        {"from": 3, "gift": "a mug"},
    ],
    "min_order": "20 USD",
    "limit": "3 per 365 days",
}


def workspace(**changes: Any) -> Workspace:
    paid = {"order_id": "text", "total": "number", "currency": "text", "items": "list", "friend_code": "text"}
    return Workspace.model_validate(
        {
            "timezone": "UTC",
            "locales": ["en"],
            "currency": "USD",
            "attributes": {"address": "text"},
            "budgets": {"friends": {"codes": 2}},
            "orders": {"event": "order.paid", "refund": {"event": "order.refunded"}},
            "events": {
                "order.paid": paid,
                "order.refunded": {"order_id": "text"},
                "lead.registered": {"friend_code": "text"},
            },
            "referrals": {"friends": {**PROGRAM, **changes}},
        }
    )


class Shop:
    """A program, and leads who use it."""

    def __init__(self, store: Store, **changes: Any) -> None:
        self.store, self.clock = store, Clock()
        make_known(store, workspace(**changes), self.clock)
        self.ingest = Ingest(store, workspace(**changes), machine=self.clock)
        self.referring = Referring(store, machine=self.clock)
        self.sweeper = Sweeper(store, {}, Patience(), clock=self.clock)
        self.code = self.has("ani")

    def has(self, lead: str, **values: Any) -> str:
        """A lead who is there; the code by which it brings friends."""
        with self.store.write() as connection:
            add_lead(connection, lead, {"email": f"{lead}@example.com", **values}, NOW)
        row = self.referring.code(Reference((lead,), ()), "friends")
        return str(row.code)

    def brings(self, friend: str, code: str | None = None, **more: Any) -> Joined:
        return self.referring.join(Reference((friend,), ()), Arrival(code or self.code, "api", **more))

    def comes(self, friend: str, code: str | None = None, **more: Any) -> str:
        """A new friend; `joined`, or why it does not count."""
        self.has(friend)
        row = self.brings(friend, code, **more).row
        return str(row.refused or row.state)

    def buys(self, lead: str, order: str, total: float = 100, **more: Any) -> None:
        said = EventIn(
            name="order.paid", lead=lead, id=order, properties={"order_id": order, "total": total, **more}
        )
        self.ingest.record_event(said)

    def returns(self, lead: str, order: str) -> None:
        said = EventIn(name="order.refunded", lead=lead, id=f"{order}-back", properties={"order_id": order})
        self.ingest.record_event(said)

    def days_pass(self, days: float) -> None:
        self.clock.offset += days * DAY
        self.sweeper.sweep()

    def happened(self, lead: str = "ani") -> list[str]:
        events = schema.events.c
        with self.store.read() as connection:
            query = select(events.name, events.properties).where(
                events.lead_id == lead, events.name.startswith("referral.")
            )
            rows = connection.execute(query.order_by(events.seq)).all()
        return [" ".join(filter(None, [row.name, row.properties.get("reason")])) for row in rows]

    def told(self, name: str, lead: str = "ani") -> list[dict[str, Any]]:
        events = schema.events.c
        with self.store.read() as connection:
            query = select(events.properties).where(events.lead_id == lead, events.name == name)
            return list(connection.execute(query.order_by(events.seq)).scalars())

    def row(self, friend: str) -> Any:
        with self.store.read() as connection:
            return referrals.load_referral(connection, referrals.referral_id("friends", friend))


@pytest.fixture
def sqlite(migrated_file: Path, tmp_path: Path) -> Iterator[Store]:
    """A store for what no database decides."""
    shutil.copy(migrated_file, tmp_path / "dripline.db")
    opened = Store(f"sqlite:///{tmp_path / 'dripline.db'}")
    yield opened
    opened.close()


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_a_friend_who_buys_and_keeps_it_earns_the_referrer_a_code_once(shop: Shop) -> None:
    assert shop.comes("nare") == "joined"
    [welcome] = shop.told("referral.welcomed", "nare")
    assert (welcome["percent"], len(welcome["code"])) == (15, 11)
    shop.buys("nare", "o-1")
    shop.days_pass(13)
    assert shop.happened() == ["referral.joined", "referral.purchased"]
    shop.days_pass(2)
    shop.buys("nare", "o-1")  # the shop repeats itself
    shop.buys("nare", "o-2")
    shop.days_pass(20)
    assert shop.happened() == ["referral.joined", "referral.purchased", "referral.rewarded"]
    [reward] = shop.told("referral.rewarded")
    assert (reward["kind"], reward["amount"], reward["currency"]) == ("discount", 50, "USD")
    assert "nare" not in str(shop.told("referral.rewarded") + shop.told("referral.joined"))
    with shop.store.read() as connection:
        issued = connection.execute(select(schema.discounts).order_by(schema.discounts.c.issued_at)).all()
    assert [(row.lead_id, row.step, row.run_id) for row in issued] == [
        ("nare", "welcome", None),
        ("ani", "reward", None),
    ]


def test_what_is_given_back_in_time_earns_nothing_and_the_next_order_may(shop: Shop) -> None:
    shop.comes("nare")
    shop.buys("nare", "o-1")
    shop.days_pass(1)
    shop.returns("nare", "o-1")
    shop.days_pass(20)
    assert shop.row("nare").state == "returned"
    assert shop.happened()[-1] == "referral.refused returned"
    shop.buys("nare", "too-small", total=19.99)
    shop.buys("nare", "o-2")
    shop.days_pass(15)
    assert shop.row("nare").state == "rewarded"


def test_tiers_count_the_friends_who_were_rewarded_and_the_limit_ends_it(shop: Shop) -> None:
    for friend in ("one", "two", "three", "four"):
        shop.comes(friend)
        shop.buys(friend, f"order-{friend}")
        shop.days_pass(15)
    assert [(one["friends"], one["kind"]) for one in shop.told("referral.rewarded")] == [
        (1, "discount"),
        (2, "bonus"),
        (3, "gift"),
    ]
    assert shop.row("four").refused == "limit"
    shop.days_pass(365)
    shop.comes("five")
    shop.buys("five", "order-five")
    shop.days_pass(15)
    assert shop.row("five").state == "rewarded", "a year later there is room again"


def test_a_friend_comes_once_by_whoever_was_first(shop: Shop) -> None:
    other = shop.has("oleg")
    assert shop.comes("nare") == "joined"
    again = shop.brings("nare", other)
    assert (again.new, again.row.referrer_id, again.welcome["percent"]) == (False, "ani", 15)
    assert len(shop.told("referral.welcomed", "nare")) == 1


@pytest.mark.parametrize(
    ("code", "why"), [("ZZZZZ-ZZZZZ", "unknown-code"), ("", "unknown-code"), ("own", "own-code")]
)
def test_codes_that_bring_nobody_are_refused(sqlite: Store, code: str, why: str) -> None:
    shop = Shop(sqlite)
    with pytest.raises(Refused) as refused:
        shop.brings("ani", shop.code.lower().replace("-", " ") if code == "own" else code or "-")
    assert refused.value.code == why


def test_a_code_is_the_same_however_often_it_is_asked_for_and_can_be_taken_back(sqlite: Store) -> None:
    shop = Shop(sqlite)
    who = Reference(("ani",), ())
    assert shop.referring.code(who, "friends").code == shop.code
    shop.referring.revoke(shop.code, "lost", None)
    shop.has("nare")
    with pytest.raises(Refused, match="unknown-code"):
        shop.brings("nare")
    assert shop.referring.code(who, "friends").code != shop.code
    with pytest.raises(Refused) as refused:
        shop.referring.code(who, "freinds")
    assert "did you mean `friends`" in refused.value.detail


ANI = {"email": "ani@example.com"}


@pytest.mark.parametrize(
    ("meeting", "why"),
    [
        (Meeting(ANI, {"email": "nare@example.com"}), None),
        (Meeting(ANI, {"email": "Ani+Shop@Example.com"}), "self"),
        (Meeting({}, {}), None),
        (Meeting(ANI, {}, is_above=True), "loop"),
        (Meeting(ANI, {}, has_bought=True), "customer"),
        (Meeting(ANI, {"stage": "customer"}), "customer"),
        (Meeting(ANI, {}, same_device=True), "device"),
        (Meeting(ANI, {}, own_network=True), "network"),
        (Meeting(ANI, {}, from_network=1), None),
        (Meeting(ANI, {}, from_network=2), "network"),
        (Meeting(ANI | {"to": "Abovyan 12, 3"}, {"to": "abovyan 12/3"}, differ=("to",)), "shared"),
        (Meeting(ANI | {"to": None}, {"to": ""}, differ=("to",)), None),
    ],
)
def test_who_does_not_count_as_a_friend(meeting: Meeting, why: str | None) -> None:
    assert reason_against(meeting) == why


def test_gmail_sees_no_dots_and_others_do() -> None:
    assert mailbox_of("A.Ni+x@googlemail.com") == mailbox_of("ani@gmail.com")
    assert mailbox_of("a.ni@example.com") != mailbox_of("ani@example.com")


def test_devices_networks_loops_and_customers_are_known_again(sqlite: Store) -> None:
    shop = Shop(sqlite)
    assert shop.comes("one", device="phone", network="10.0.0.0") == "joined"
    assert shop.comes("two", device="phone") == "device"
    assert shop.comes("three", network="10.0.0.0") == "joined"
    assert shop.comes("four", network="10.0.0.0") == "network"
    code = shop.has("five")
    shop.brings("five", device="tablet")
    assert shop.comes("six", code, device="tablet") == "device", "it is the referrer's own"
    assert shop.brings("ani", code).row.refused == "loop"
    shop.has("old")
    shop.buys("old", "before")
    assert shop.brings("old").row.refused == "customer"
    assert shop.told("referral.welcomed", "old") == []


def test_the_referrer_never_learns_that_a_friend_had_bought_before(sqlite: Store) -> None:
    shop = Shop(sqlite)
    shop.has("old")
    shop.buys("old", "before")
    shop.brings("old")
    shop.comes("one", device="phone")
    shop.comes("two", device="phone")
    shop.comes("three")
    shop.referring.refuse(shop.row("three").id, "has bought as Aram", None)
    friends = ("old", "two", "three")
    assert [shop.row(one).refused for one in friends] == ["customer", "device", "has bought as Aram"]
    told = [one["reason"] for one in shop.told("referral.refused")]
    assert told == ["rules"] * 3, "nor can it tell one from the other"
    handed = {}
    for lead in ("ani", "old"):
        with sqlite.read() as connection:
            house = open_house(connection)
            handed[lead] = export(connection, house, load_lead(connection, lead), house.clock, UTC, NOW)
    assert sorted(str(one["refused"]) for one in handed["ani"]["friends_brought"]) == ["None"] + ["rules"] * 3
    for word in ("customer'", "device'", "Aram"):
        rows = [handed["ani"][name] for name in ("friends_brought", "events", "story")]
        assert word not in str(rows)
    assert [one["refused"] for one in handed["old"]["friends_brought"]] == ["customer"], "it is its own"


def test_a_referral_that_cannot_be_settled_holds_up_no_other_and_is_tried_again(
    sqlite: Store,
) -> None:
    shop = Shop(sqlite)
    for friend in ("broken", "nare"):
        shop.comes(friend)
        shop.buys(friend, f"order-{friend}")
    good = shop.row("broken").terms
    with sqlite.write() as connection:
        referrals.change_referral(
            connection, shop.row("broken").id, terms={"reward": "ani@example.com"}, due_at=NOW
        )
    shop.clock.offset += 15 * DAY
    with capture_logs() as logs:
        assert shop.referring.settle_due(1, 5.0) == 1
        assert shop.referring.settle_due(10, 5.0) == 1, "it stands in nobody's way"
    assert [shop.row(one).state for one in ("broken", "nare")] == ["purchased", "rewarded"]
    assert [(one["event"], one["error"]) for one in logs] == [("referral-waits", "ValidationError")]
    assert "example.com" not in str(logs)
    with sqlite.write() as connection:
        referrals.change_referral(connection, shop.row("broken").id, terms=good)
    shop.clock.offset += PUT_OFF
    assert shop.referring.settle_due(10, 5.0) == 1
    assert shop.row("broken").state == "rewarded"


def test_whoever_refuses_stands_in_the_audit_log_or_nothing_is_refused(sqlite: Store) -> None:
    shop = Shop(sqlite)
    shop.comes("nare")
    id_ = shop.row("nare").id
    with sqlite.write() as connection:
        connection.execute(
            text("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END")
        )
    with pytest.raises(IntegrityError):
        shop.referring.refuse(id_, "the same household", "lilit")
    with pytest.raises(IntegrityError):
        shop.referring.revoke(shop.code, "leaflets", "lilit")
    assert shop.row("nare").state == "joined"
    assert shop.comes("oleg") == "joined"
    with sqlite.write() as connection:
        connection.execute(text("DROP TRIGGER full"))
    for _ in range(2):
        shop.referring.refuse(id_, "the same household", "lilit")
    shop.referring.revoke(shop.code, "leaflets", "lilit")
    with sqlite.read() as connection:
        rows = connection.execute(select(schema.audit).order_by(schema.audit.c.id)).all()
    assert [(row.what, row.by, row.why) for row in rows] == [
        ("referral-refused", "lilit", "the same household"),
        ("referral-code-revoked", "lilit", "leaflets"),
    ]


def test_an_order_may_tell_whose_friend_it_is(sqlite: Store) -> None:
    shop = Shop(sqlite)
    shop.has("nare")
    shop.buys("nare", "o-1", friend_code=f" {shop.code.lower()} ")
    assert shop.row("nare").state == "purchased"
    shop.has("oleg")
    shop.buys("oleg", "o-2", friend_code="nonsense")
    shop.days_pass(0)
    assert shop.happened() == ["referral.joined", "referral.purchased"]
    assert len(shop.told("referral.welcomed", "nare")) == 1


def test_only_an_order_after_the_friend_came_and_in_the_promised_currency_counts(sqlite: Store) -> None:
    shop = Shop(sqlite)
    shop.comes("nare")
    before = shop.clock() - DAY
    for order, more in (("before", {"occurred_at": before}), ("history", {"historical": True})):
        said = {"order_id": order, "total": 100}
        shop.ingest.record_event(EventIn(name="order.paid", lead="nare", properties=said, **more))
    shop.buys("nare", "drams", total=9_000, currency="AMD")
    assert shop.row("nare").state == "joined"
    shop.buys("nare", "dollars")
    assert shop.row("nare").state == "purchased"


def test_a_reward_waits_until_its_budget_has_something_again(sqlite: Store) -> None:
    shop = Shop(sqlite, welcome=None, reward={"discount": {"percent": 20, "budget": "friends"}}, limit=None)
    for friend in ("one", "two", "three"):
        shop.comes(friend)
        shop.buys(friend, f"order-{friend}")
    shop.days_pass(15)
    assert sorted(shop.row(one).state for one in ("one", "two", "three")) == [
        "purchased",
        "rewarded",
        "rewarded",
    ]
    waiting = next(one for one in ("one", "two", "three") if shop.row(one).state == "purchased")
    assert shop.row(waiting).reward == {"waits": "budget spent"}
    more = workspace(welcome=None, reward={"discount": {"percent": 20, "budget": "friends"}}, limit=None)
    make_known(
        sqlite,
        more.model_copy(
            update={"budgets": {"friends": more.budgets["friends"].model_copy(update={"codes": 5})}}
        ),
    )
    shop.days_pass(1.1)
    assert shop.row(waiting).state == "rewarded"
    with sqlite.read() as connection:
        [budget] = budgets.all_budgets(connection)
    assert budget.issued == 3


def test_who_turns_out_to_be_one_with_the_friend_gets_nothing(shop: Shop) -> None:
    shop.comes("nare")
    shop.buys("nare", "o-1")
    with shop.store.write() as connection:
        now = MergeTimes(shop.clock(), shop.clock())
        merge(connection, "ani", "nare", "command", now, into="ani")
    shop.days_pass(15)
    row = shop.row("nare")
    assert (row.referrer_id, row.friend_id, row.refused) == ("ani", "ani", "self")


def test_two_leads_who_are_one_bring_friends_by_both_codes(shop: Shop) -> None:
    other = shop.has("anahit")
    with shop.store.write() as connection:
        merge(connection, "ani", "anahit", "command", MergeTimes(NOW, NOW), into="ani")
    assert shop.comes("one") == shop.comes("two", other) == "joined"
    assert shop.row("two").referrer_id == "ani"


def test_a_referrer_who_was_erased_is_told_and_given_nothing(shop: Shop) -> None:
    shop.comes("nare")
    shop.buys("nare", "o-1")
    Eraser(shop.store, machine=shop.clock).erase("ani", None, None)
    shop.days_pass(20)
    assert (shop.row("nare").state, shop.row("nare").refused) == ("refused", "gone")
    shop.has("oleg")
    with pytest.raises(Refused, match="unknown-code"):
        shop.brings("oleg")


def test_nobody_is_rewarded_for_a_friend_whom_somebody_has_refused(sqlite: Store) -> None:
    shop = Shop(sqlite)
    shop.comes("nare")
    shop.buys("nare", "o-1")
    shop.referring.refuse(shop.row("nare").id, "the same family", None)
    shop.days_pass(20)
    assert shop.happened()[-1] == "referral.refused rules"
    assert shop.referring.refuse(shop.row("nare").id, "again", None).refused == "the same family"


def test_settled_many_times_at_once_it_is_rewarded_once(shop: Shop) -> None:
    with shop.store.write() as connection:
        change_lead(connection, "ani", {"stage": "customer"}, NOW)
    for number in range(4):
        shop.comes(f"friend-{number}")
    ids = [shop.row(f"friend-{number}").id for number in range(4)]

    def buy(number: int) -> None:
        shop.buys(f"friend-{number % 4}", f"order-{number % 4}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(buy, range(12)))
    shop.clock.offset += 15 * DAY
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(shop.referring.settle, ids * 3))
    with shop.store.read() as connection:
        assert referrals.rewarded(connection, "friends", "ani") == 3, "the limit holds"
        query = select(func.count()).where(schema.discounts.c.step == "reward")
        assert connection.execute(query).scalar_one() == 1
    assert [one["friends"] for one in shop.told("referral.rewarded")] == [1, 2, 3]


def test_who_brought_most_stands_first(sqlite: Store) -> None:
    shop = Shop(sqlite)
    other = shop.has("oleg")
    for friend, code in (("a", other), ("b", other), ("c", shop.code)):
        shop.comes(friend, code)
    shop.comes("d", other, device="x")
    shop.comes("e", other, device="x")
    shop.buys("c", "o-1")
    with sqlite.read() as connection:
        found = referrals.leaders(connection, "friends")
        [standing] = referrals.standings(connection)
    assert [(one.lead, one.joined, one.purchased, one.rewarded) for one in found] == [
        ("ani", 1, 1, 0),
        ("oleg", 3, 0, 0),
    ]
    assert (standing.states, standing.refused) == ({"joined": 3, "purchased": 1, "refused": 1}, {"device": 1})


def test_a_journey_gives_a_lead_the_link_that_it_has_everywhere(sqlite: Store) -> None:
    step = ReferralStep(id="friends", program="friends", result="friends", next="email:hi")
    house = House(sqlite, plan(step, email("hi")))
    make_known(sqlite, workspace(), house.clock)
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    code = Referring(sqlite, machine=house.clock).code(Reference(("lead-1",), ()), "friends").code
    [message] = house.messages()
    link = f"http://127.0.0.1:8080/r/{code}"
    assert message.context["variables"]["friends"] == {
        "code": code,
        "link": link,
        "qr": f"{link}.png",
        "skipped": False,
    }


def test_a_journey_goes_on_without_a_link_where_the_program_is_over(sqlite: Store) -> None:
    house = House(sqlite, plan(ReferralStep(id="friends", program="gone", result="friends", next=None)))
    [run] = house.happens("lead.created")
    house.advance(run, NOW)
    assert house.run(run).variables["friends"] == {"skipped": True, "reason": "program over"}


def test_two_friends_who_turn_out_to_be_one_are_rewarded_for_once(sqlite: Store) -> None:
    shop = Shop(sqlite)
    other = shop.has("levon")
    for friends, orders in (("nare", "sona"), 1), (("oleg", "petr"), 2):
        for friend, code in zip(friends, (shop.code, other), strict=True):
            shop.comes(friend, code)
        if orders == 2:  # known to be one only after both have bought
            shop.buys(friends[0], "o-2")
            shop.buys(friends[1], "o-3")
        with sqlite.write() as connection:
            now = MergeTimes(shop.clock(), shop.clock())
            merge(connection, *friends, "command", now, into=friends[0])
        if orders == 1:
            shop.buys("nare", "o-1")
    shop.days_pass(15)
    with sqlite.read() as connection:
        rows = referrals.list_referrals(connection)
    found = sorted((row.friend_id, row.state, row.refused) for row in rows)
    assert found == [
        ("nare", "joined", None),
        ("nare", "rewarded", None),
        ("oleg", "refused", "again"),
        ("oleg", "rewarded", None),
    ]


def test_neither_of_the_two_is_handed_what_is_the_other_s(sqlite: Store) -> None:
    shop = Shop(sqlite)
    shop.comes("nare")
    shop.buys("nare", "o-1")
    shop.days_pass(15)
    reward = shop.row("nare").reward["code"]
    told = {}
    for lead in ("ani", "nare"):
        with sqlite.read() as connection:
            house = open_house(connection)
            row = load_lead(connection, lead)
            [told[lead]] = export(connection, house, row, house.clock, UTC, NOW)["friends_brought"]
    assert (told["ani"]["reward"]["code"], told["ani"]["referrer_id"]) == (reward, "ani")
    assert not {"friend_id", "welcome_id", "order_id"} & set(told["ani"])
    assert reward not in str(told["nare"])
    assert not {"referrer_id", "reward", "reward_id"} & set(told["nare"])
    assert told["nare"]["friend_id"] == "nare"


def test_what_somebody_wrote_of_a_friend_goes_with_whoever_is_erased(sqlite: Store) -> None:
    shop = Shop(sqlite)
    shop.comes("nare")
    shop.referring.refuse(shop.row("nare").id, "Nare is Ani's sister", None)
    id_ = referrals.referral_id("friends", "nare")
    Eraser(sqlite, machine=shop.clock).erase("nare", None, None)
    with sqlite.read() as connection:
        row = referrals.load_referral(connection, id_)
    assert (row.state, row.refused) == ("refused", None)
