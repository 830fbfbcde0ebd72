"""Telling colleagues, and taking the other way where a message may not be sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dripline.language.plan import Duration, Limit, MessageStep, NotifyStep, Person, Plan
from tests.engine.plans import email, plan
from tests.engine.world import ANI, World


def telling(to: str, **more: Any) -> Plan:
    people = {"nare": Person(email="nare@example.com"), "aram": Person(phone="+37491000001"), "gor": Person()}
    return plan(NotifyStep(id="tell", to=to, template="#tell"), people=people, **more)


@pytest.mark.parametrize(
    ("to", "owner", "said"),
    [
        ("nare", None, "tells nare@example.com #tell"),
        ("aram", None, "tells +37491000001 #tell"),
        ("x@example.com", None, "tells x@example.com #tell"),
        ("+37491000002", None, "tells +37491000002 #tell"),
        ("owner", "aram", "tells +37491000001 #tell"),
        ("owner", "x@example.com", "tells x@example.com #tell"),
        ("owner", None, "skipped email #tell: the lead has no owner"),
        ("owner", "gor", "skipped email #tell: the owner is not among the people"),
        ("owner", "nobody", "skipped email #tell: the owner is not among the people"),
    ],
)
def test_who_is_told(to: str, owner: str | None, said: str) -> None:
    lead = {key: value for key, value in ANI.items() if key != "consent"} | {"owner": owner}
    assert World(telling(to), lead).live()[0] == f"2026-01-05 09:00 {said}"


def test_where_a_lead_has_no_owner_the_default_one_is_told() -> None:
    assert "nare@example.com" in World(telling("owner", default_owner="nare")).live()[0]


def test_the_control_group_makes_no_notices() -> None:
    world = World(telling("nare"))
    world.state = replace(world.state, holdout=True)
    assert world.live()[0].endswith("skipped email #tell: holdout")


def test_a_notice_is_no_message_to_the_lead() -> None:
    world = World(telling("nare"))
    world.live()
    assert world.sent == []
    assert world.state.last_message_at is None


BOTH_WAYS = plan(
    email("hello", fallback="sms:hello", result="hello", limit=Limit(count=1, per=Duration(days=1))),
    MessageStep(id="sms:hello", channel="sms", template="hello", topic="newsletter", result="hello"),
)


@pytest.mark.parametrize(
    "change", [{"email": None}, {"consent": {"email": False, "sms": True}}], ids=["no address", "no consent"]
)
def test_where_an_e_mail_may_not_go_the_sms_is_tried(change: dict[str, Any]) -> None:
    world = World(BOTH_WAYS, ANI | change)
    lines = world.live()
    assert lines[0].startswith("2026-01-05 09:00 skipped email hello: no ")
    assert lines[1:] == ["2026-01-05 09:00 sms hello", "2026-01-05 09:00 ended finished"]
    assert world.state.variables["hello"]["sent"] is True


def test_where_an_e_mail_goes_there_is_no_sms() -> None:
    assert World(BOTH_WAYS).live() == ["2026-01-05 09:00 email hello", "2026-01-05 09:00 ended finished"]


def test_a_limit_is_no_reason_to_take_the_other_way() -> None:
    lines = World(BOTH_WAYS, already_sent=1).live()
    assert lines == [
        "2026-01-05 09:00 skipped email hello: limit of 1 per 1 day",
        "2026-01-05 09:00 ended finished",
    ]


def test_where_neither_may_go_the_reason_is_of_the_last() -> None:
    world = World(BOTH_WAYS, ANI | {"email": None, "phone": None})
    world.live()
    assert world.state.variables["hello"]["reason"] == "no phone number"
