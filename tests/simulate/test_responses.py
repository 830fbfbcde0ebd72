"""A crowd against the store: its leads fare there as they do in the forecast, and what they did can be learnt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from dripline.language.project import load_project
from dripline.simulate.crowd import Crowd, gather, lead_of, replayed, samples_of
from dripline.simulate.playing import begin
from dripline.simulate.population import live_again, live_all
from dripline.simulate.rates import read_rate
from dripline.simulate.responding import Responding
from dripline.store.database import Store
from dripline.store.happened import happened
from dripline.store.responses import responses
from tests.durable.house import House
from tests.simulate.by_store import Happening, live_by_store
from tests.simulate.test_same_as_the_store import told

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 2, tzinfo=UTC)


def test_leads_of_a_forecast_fare_the_same_in_the_store_which_teaches_and_replays_it(
    store: Store,
) -> None:
    project = load_project(ROOT)
    assert project.workspace is not None
    plans, kinds = gather(project, project.workspace, "welcome")
    rates = {
        name: read_rate(text)
        for name, text in {
            "demo.booked": "50%/2 days",
            "order.paid": "40%/10 days",
            "lead.unsubscribed": "30%/4 days",
        }.items()
    }
    samples = samples_of(project, project.workspace, "welcome")
    until = START + timedelta(days=60)
    crowd = Crowd("welcome", plans, kinds, samples, rates, 24, START, timedelta(days=1), until, 7)
    house = House(store, *plans.values())
    ends: list[str | None] = []
    for number in range(crowd.count):
        setting = lead_of(crowd, number)
        answers = Responding(crowd, str(setting.lead["id"]))
        life = begin(setting, answers.rested)
        answers.bind(life)
        life.live(until)
        coming: list[Happening] = [
            (entry.at, entry.what, dict(entry.detail)) for entry in life.timeline if entry.kind == "event"
        ]
        lead = {name: value for name, value in life.state.lead.items() if name not in ("created_at", "id")}
        there = live_by_store(house, f"crowd-{number}", {**lead, "id": f"crowd-{number}"}, coming, until)
        assert told(life) == there
        [run] = life.runs
        ends.append(run.outcome.reason if run.outcome else None)
    forecast = live_all(crowd)
    assert {one.reason or None: one.count for one in forecast.endings} == {
        reason: ends.count(reason) for reason in ends
    }
    with store.read() as connection:
        learnt = responses(connection, plans["welcome"])
        pasts = list(happened(connection, START))
    again = live_again(
        [replayed(one.lead, one.events, plans, until) for one in pasts],
        plans["welcome"],
        plans,
        until,
        lambda _: None,
    )
    assert again.endings == forecast.endings
    assert (again.messages, again.segments, again.value) == (
        forecast.messages,
        forecast.segments,
        forecast.value,
    )
    booked = learnt["demo.booked"]
    reached = sum(reason in ("booked", None) for reason in ends)
    assert (len(booked.after), booked.chances) == (ends.count("booked"), reached)
    assert timedelta() < booked.mean < timedelta(days=2)
    left = learnt["lead.unsubscribed"]
    assert (len(left.after), left.chances) == (ends.count("unsubscribed"), crowd.count)
    assert left.share == ends.count("unsubscribed") / crowd.count
