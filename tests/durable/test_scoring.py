"""Scores and journeys: what a step gives warms a lead, and other journeys hear of it, once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from activities.sweep import Patience, Sweeper
from dripline.language.plan import DelayStep, Duration, LeadValue, Trigger, UpdateStep, WaitForStep
from dripline.language.rules import Rules
from dripline.language.scoring import DAY, ScoreRule, Scoring
from dripline.store.database import Store
from dripline.store.rules import keep_rules
from dripline.store.schema import events, runs, score_points
from tests.durable.house import NOW, House
from tests.engine.plans import email, on, plan

SCORING = Scoring(
    rules=(ScoreRule(name="Demo", events=("demo.booked",), points=15, half_life=10 * DAY),),
    warm=20,
    hot=50,
    timezone="UTC",
)
GIVES = plan(
    UpdateStep(id="gives", score_add=LeadValue(kind="number", value=10), next="rest"),
    DelayStep(id="rest", duration=Duration(days=90)),
    journey="gives",
    trigger=Trigger(on=on("demo.booked")),
)
HEARS = plan(
    WaitForStep(id="cools", on=on("lead.cooled", when="event.after == 'cold'"), then="email:offer"),
    email("offer"),
    journey="hears",
    trigger=Trigger(on=on("lead.warmed", when="event.after == 'warm'"), reentry="always"),
)


def entered(store: Store, journey: str) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(select(runs.c.id).where(runs.c.journey == journey)).scalars())


def test_points_of_a_step_warm_a_lead_once_whatever_is_repeated_and_age_cools_it(store: Store) -> None:
    house = House(store, GIVES, HEARS)
    with store.write() as connection:
        keep_rules(connection, Rules(scoring=SCORING), NOW)
    [giver] = house.happens("demo.booked")
    assert entered(store, "hears") == [], "15 points are not enough"
    for _ in range(3):
        house.advance(giver, NOW, seen=0)
    with store.read() as connection:
        given = connection.execute(select(score_points.c.rule, score_points.c.points)).all()
    assert sorted(tuple(row) for row in given) == [("Demo", 15.0), ("journey:gives", 10.0)]
    [hearing] = entered(store, "hears")
    house.advance(hearing, NOW)
    assert house.run(hearing).step == "cools"
    later = NOW + timedelta(days=60)
    sweeper = Sweeper(store, {}, Patience(), clock=lambda: later)
    sweeper.sweep()
    sweeper.sweep()
    house.advance(hearing, later)
    assert [message.template for message in house.messages()] == ["offer"]
    with store.read() as connection:
        names = connection.execute(select(events.c.name).order_by(events.c.seq)).scalars().all()
    assert [name for name in names if name in ("lead.warmed", "lead.cooled")] == [
        "lead.warmed",
        "lead.cooled",
    ]
