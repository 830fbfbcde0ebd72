from __future__ import annotations

from datetime import UTC, datetime
from html import unescape
from re import findall, sub
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, update

from dripline.language.plan import Goal
from dripline.store.database import Store
from dripline.store.figures import read_figures, read_steps
from dripline.store.plans import set_paused
from dripline.store.schema import journeys, messages, runs
from tests.ingest.journeys import MONDAY, EventFilter, a_lead, a_plan, published

GOAL = Goal(on=EventFilter(events=("order.paid",)), value="event.total")
WELCOME = a_plan(on=EventFilter(events=("lead.created",), when="lead.consent.email"), goal=GOAL)


def a_run(store: Store, number: int, **values: Any) -> None:
    """A run of `welcome` with these values."""
    with store.write() as connection:
        lead = a_lead(connection, f"lead-{number}", email=f"lead{number}@example.com")
        connection.execute(
            insert(runs).values(
                id=f"run-{number}", lead_id=lead, journey="welcome", plan_hash=WELCOME.hash, variables={},
                visits={}, accepted=[], started_at=MONDAY, last_at=MONDAY, **values,
            )
        )  # fmt: skip


def a_message(store: Store, number: int, **values: Any) -> None:
    """A message of a run."""
    with store.write() as connection:
        connection.execute(
            insert(messages).values(
                id=f"m{number}", run_id=f"run-{number}", lead_id=f"lead-{number}", journey="welcome",
                plan_hash=WELCOME.hash, step="email:x", visit=1, channel="email", template="x", transactional=False,
                priority=50, context={}, queued_at=MONDAY, written_at=MONDAY, progress_at=MONDAY, **values,
            )
        )  # fmt: skip


@pytest.fixture
def busy(store: Store) -> Store:
    """A journey with eight runs: three open, five ended, three converted (one of the control group)."""
    with store.write() as connection:
        published(connection, WELCOME)
    over: dict[str, Any] = {"ended_at": MONDAY}
    a_run(store, 1)
    a_run(store, 2, step="for-the-demo")
    a_run(store, 3, parked_reason="no such field")
    a_run(store, 4, **over, outcome="finished")
    a_run(store, 5, **over, outcome="goal", converted_at=MONDAY, goal_value=12_000.0)
    a_run(store, 6, **over, outcome="goal", converted_at=MONDAY, goal_value=400.5)
    a_run(store, 7, **over, outcome="exit")
    a_run(store, 8, **over, outcome="finished", holdout=True, converted_at=MONDAY, goal_value=7.0)
    a_message(store, 1, accepted_at=MONDAY)
    a_message(store, 2, accepted_at=MONDAY, delivered_at=MONDAY)
    a_message(store, 3, held_at=MONDAY, reason="everything is stopped")
    a_message(store, 4, skipped_at=MONDAY, reason="no consent for email")
    return store


def words(page: str) -> str:
    """What people read of a page."""
    return " ".join(unescape(sub(r"<[^>]+>", " ", page)).split())


def test_a_journey_is_counted_by_what_became_of_its_runs_and_messages(busy: Store) -> None:
    with busy.read() as connection:
        figures = read_figures(connection)["welcome"]
        assert read_figures(connection, "welcome") == {"welcome": figures}
        assert read_figures(connection, "other") == {}
    assert (figures.open, figures.outcomes) == (3, {"finished": 2, "goal": 2, "exit": 1})
    assert (figures.sent, figures.waiting, figures.messages["skipped"]) == (2, 1, 1)
    assert (figures.treated.runs, figures.treated.converted, figures.treated.value) == (7, 2, 12_400.5)
    assert (figures.control.runs, figures.control.converted, figures.control.value) == (1, 1, 7.0)


def test_the_journeys_page_tells_who_enters_and_what_became_of_them(client: TestClient, busy: Store) -> None:
    page = client.get("/journeys").text
    told = words(page)
    assert "A lead enters when lead.created happens, if the lead has agreed to e-mails." in told
    assert "Each lead goes through it once." in told
    for figure in ("under way 3", "ended 5", "reached the goal 2 29%", "worth 12,400.5", "sent 2", "held 1"):
        assert figure in told
    assert findall(r'<a class="badge (\w+)" [^>]*>(\w+ \d)</a>', page) == [
        ("exit", "exit 1"),
        ("finished", "finished 2"),
        ("goal", "goal 2"),
    ]


