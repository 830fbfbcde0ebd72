"""Changing a live journey by its file: what is told before, what is refused, and what becomes of those in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from dripline.clock import machine_clock
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.publications import followed, rolled_back_from
from tests.cli.conftest import run
from tests.durable.house import House
from tests.durable.test_publishing import another_enters

WELCOME = """\
journey: welcome
trigger: {event: lead.created}
messages: {topic: newsletter}
steps:
  - email: hello
  - delay: 5 days
  - email: tip
  - wait_for: demo.booked
    timeout: 3 days
  - email: offer
"""
DAYS = timedelta(days=1)


class Live:
    """A workspace whose journey is published, with a lead in it since some days."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder = folder
        for name in ("hello", "tip", "offer", "new"):
            self.template(name, f"This is {name}")
        self.file(WELCOME)
        self.house = House(store)

    def file(self, text: str, name: str = "welcome") -> None:
        """Write the journey's file."""
        (self.folder / "journeys" / f"{name}.yaml").write_text(text)

    def template(self, name: str, text: str) -> None:
        """Write a template in both languages."""
        (self.folder / "templates").mkdir(exist_ok=True)
        for locale in ("en", "hy"):
            (self.folder / "templates" / f"{name}.{locale}.md").write_text(
                f"---\nsubject: {name}\n---\n{text}\n"
            )

    def enters(self, ago: timedelta) -> str:
        """Let the lead in so long ago, and take the turns until now; its run."""
        begun = machine_clock() - ago
        [run_id] = self.house.happens("lead.created", begun)
        self.house.advance(run_id, begun)
        if ago:
            self.house.advance(run_id, machine_clock())
        return run_id

    def log(self, run_id: str) -> list[Any]:
        """The story of a run."""
        with self.house.store.read() as connection:
            query = select(schema.step_log).where(schema.step_log.c.run_id == run_id)
            return list(connection.execute(query.order_by(schema.step_log.c.id)))

    def sent(self) -> list[str]:
        """The templates of the messages so far."""
        return [row.template for row in self.house.messages()]


@pytest.fixture
def live(workspace: Path, store: Store) -> Live:
    made = Live(workspace, store)
    assert run("publish", "--yes")[0] == 0
    return made


def test_a_first_publication_lets_leads_enter(live: Live) -> None:
    code, told = run("journeys")
    assert (code, "as its file says" in told) == (0, True)
    live.enters(0 * DAYS)
    assert "Nothing to publish" in run("publish")[1]
    assert "publish" in run("history", "welcome")[1]


def test_kept_leads_finish_on_the_plan_that_they_began_with(live: Live) -> None:
    run_id = live.enters(1 * DAYS)
    live.file(WELCOME.replace("email: tip", "email: new"))
    code, told = run("publish", says="y\n")
    assert code == 0
    assert "- email:tip (email tip)" in told
    assert "+ email:new (email new)" in told
    assert "1 lead in flight finish on their old plan" in told
    live.house.advance(run_id, machine_clock() + 5 * DAYS)
    assert live.sent() == ["hello", "tip"]
    assert "On older plans" in run("journeys")[1]


def test_moved_leads_wait_as_long_as_the_new_plan_says_since_they_began_to(live: Live) -> None:
    run_id = live.enters(2 * DAYS)
    began = live.house.run(run_id).until - 5 * DAYS
    live.file(WELCOME.replace("5 days", "3 days"))
    code, told = run("publish", "--in-flight", "move", "--yes", "--why", "too slow")
    assert code == 0
    assert "~ after email:hello: 5 days → 3 days" in told
    assert "wait there, and go on sooner" in told
    assert "1 lead moved." in told
    row = live.house.run(run_id)
    assert row.until == began + 3 * DAYS
    assert row.wake_wanted > row.wake_done
    told = run("history", "welcome")[1]
    assert ("move" in told, "too slow" in told) == (True, True)
    assert live.log(run_id)[-1].what == "moved"


