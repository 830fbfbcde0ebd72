"""Lives in virtual time: several journeys and runs at once, by the rules of ingest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dripline.language.plan import (
    AssignStep,
    DelayStep,
    Duration,
    Exit,
    Goal,
    Limit,
    Person,
    Plan,
    TaskStep,
    Team,
    TemplateSource,
    Trigger,
    WaitForStep,
)
from dripline.simulate.life import MAX_TURNS, Life
from tests.engine.plans import email, on, plan

MONDAY = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ANI: dict[str, Any] = {
    "id": "lead-1",
    "email": "ani@example.com",
    "phone": None,
    "locale": "en",
    "timezone": "UTC",
    "stage": None,
    "consent": {"email": True},
    "topics": {},
}
TWO_A_WEEK = Limit(count=2, per=Duration(days=7))
HELLO = plan(email("hello", limit=TWO_A_WEEK))


def welcome(journey: str, **more: Any) -> Plan:
    return plan(email("hello", limit=TWO_A_WEEK), journey=journey, **more)


def fates(life: Life) -> list[str]:
    return [f"{letter.at:%a %H:%M} {letter.journey} {letter.fate}" for letter in life.letters]


def test_a_cap_counts_the_messages_of_all_journeys() -> None:
    life = Life([welcome("one"), welcome("two"), welcome("three")], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.live(MONDAY + DAY)
    assert fates(life) == ["Mon 09:00 one sent", "Mon 09:00 three sent", "Mon 09:00 two skipped"]


def test_of_what_is_due_at_one_moment_the_highest_priority_goes_first() -> None:
    life = Life([welcome("one"), welcome("two", priority=90), welcome("three")], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.live(MONDAY + DAY)
    assert fates(life)[0] == "Mon 09:00 two sent"


def test_reentry_is_asked_as_ingest_does() -> None:
    again = plan(
        email("hello"), trigger=Trigger(on=on("visit", when="event.seats > 1"), reentry=Duration(days=2))
    )
    life = Life([again], ANI, MONDAY)
    for days, seats in ((0, 2), (1, 2), (2, 1), (3, 2)):
        life.happens("visit", {"seats": seats}, MONDAY + days * DAY)
    life.live(MONDAY + 9 * DAY)
    assert fates(life) == ["Mon 09:00 welcome sent", "Thu 09:00 welcome sent"]
    assert [entry.detail["reason"] for entry in life.timeline if entry.what == "barred"] == [
        "was in the journey too short a time ago"
    ]


def test_a_change_of_the_lead_is_told_to_its_runs() -> None:
    leaving = plan(
        DelayStep(id="rest", duration=Duration(days=9)),
        exits=(
            Exit(
                on=on(
                    "lead.updated",
                    when="'stage' in event.changed and lead.stage == 'customer'",
                    event_only=False,
                ),
                reason="bought",
            ),
        ),
    )
    life = Life([leaving], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.changes({"stage": "prospect"}, MONDAY + DAY)
    life.changes({"stage": "customer"}, MONDAY + 2 * DAY)
    life.changes({"stage": "customer"}, MONDAY + 3 * DAY)
    life.live(MONDAY + 30 * DAY)
    [run] = life.runs
    assert run.outcome is not None
    assert (run.outcome.reason, run.state.last_at) == ("bought", MONDAY + 2 * DAY)
    assert sum(entry.what == "lead.updated" for entry in life.timeline) == 2


def test_a_goal_after_the_end_counts() -> None:
    life = Life(
        [plan(email("hello"), goal=Goal(on=on("paid"), value="event.total", within=Duration(days=3)))],
        ANI,
        MONDAY,
    )
    life.happens("lead.created", {}, MONDAY)
    life.happens("paid", {"total": 5}, MONDAY + 2 * DAY)
    life.live(MONDAY + 9 * DAY)
    assert (life.runs[0].converted, life.runs[0].value) == (True, 5)


def test_a_message_that_cannot_be_filled_is_held() -> None:
    source = {"en": TemplateSource(markup="md", body="Hi {{ lead.first_name }}", subject="Hi")}
    life = Life([plan(email("hello"), templates={"email:hello": source})], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.live(MONDAY + DAY)
    [letter] = life.letters
    assert (letter.fate, letter.reason) == ("held", "template: empty-value: lead.first_name")


def test_a_message_says_what_it_will_say() -> None:
    source = {
        "en": TemplateSource(markup="md", body="Hi {{ lead.first_name }}, {{ now | date }}", subject="Yo")
    }
    life = Life(
        [plan(email("hello"), templates={"email:hello": source})], {**ANI, "first_name": "Ani"}, MONDAY
    )
    life.happens("lead.created", {}, MONDAY)
    life.live(MONDAY + DAY)
    content = life.letters[0].content
    assert content is not None
    assert content.subject == "Yo"
    assert content.body.startswith("Hi Ani, January 5, 2026\n\nExample Ltd"), "and the footer"


def test_enrolment_passes_the_trigger_but_not_reentry() -> None:
    never = plan(email("hello"), trigger=Trigger(on=on("nothing")))
    life = Life([never], ANI, MONDAY)
    life.enrols("welcome", {}, MONDAY)
    life.enrols("welcome", {}, MONDAY + DAY)
    life.live(MONDAY + 9 * DAY)
    assert fates(life) == ["Mon 09:00 welcome sent"]


def test_a_suppressed_address_is_not_written_to() -> None:
    life = Life([HELLO], ANI, MONDAY, suppressed={"email": "bounced"})
    life.happens("lead.created", {}, MONDAY)
    life.live(MONDAY + DAY)
    assert life.letters[0].reason == "suppressed: bounced"


def test_a_condition_that_fails_stops_the_run_and_an_event_wakes_it() -> None:
    dividing = plan(
        WaitForStep(id="wait", on=on("visit"), timeout=Duration(days=1), then="email:hello", otherwise=None),
        email("hello", condition="1 / lead.score > 0"),
    )
    life = Life([dividing], {**ANI, "score": 0}, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.happens("visit", {}, MONDAY + DAY / 2)
    life.live(MONDAY + 9 * DAY)
    assert life.runs[0].parked
    assert life.letters == []


def test_a_life_that_goes_round_without_an_end_is_cut_short() -> None:
    rest = DelayStep(id="rest", duration=Duration(seconds=60), next="rest")
    life = Life([plan(rest)], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.live(MONDAY + MAX_TURNS * timedelta(minutes=2))
    assert life.cut_short


def test_time_stops_where_it_is_told_to() -> None:
    rest = DelayStep(id="rest", duration=Duration(days=1), next="rest")
    life = Life([plan(rest)], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.live(MONDAY + 3 * DAY)
    assert life.state.now == MONDAY + 3 * DAY
    assert life.runs[0].outcome is None


def test_a_reaction_does_the_task_of_the_hand_over_once_and_no_later_one() -> None:
    people = {"anna": Person(email="anna@shop.example")}
    handed = plan(
        AssignStep(id="give", to="sales", next="call"),
        TaskStep(id="call", to="owner", title="Call", result="call", next="wait"),
        WaitForStep(id="wait", on=on("call.made"), then="more"),
        TaskStep(id="more", to="owner", title="Write", next="end"),
        WaitForStep(id="end", on=on("task.done", when="event.task == call.id", event_only=False)),
        people=people,
        teams={"sales": Team(people=("anna",), reactions=("call.made",))},
    )
    life = Life([handed], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    for hours in (1, 2):
        life.happens("call.made", {}, MONDAY + timedelta(hours=hours))
    life.live(MONDAY + DAY)
    done = [entry.detail["title"] for entry in life.timeline if entry.what == "task.done"]
    assert (done, [task.done for task in life.state.tasks.values()]) == (["Call"], [True, False])


def test_a_reaction_to_a_lead_that_is_lost_does_nothing() -> None:
    handed = plan(
        AssignStep(id="give", to="sales", next="call"),
        TaskStep(id="call", to="owner", title="Call"),
        people={"anna": Person(email="anna@shop.example")},
        teams={"sales": Team(people=("anna",), reactions=("call.made",))},
    )
    life = Life([handed], ANI, MONDAY)
    life.happens("lead.created", {}, MONDAY)
    life.changes({"stage": "lost"}, MONDAY + timedelta(hours=1))
    life.happens("call.made", {}, MONDAY + timedelta(hours=2))
    life.live(MONDAY + DAY)
    assert [task.done for task in life.state.tasks.values()] == [False]
