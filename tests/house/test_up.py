from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from typer.testing import CliRunner

from dripline.cli import app
from dripline.clock import machine_clock
from dripline.ingest.recording import record
from dripline.language.plan import DelayStep, Duration, Plan
from dripline.language.project import Project, load_project
from dripline.settings import Settings
from dripline.stack.temporal import DEFAULT_PORT
from dripline.stack.up import (
    CannotStart,
    alone,
    local_url,
    prepare,
    programs,
    public_url,
    set_pace,
    usual_pace,
)
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import open_house
from dripline.store.leads import add_lead
from dripline.store.plans import publish
from dripline.store.publications import Wish, begin
from dripline.store.wakes import wanted
from tests.durable.house import House
from tests.engine.plans import plan

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def project() -> Project:
    return load_project(ROOT)


@pytest.fixture
def empty(empty_url: str) -> Iterator[Store]:
    store = Store(empty_url)
    yield store
    store.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _ahead(store: Store) -> timedelta:
    with store.write() as connection:
        clock = open_house(connection).clock
    machine = machine_clock()
    return clock.to_house(machine) - machine


def _titled(plan: Plan, title: str) -> Plan:
    return Plan.model_validate({**plan.model_dump(), "title": title})


def test_an_empty_store_is_migrated_and_the_journeys_are_published(empty: Store, project: Project) -> None:
    assert prepare(empty, project, None) == [f"Published journey {name}." for name in project.plans]
    with empty.read() as connection:
        assert set(connection.execute(select(schema.journeys.c.id)).scalars()) == set(project.plans)


def test_a_second_start_publishes_nothing_anew(empty: Store, project: Project) -> None:
    prepare(empty, project, None)
    assert prepare(empty, project, None) == []


def test_a_start_after_an_edit_lets_those_who_are_in_the_journey_finish_and_says_so(
    empty: Store, project: Project
) -> None:
    prepare(empty, project, None)
    with empty.write() as connection:
        add_lead(
            connection, "lead-1", {"email": "ani@example.com", "consent": {"email": True}}, machine_clock()
        )
        event = Event("event-1", "lead-1", "lead.created", {}, machine_clock())
        record(connection, event, machine_clock())
    edited = _titled(project.plans["welcome"], "New")
    lines = prepare(empty, replace(project, plans={**project.plans, "welcome": edited}), None)
    assert (
        "Published journey welcome. 1 lead in it finishes on its old plan; `dripline publish --in-flight move`"
        " moves them." in lines
    )


def test_a_start_after_a_rollback_leaves_it_as_it_is(empty: Store, project: Project) -> None:
    prepare(empty, project, None)
    bad = _titled(project.plans["welcome"], "Bad")
    with empty.write() as connection:
        publish(connection, bad, machine_clock())
        back = Wish(project.plans["welcome"], bad.hash, what="rollback")
        begin(connection, back, machine_clock(), machine_clock())
    [line] = prepare(empty, replace(project, plans={**project.plans, "welcome": bad}), None)
    assert line.startswith("Journey welcome was rolled back")


def test_a_journey_that_has_no_file_any_more_is_told(empty: Store, project: Project) -> None:
    prepare(empty, project, None)
    left = {name: plan for name, plan in project.plans.items() if name != "welcome"}
    [line] = prepare(empty, replace(project, plans=left), None)
    assert line == (
        "Journey welcome has no file any more, and leads still enter it: `dripline publish welcome`."
    )


def test_a_short_day_lets_time_run_and_says_so(empty: Store, project: Project) -> None:
    lines = prepare(empty, project, timedelta(milliseconds=1))
    assert lines[0] == "A day of the journeys takes 0.001 seconds."
    assert _ahead(empty) > timedelta(0)


def test_time_that_ran_ahead_goes_on_at_the_usual_pace_and_is_told(empty: Store, project: Project) -> None:
    prepare(empty, project, timedelta(milliseconds=1))
    lines = prepare(empty, project, None)
    assert len(lines) == 1
    assert "days and" in lines[0]
    assert "ahead of the clock on the wall: this store has been run with --day" in lines[0]
    assert abs(_ahead(empty) - _ahead(empty)) < timedelta(seconds=1)


def test_a_short_day_ends_with_the_programs(empty: Store, project: Project) -> None:
    prepare(empty, project, timedelta(milliseconds=1))
    usual_pace(empty)
    reached = _ahead(empty)
    assert _ahead(empty) - reached < timedelta(seconds=1)


