"""Steps that leave the process: what they ask, how they go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dripline.engine.effects import Answer, Outcome
from dripline.language.plan import Arm, BranchStep, CallStep, WebhookStep
from tests.engine.plans import email, plan
from tests.engine.world import ANI, MONDAY, World, happened

MINUTE = timedelta(minutes=1)


def webhook(**more: Any) -> WebhookStep:
    given = {"url": "https://example.com/{{ lead.id }}", "method": "POST", "result": "crm", "next": "which"}
    return WebhookStep(id="ask", **(given | more))


ASKING = plan(
    webhook(body={"phone": "{{ lead.phone }}", "vip": "{{ lead.vip }}", "hi": "to {{ lead.email }}"}),
    BranchStep(
        id="which", arms=(Arm(when="crm.ok and crm.json.score > 5", to="email:good"),), next="email:bad"
    ),
    email("good"),
    email("bad"),
)


def test_the_answer_decides_where_it_goes_on() -> None:
    for said, sent in (({"ok": True, "json": {"score": 9}}, "good"), ({"ok": False, "status": 404}, "bad")):
        world = World(ASKING)
        world.answers["ask"] = (2 * MINUTE, said)
        lines = world.live()
        assert lines[:2] == ["2026-01-05 09:00 webhook ask", f"2026-01-05 09:02 email {sent}"]


def test_a_body_keeps_numbers_and_sends_what_is_lacking_as_null() -> None:
    world = World(ASKING)
    world.live()
    [asked] = world.asked
    assert asked.request == {
        "url": "https://example.com/lead-1",
        "method": "POST",
        "headers": {},
        "body": {"phone": "+37491123456", "vip": None, "hi": "to ani@example.com"},
    }


def test_a_secret_stays_a_name_and_a_lead_cannot_ask_for_one() -> None:
    world = World(
        plan(webhook(next=None, headers={"X-Token": "Bearer {{ secret.crm }} {{ lead.first_name }}"})),
        lead=ANI | {"first_name": "{{ secret.other }}"},
    )
    world.live()
    [asked] = world.asked
    assert asked.request["headers"] == {
        "X-Token": [["text", "Bearer "], ["secret", "crm"], ["text", " {{ secret.other }}"]]
    }


def test_what_an_address_lacks_parks_the_run() -> None:
    world = World(plan(webhook(url="https://example.com/{{ lead.vip }}", next=None)))
    world.live()
    assert world.parked == "empty-value"


def test_an_exit_does_not_wait_for_the_answer() -> None:
    world = World(ASKING)
    world.answers["ask"] = (2 * MINUTE, {"ok": True})
    world.live([happened("lead.unsubscribed", MINUTE)])
    assert world.outcome == Outcome("exit", "unsubscribed")


def test_an_answer_to_another_visit_changes_nothing() -> None:
    world = World(ASKING)
    world.live()
    world.turn(MONDAY + MINUTE, [Answer("a", "", {"ok": True}, MONDAY + MINUTE, "ask", 7)])
    world.turn(MONDAY + MINUTE, [Answer("b", "", {"ok": True}, MONDAY + MINUTE, "other", 1)])
    assert (world.state.step, world.outcome) == ("ask", None)


def test_the_control_group_asks_nothing() -> None:
    world = World(ASKING)
    world.state = replace(world.state, holdout=True)
    world.live()
    assert world.asked == []
    assert world.state.variables["crm"]["skipped"] is True


def test_a_function_that_failed_parks_the_run_and_the_next_turn_calls_it_again() -> None:
    world = World(
        plan(CallStep(id="call:rate", function="rate", result="rating", next="email:hello"), email("hello"))
    )
    world.answers["call:rate"] = (MINUTE, {"ok": False, "reason": "call-failed: KeyError"})
    world.live()
    assert world.parked == "call-failed: KeyError"
    world.answers["call:rate"] = (MINUTE, {"ok": True, "result": 3})
    lines = world.live()
    assert [asked.visit for asked in world.asked] == [1, 2]
    assert lines[-2:] == ["2026-01-05 09:02 email hello", "2026-01-05 09:02 ended finished"]
    assert world.state.variables["rating"] == {"ok": True, "result": 3}


@given(lateness=st.timedeltas(timedelta(), timedelta(days=3)), minutes=st.integers(0, 5))
def test_a_late_worker_takes_the_answer_at_its_time(lateness: timedelta, minutes: int) -> None:
    def lived(late: timedelta) -> list[str]:
        world = World(ASKING)
        world.answers["ask"] = (2 * MINUTE, {"ok": True, "json": {"score": 9}})
        world.turn(MONDAY)
        return world.live([happened("lead.unsubscribed", minutes * MINUTE), *world.coming], late)

    assert lived(lateness) == lived(timedelta())