def test_those_who_were_kept_can_be_moved_later(live: Live) -> None:
    run_id = live.enters(2 * DAYS)
    live.file(WELCOME.replace("5 days", "3 days"))
    assert run("publish", "--yes")[0] == 0
    code, told = run("publish", "--yes", "--in-flight", "move")
    assert (code, "the plan stays the same" in told, "1 lead moved." in told) == (0, True, True)
    assert "for those who follow" in told
    assert "~ after email:hello: 5 days → 3 days" in told
    assert live.house.run(run_id).until < machine_clock() + 2 * DAYS


def test_nothing_is_done_unless_somebody_says_yes(live: Live) -> None:
    run_id = live.enters(2 * DAYS)
    before = live.house.run(run_id)
    live.file(WELCOME.replace("5 days", "3 days"))
    assert run("publish", "--in-flight", "move", says="n\n")[0] == 1
    assert run("publish", "--in-flight", "move", "--dry-run")[0] == 0
    assert live.house.run(run_id) == before
    assert "its file says something else" in run("journeys")[1]
    assert "5 days → 3 days" in run("diff")[1]


def test_a_step_that_was_taken_out_needs_a_word_for_those_who_stand_there(live: Live) -> None:
    run_id = live.enters(2 * DAYS)
    live.file(WELCOME.replace("  - delay: 5 days\n", ""))
    code, told = run("publish", "--in-flight", "move", "--yes")
    assert code == 1
    assert (
        'at `after email:hello`, which was taken out: say where they go on, --map "after email:hello=STEP"'
        in told
    )
    assert run("publish", "--in-flight", "move", "--yes", "--map", "after email:hello=email:tpi")[0] == 1
    code, told = run("publish", "--in-flight", "move", "--yes", "--map", "after email:hello=email:tip")
    assert code == 0, told
    row = live.house.run(run_id)
    assert (row.step, row.wait) == ("email:tip", None)
    live.house.advance(run_id, machine_clock())
    assert live.sent() == ["hello", "tip"]


def test_what_would_be_sent_again_is_refused_until_somebody_says_so(live: Live) -> None:
    live.enters(6 * DAYS)
    mapped = ("--map", "after email:tip=after email:hello")
    live.file(WELCOME.replace("5 days", "4 days"))
    code, told = run("publish", "--in-flight", "move", "--yes", *mapped)
    assert code == 1
    assert "1 lead at `after email:tip` would come to `email:tip` a second time" in told
    assert run("publish", "--in-flight", "move", "--yes", "--may-double", *mapped)[0] == 0


def test_leads_may_be_let_go(live: Live) -> None:
    run_id = live.enters(2 * DAYS)
    live.file(WELCOME.replace("email: tip", "email: new"))
    code, told = run("publish", "--in-flight", "exit", "--why", "relaunch", says="y\n")
    assert (code, "1 run ended." in told) == (0, True)
    row = live.house.run(run_id)
    assert (row.outcome, row.outcome_reason) == ("operator", "the journey was changed: relaunch")


@pytest.mark.parametrize(("policy", "text"), [("keep", "This is tip"), ("move", "A better tip")])
def test_a_template_that_was_edited_reaches_only_those_who_are_moved(
    live: Live, policy: str, text: str
) -> None:
    run_id = live.enters(2 * DAYS)
    live.template("tip", "A better tip")
    told = run("publish", "--yes", "--in-flight", policy)[1]
    assert "~ template email:tip: en, hy" in told
    live.house.advance(run_id, machine_clock() + 4 * DAYS)
    live.house.clock.offset = 4 * DAYS
    live.house.deliveries.attempt(live.house.messages()[-1].id)
    assert text in live.house.messages()[-1].body


def test_a_message_that_is_queued_keeps_the_text_that_it_was_queued_with(live: Live) -> None:
    live.enters(0 * DAYS)
    live.template("hello", "A warmer welcome")
    assert run("publish", "--yes", "--in-flight", "move")[0] == 0
    live.house.deliveries.attempt(live.house.message().id)
    assert "This is hello" in live.house.message().body