def test_a_database_that_is_away_is_told_without_a_traceback(tmp_path: Path, project: Project) -> None:
    url = f"postgresql+psycopg://nobody@/none?host={tmp_path}"
    with pytest.raises(CannotStart, match="the database does not answer"):
        prepare(Store(url), project, None)


def test_a_store_of_a_newer_program_is_told_without_a_traceback(empty: Store, project: Project) -> None:
    prepare(empty, project, None)
    with empty.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(CannotStart, match="run the newer version"):
        prepare(empty, project, None)


def test_one_folder_is_run_once_at_a_time(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(CannotStart, match="another `dripline up` runs on"), alone(tmp_path):
        pass
    with alone(tmp_path):
        pass


def test_a_port_in_use_is_told_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CannotStart, match=f"port {port} is in use: .* --port {port + 1}"):
            programs(Settings(workspace=ROOT, data=tmp_path, port=port), temporal_ui=False)


def test_a_configured_temporal_is_not_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(workspace=ROOT, data=tmp_path, port=_free_port())
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    assert [program.name for program in programs(settings, temporal_ui=False)] == [
        "temporal",
        "worker",
        "web",
    ]
    monkeypatch.setenv("TEMPORAL_ADDRESS", "temporal.example:7233")
    assert [program.name for program in programs(settings, temporal_ui=False)] == ["worker", "web"]


@pytest.mark.skipif(sys.platform != "linux", reason="the claim is a name that only Linux has")
def test_installations_that_start_at_the_same_moment_have_a_temporal_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens on the usual port yet when both see that it is free."""
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("TEMPORAL_CONFIG_FILE", str(tmp_path / "none.toml"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        with contextlib.suppress(OSError):  # a test beside this one may have claimed it
            other.bind(f"\0dripline-temporal-{DEFAULT_PORT}")
        [temporal, *_] = programs(
            Settings(workspace=ROOT, data=tmp_path, port=_free_port()), temporal_ui=False
        )
    assert str(DEFAULT_PORT) not in temporal.command


def test_the_address_to_open_can_be_reached(tmp_path: Path) -> None:
    everywhere = Settings(host="0.0.0.0", port=9000)
    assert local_url(everywhere) == public_url(everywhere) == "http://127.0.0.1:9000"
    behind_a_proxy = Settings(host="0.0.0.0", port=9000, public_url="https://journeys.example.com")
    assert public_url(behind_a_proxy) == "https://journeys.example.com"
    assert local_url(behind_a_proxy) == "http://127.0.0.1:9000"


def test_a_pace_can_be_set_while_everything_runs(empty: Store, project: Project) -> None:
    prepare(empty, project, None)
    set_pace(empty, timedelta(milliseconds=1))
    before = _ahead(empty)
    assert _ahead(empty) > before
    set_pace(empty, None)
    assert abs(_ahead(empty) - _ahead(empty)) < timedelta(seconds=1)


def test_who_sleeps_is_woken_where_days_become_shorter(store: Store) -> None:
    """Its workflow sleeps by the day as it was; where days become longer it wakes too early, and sleeps again."""
    house = House(store, plan(DelayStep(id="rest", duration=Duration(days=60))))
    [run] = house.happens("lead.created", machine_clock())
    house.advance(run, machine_clock())
    assert _wanting(store) == []
    set_pace(store, timedelta(seconds=2))
    assert _wanting(store) == [run]
    house.advance(run, machine_clock())
    set_pace(store, timedelta(seconds=10))
    set_pace(store, None)
    assert _wanting(store) == []


def _wanting(store: Store) -> list[str]:
    with store.read() as connection:
        return [wake.run for wake in wanted(connection, 10)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--day", "0.05s"], "--day: say a time between 0.1s and 1 day."),
        (["--day", "2 days"], "--day: say a time between 0.1s and 1 day."),
        (["--day", "0.5x"], "--day: "),
    ],
)
def test_a_day_that_cannot_be_is_refused(words: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["up", *words])
    assert done.exit_code == 1
    assert said in done.output


def test_nobody_is_made_up_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRIPLINE_ENVIRONMENT", "production")
    done = CliRunner().invoke(app, ["up", "--demo"])
    assert (done.exit_code, done.output) == (1, "--demo makes leads up; it is not for production.\n")
