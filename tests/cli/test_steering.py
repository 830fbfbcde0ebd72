"""What a person does to single runs: move, skip, end, retry; one, many, or by a condition."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from dripline.cli.opening import opened
from dripline.cli.steering import Chosen, Stood, _do
from dripline.clock import machine_clock
from dripline.engine.effects import RunState
from dripline.ingest.recording import record
from dripline.language.plan import DelayStep, Duration, Plan, StopStep, WaitForStep, WebhookStep
from dripline.publishing.landing import Landing
from dripline.publishing.steering import put
from dripline.store import outbox, schema
from dripline.store.events import Event
from dripline.store.leads import add_lead
from tests.cli.conftest import Opened, run
from tests.durable.house import NOW, House
from tests.durable.test_publishing import published
from tests.engine.plans import email, on, plan

WELCOME = plan(
    email("hello", next="rest"),
    DelayStep(id="rest", duration=Duration(days=5), next="email:tip"),
    email("tip", next="wait"),
    WaitForStep(id="wait", on=on("visit"), timeout=Duration(days=3), then="came", otherwise="email:offer"),
    StopStep(id="came", reason="came"),
    email("offer"),
)


def enters(house: House, ago: timedelta = timedelta(days=1)) -> str:
    """Let the lead in so long ago, and take its turns until now."""
    begun = machine_clock() - ago
    [run_id] = house.happens("lead.created", begun)
    for moment in (begun, machine_clock(), machine_clock()):
        house.advance(run_id, moment)
    return run_id


def others(house: House, *countries: str) -> dict[str, str]:
    """More leads in the journey, by country."""
    found = {}
    for country in countries:
        with house.store.write() as connection:
            values = {"email": f"{country}@example.com", "country": country, "consent": {"email": True}}
            add_lead(connection, country, values, NOW)
            event = Event(f"in-{country}", country, "lead.created", {}, machine_clock())
            [found[country]] = record(connection, event, machine_clock()).started
        house.advance(found[country], machine_clock())
    return found


def sent(house: House) -> list[str]:
    return [row.template for row in house.messages()]


def test_a_run_is_put_at_another_step_and_enters_it_at_once(open_house: Opened) -> None:
    house = open_house(WELCOME)
    run_id = enters(house)
    code, told = run("runs", "move", run_id, "--to", "wait", "--why", "met at the fair", says="y\n")
    assert (code, "does not come to email:tip" in told, "1 run moved." in told) == (0, True, True)
    row = house.run(run_id)
    assert (row.step, row.wait, row.wake_wanted > row.wake_done) == ("wait", None, True)
    house.advance(run_id, machine_clock())
    assert house.run(run_id).until > machine_clock() + timedelta(days=2)
    assert "is put at the wait for visit (wait), from the wait of 5 days by" in run("why", "lead-1")[1]


def test_to_send_again_what_was_sent_needs_a_plain_word(open_house: Opened) -> None:
    house = open_house(WELCOME)
    run_id = enters(house, timedelta(days=6))
    code, told = run("runs", "move", run_id, "--to", "rest", "--yes")
    assert (code, "would come to `email:tip` a second time" in told) == (1, True)
    assert run("runs", "move", run_id, "--to", "rest", "--yes", "--may-double")[0] == 0
    assert "did you mean `wait`?" in run("runs", "move", run_id, "--to", "wiat", "--yes")[1]


def test_a_wait_that_is_skipped_ends_as_if_its_time_were_over(open_house: Opened) -> None:
    house = open_house(WELCOME)
    run_id = enters(house)
    code, told = run("runs", "skip", run_id, says="y\n")
    assert (code, "the wait ends now" in told) == (0, True)
    house.advance(run_id, machine_clock())
    assert (sent(house), house.run(run_id).step) == (["hello", "tip"], "wait")
    run("runs", "skip", run_id, "--yes")
    house.advance(run_id, machine_clock())
    assert sent(house) == ["hello", "tip", "offer"]
    assert house.run(run_id).outcome == "finished"


def test_the_last_step_skipped_ends_the_run_even_for_a_workflow_that_begins_anew(open_house: Opened) -> None:
    house = open_house(plan(email("hello", next="rest"), DelayStep(id="rest", duration=Duration(days=5))))
    run_id = enters(house)
    run("runs", "skip", run_id, "--yes")
    standing = house.advance(run_id, machine_clock(), seen=0)
    assert standing.until is not None
    house.advance(run_id, machine_clock(), seen=standing.turn)
    assert house.run(run_id).outcome == "finished"


def test_an_answer_that_nobody_waits_for_any_more_is_asked_for_no_more(open_house: Opened) -> None:
    hook = WebhookStep(id="ask", url="https://example.com", method="POST", result="said", next="email:hello")
    house = open_house(plan(hook, email("hello", condition="said.skipped")))
    run_id = enters(house)
    assert "no answer is waited for" in run("runs", "skip", run_id, "--yes")[1]
    with house.store.read() as connection:
        assert outbox.open_of_run(connection, run_id) == []
    house.advance(run_id, machine_clock())
    assert sent(house) == ["hello"]


def test_a_parked_run_is_let_pass_over_its_step(open_house: Opened) -> None:
    broken = plan(email("hello", next="email:tip", condition="1 / lead.score > 0"), email("tip"))
    house = open_house(broken)
    run_id = enters(house)
    assert house.run(run_id).parked_reason
    assert run("runs", "skip", run_id, "--yes")[0] == 0
    house.advance(run_id, machine_clock())
    assert (sent(house), house.run(run_id).outcome) == (["tip"], "finished")


def test_runs_are_chosen_by_a_condition(open_house: Opened) -> None:
    house = open_house(WELCOME)
    ids = others(house, "AM", "GE", "DE")
    code, told = run("runs", "end", "--all", "--where", "lead.country == 'AM'", "--why", "left", says="y\n")
    assert (code, "1 run ended." in told) == (0, True)
    row = house.run(ids["AM"])
    assert (row.outcome, row.outcome_reason) == ("operator", "left")
    assert house.run(ids["GE"]).ended_at is None
    where = "run.step == 'rest' and lead.country != 'DE'"
    assert "1 run moved." in run("runs", "move", "--all", "--to", "wait", "--where", where, "--yes")[1]
    assert house.run(ids["GE"]).step == "wait"


@pytest.mark.parametrize(
    ("where", "problem"),
    [
        ("lead.contry == 'AM'", "leads have no `contry`"),
        ("lead.country = 'AM'", "--where"),
        ("offr.code", "offr"),
    ],
)
def test_a_condition_with_a_mistake_chooses_nobody(open_house: Opened, where: str, problem: str) -> None:
    house = open_house(WELCOME)
    enters(house)
    code, told = run("runs", "end", "--all", "--where", where, "--yes")
    assert (code, problem in told) == (1, True)
    assert house.run(_only(house)).ended_at is None


def test_nothing_is_done_unless_it_is_said_which_and_yes(open_house: Opened) -> None:
    house = open_house(WELCOME)
    run_id = enters(house)
    assert run("runs", "end")[0] == 1
    assert run("runs", "end", run_id, says="n\n")[0] == 1
    assert run("runs", "end", run_id, "--dry-run")[0] == 0
    assert run("runs", "end", "0000")[0] == 1
    assert house.run(run_id).ended_at is None


def test_filters_that_leave_nobody_change_nothing(open_house: Opened) -> None:
    house = open_house(WELCOME)
    run_id = enters(house)
    before: Any = house.run(run_id)
    assert run("runs", "end", "--all", "--at", "wait", "--yes")[1].startswith("There is no such open run")
    assert house.run(run_id) == before


def test_parked_runs_are_retried_by_a_condition(open_house: Opened) -> None:
    house = open_house(plan(email("hello", condition="1 / lead.score > 0")))
    others(house, "AM", "GE")
    assert (
        "1 run will try again" in run("runs", "retry", "--all", "--where", "lead.country == 'AM'", "--yes")[1]
    )


def to_wait(plan: Plan, state: RunState, now: datetime) -> Landing:
    return put(plan, state, "wait", now)


def test_who_was_moved_to_another_plan_while_somebody_was_asked_is_left_alone(open_house: Opened) -> None:
    house = open_house(WELCOME)
    run_id = enters(house)
    shorter = plan(
        email("hello", next="rest"),
        DelayStep(id="rest", duration=Duration(days=5), next="email:tip"),
        email("tip"),
    )
    with house.store.read() as connection:
        before = connection.execute(select(schema.runs)).one()
    published(house, shorter).carry_out()
    with opened(to_change=True) as opening:
        chosen = Chosen(Stood.of(before), "lead-1", "enters wait", ())
        assert _do(opening, [chosen], to_wait, "put", None) == 0
    assert house.run(run_id).step == "rest"


def _only(house: House) -> str:
    with house.store.read() as connection:
        return str(connection.execute(select(schema.runs.c.id)).scalar_one())