def test_a_rollback_brings_the_plan_before_back(live: Live) -> None:
    run_id = live.enters(2 * DAYS)
    first = live.house.run(run_id).plan_hash
    live.file(WELCOME.replace("5 days", "3 days"))
    run("publish", "--yes", "--in-flight", "move")
    assert live.house.run(run_id).plan_hash != first
    code, told = run("rollback", "welcome", "--yes", "--in-flight", "move", "--why", "wrong")
    assert (code, "Rolled back journey welcome" in told) == (0, True)
    row = live.house.run(run_id)
    assert row.plan_hash == first
    assert run("rollback", "welcome", "--yes", "--to", "nonsense")[0] == 1
    assert "rollback" in run("history", "welcome")[1]


def test_what_was_rolled_back_step_by_step_is_not_brought_back_at_a_start(live: Live) -> None:
    plans = [published_plan(live)]
    for days in (4, 3):
        live.file(WELCOME.replace("5 days", f"{days} days"))
        run("publish", "--yes")
        plans.append(published_plan(live))
    for earlier in (plans[1], plans[0]):
        assert run("rollback", "welcome", "--yes", "--to", earlier)[0] == 0
    with live.house.store.read() as connection:
        assert rolled_back_from(connection, "welcome", plans[2])
        assert rolled_back_from(connection, "welcome", plans[1])
        assert not rolled_back_from(connection, "welcome", plans[0])
    run("publish", "--yes")
    with live.house.store.read() as connection:
        assert not rolled_back_from(connection, "welcome", plans[1])


def published_plan(live: Live) -> str:
    with live.house.store.read() as connection:
        [one] = followed(connection, "welcome")
        return one.plan_hash


def test_a_journey_whose_file_is_gone_is_taken_out_only_if_somebody_says_so(live: Live) -> None:
    run_id = live.enters(2 * DAYS)
    (live.folder / "journeys" / "welcome.yaml").unlink()
    live.file(WELCOME.replace("journey: welcome", "journey: hello"), "hello")
    code, told = run("publish", "--yes")
    assert code == 0
    assert "welcome has no file any more" in told
    assert "hello has most of its steps" in told
    assert "`dripline publish welcome` takes it out" in told
    assert "Nobody enters welcome any more" in run("publish", "welcome", says="y\n")[1]
    assert "taken out" in run("journeys")[1]
    assert live.house.run(run_id).ended_at is None, "it finishes"
    [entered] = another_enters(live.house)
    assert live.house.run(entered).journey == "hello", "nobody enters welcome"
    live.file(WELCOME)
    assert run("publish", "welcome", "--yes")[0] == 0
    assert "taken out" not in run("journeys")[1]


def test_a_discount_given_once_ever_must_keep_its_id(live: Live) -> None:
    once = WELCOME.replace(
        "  - delay: 5 days\n",
        "  - discount: {percent: 10, once_per: lead}\n    as: gift\n  - delay: 5 days\n",
    )
    live.file(once)
    run("publish", "--yes")
    live.enters(1 * DAYS)
    live.file(once.replace("    as: gift\n", "    as: gift\n    id: gift\n"))
    code, told = run("publish", "--yes")
    assert (code, "given once per lead, ever, and 1 have had it" in told) == (1, True)
    assert run("publish", "--yes", "--may-double")[0] == 0


def test_runs_of_one_key_are_not_moved_to_another(live: Live) -> None:
    live.file(WELCOME.replace("{event: lead.created}", "{event: demo.booked, key: event.seats}"))
    run("publish", "--yes")
    now = machine_clock()
    [run_id] = live.house.happens("demo.booked", now, seats=3)
    live.house.advance(run_id, now)
    live.file(WELCOME.replace("{event: lead.created}", "{event: demo.booked}"))
    code, told = run("publish", "--in-flight", "move", "--yes")
    assert (code, "The trigger's key was changed" in told) == (1, True)
    assert run("publish", "--yes")[0] == 0


def test_journeys_with_problems_are_not_published(live: Live) -> None:
    live.file(WELCOME.replace("5 days", "5 dayz"))
    code, told = run("publish", "--yes")
    assert (code, "5 dayz" in told or "bad-duration" in told) == (1, True)
    assert run("publish", "welcom")[0] == 1