def test_a_paused_journey_says_since_when_and_why(client: TestClient, busy: Store) -> None:
    with busy.write() as connection:
        set_paused(connection, "welcome", datetime.now(UTC), "the <prices> are wrong")
    page = client.get("/journeys").text
    assert "the &lt;prices&gt; are wrong" in page
    assert "dripline resume welcome" in page


def test_without_a_journey_the_page_says_how_to_write_one(client: TestClient) -> None:
    assert "dripline new JOURNEY" in client.get("/journeys").text


def test_a_journey_that_nobody_entered_is_there_with_nothing(client: TestClient, store: Store) -> None:
    with store.write() as connection:
        published(connection, a_plan("quiet"))
    assert "under way 0 ended 0 messages sent 0 held 0" in words(client.get("/journeys").text)


def test_a_journey_s_page_has_its_runs_and_the_control_group_beside_the_others(
    client: TestClient, busy: Store
) -> None:
    told = words(client.get("/journeys/welcome").text)
    assert "1 of 1 reached the goal (100%), beside 2 of 7 (29%) of the others" in told
    assert all(f"lead{number}@example.com" in told for number in range(1, 9))
    still_open = words(client.get("/journeys/welcome?show=open").text)
    assert "lead2@example.com" in still_open
    assert "lead4@example.com" not in still_open
    assert client.get("/journeys/other").json()["code"] == "unknown-journey"


def test_the_picture_says_where_everybody_stands(client: TestClient, busy: Store) -> None:
    with busy.write() as connection:
        for run in ("run-2", "run-3"):
            connection.execute(
                update(runs).where(runs.c.id == run).values(step="for-the-demo", visits={"for-the-demo": 1})
            )
        for run in ("run-4", "run-5"):
            connection.execute(
                update(runs)
                .where(runs.c.id == run)
                .values(step="done", visits={"for-the-demo": 2, "done": 1})
            )
        steps = read_steps(connection, "welcome")
    assert steps.here == {None: 1, "for-the-demo": 2}
    assert steps.passed == {"for-the-demo": 2, "done": 2}
    page = client.get("/journeys/welcome").text
    told = words(page)
    for figure in ("2 here", "2 passed", "2 ended", "1 are about to begin", "Wait for demo.booked"):
        assert figure in told
    assert page.count("<svg") == 2, "the sign of the house, and the picture"
    assert "style=" not in page
    there = words(client.get("/journeys/welcome?step=for-the-demo").text)
    assert "lead2@example.com" in there
    assert "lead4@example.com" not in there


def test_runs_are_chosen_by_how_they_ended(client: TestClient, busy: Store) -> None:
    told = words(client.get("/journeys/welcome?outcome=goal").text)
    assert "lead5@example.com" in told
    assert "lead4@example.com" not in told
    assert "None like that" in client.get("/journeys/welcome?outcome=nothing").text


def test_who_stands_at_a_step_of_an_earlier_version_is_told(client: TestClient, busy: Store) -> None:
    with busy.write() as connection:
        connection.execute(update(runs).where(runs.c.id == "run-2").values(step="an <old> step"))
    page = client.get("/journeys/welcome").text
    assert "1 stands at" in words(page)
    assert "an &lt;old&gt; step" in page


def test_a_journey_that_was_taken_out_is_there_as_long_as_somebody_is_in_it(
    client: TestClient, busy: Store
) -> None:
    with busy.write() as connection:
        connection.execute(update(journeys).values(retired_at=MONDAY))
    for path in ("/journeys", "/journeys/welcome"):
        told = words(client.get(path).text)
        assert "taken out" in told
        assert "Nobody enters any more" in told
    with busy.write() as connection:
        connection.execute(update(runs).values(ended_at=MONDAY, outcome="finished"))
    assert "taken out" not in client.get("/journeys").text
    assert client.get("/journeys/welcome").status_code == 200, "what became of everybody can still be seen"


def test_who_follows_an_earlier_version_is_counted(client: TestClient, busy: Store) -> None:
    assert "an earlier version." not in words(client.get("/journeys/welcome").text)
    with busy.write() as connection:
        published(connection, a_plan(on="demo.booked"))
    told = words(client.get("/journeys/welcome").text)
    assert "A lead enters when demo.booked happens. Each lead goes through it once." in told
    assert "3 of those under way follow an earlier version." in told
