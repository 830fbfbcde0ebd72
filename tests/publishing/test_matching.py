"""Which step of an edited journey is which of the old one, and what is told of the edit."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from dripline.language.plan import Plan
from dripline.publishing.differences import differences
from dripline.publishing.matching import match
from tests.publishing.edits import edited_journeys
from tests.publishing.journeys import delay, email, journey, wait


def pairs(old: Plan, new: Plan, **said: str) -> dict[str, str]:
    """What changed its id; `None`, by id, for what was taken out."""
    found = match(old, new, said).pairs
    return {step.id: found.get(step.id, "gone") for step in old.steps if found.get(step.id) != step.id}


def told(old: Plan, new: Plan) -> list[str]:
    return [f"{sign} {text}" for sign, text in differences(match(old, new), old, new)]


OLD = journey(email("a"), delay("2 days"), wait(), email("b"), delay("1 day"), email("c"))


def test_a_shorter_delay_keeps_its_id() -> None:
    new = journey(email("a"), delay("1 day"), wait(), email("b"), delay("1 day"), email("c"))
    assert pairs(OLD, new) == {}
    assert told(OLD, new) == ["~ after email:a: 2 days → 1 day"]


def test_a_delay_taken_out_before_a_wait_leaves_the_wait_what_it_was() -> None:
    new = journey(email("a"), wait(), email("b"), delay("1 day"), email("c"))
    assert pairs(OLD, new) == {"after email:a": "gone", "after email:a/2": "after email:a"}
    assert told(OLD, new) == [
        "- after email:a (delay of 2 days)",
        "= after email:a/2 is after email:a now (wait for demo.booked, 3 days at most)",
    ]


def test_a_delay_put_in_before_a_wait_leaves_the_wait_what_it_was() -> None:
    old = journey(email("a"), wait(), email("b"))
    new = journey(email("a"), delay("1 hour"), wait(timeout="5 days"), email("b"))
    assert pairs(old, new) == {"after email:a": "after email:a/2"}
    assert told(old, new)[0] == "+ after email:a (delay of 1 hour)"


def test_a_message_put_in_before_a_delay_renames_the_delay() -> None:
    old = journey(email("a"), delay("3 days"), email("b"))
    new = journey(email("a"), email("c"), delay("3 days"), email("b"))
    assert pairs(old, new) == {"after email:a": "after email:c"}


def test_of_two_delays_that_are_the_same_nobody_can_tell_which_it_was() -> None:
    old = journey(email("a"), delay("3 days"), email("b"))
    new = journey(email("a"), email("c"), delay("3 days"), email("d"), delay("3 days"), email("b"))
    assert pairs(old, new) == {"after email:a": "gone"}


def test_a_delay_that_becomes_a_wait_is_the_same_step() -> None:
    old = journey(email("a"), delay("2 days"), email("b"))
    new = journey(email("a"), wait(timeout="2 days"), email("b"))
    assert pairs(old, new) == {}
    assert told(old, new) == ["~ after email:a: delay of 2 days → wait for demo.booked, 2 days at most"]


def test_a_step_that_got_a_name_is_found_by_what_it_does() -> None:
    old = journey(email("a"), delay("2 days"), email("b"))
    new = journey(email("a", id="greeting"), delay("2 days"), email("b"))
    assert pairs(old, new) == {"email:a": "greeting", "after email:a": "after greeting"}


def test_what_somebody_says_goes_before_everything() -> None:
    new = journey(email("a"), wait(), email("b"), delay("1 day"), email("c"))
    said = match(OLD, new, {"after email:a": "after email:a", "no such step": "email:a"})
    assert said.pairs["after email:a"] == said.pairs["after email:a/2"] == "after email:a"
    assert "no such step" not in said.pairs


def test_everything_that_differs_is_told_in_words() -> None:
    new = journey(
        email("a", limit="2 per 7 days"),
        delay("2 days"),
        wait(event="order.paid", timeout=None, when="event.total > 5"),
        email("b"),
        email("c"),
        delay("1 day"),
        email("d"),
        title="Hello",
        goal={"event": "order.paid", "within": "30 days"},
    )
    assert told(OLD, new) == [
        "~ title: welcome → Hello",
        "~ goal: none → event order.paid, within 30 days",
        "~ email:a: limit: none → 2 per 7 days",
        "~ after email:a/2: event: demo.booked → order.paid when event.total > 5; timeout: 3 days → none",
        "= after email:b is after email:c now (delay of 1 day)",
        "+ email:d (email d)",
        "~ the steps stand in another order",
    ]


def test_a_template_that_was_edited_is_told_with_its_languages() -> None:
    body = OLD.templates["email:a"]["en"].model_copy(update={"body": "Goodbye"})
    new = OLD.model_copy(update={"templates": {**OLD.templates, "email:a": {"en": body, "hy": body}}})
    assert told(OLD, new) == ["~ template email:a: en, hy"]


@given(edited_journeys())
def test_every_step_is_matched_once_or_taken_out(plans: tuple[Plan, Plan]) -> None:
    old, new = plans
    found = match(old, new).pairs
    assert found.keys() <= old.by_id.keys()
    assert set(found.values()) <= new.by_id.keys()
    assert len(set(found.values())) == len(found)
    list(differences(match(old, new), old, new))


@given(edited_journeys())
def test_a_journey_that_was_not_edited_differs_in_nothing(plans: tuple[Plan, Plan]) -> None:
    old, _ = plans
    same: dict[str, Any] = {step.id: step.id for step in old.steps}
    assert match(old, old).pairs == same
    assert told(old, old) == []
