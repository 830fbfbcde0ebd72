"""Journeys in plain sentences, in every language that they are explained in."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from dripline.explaining import LANGUAGES, explain
from dripline.explaining.conditions import say_condition
from dripline.explaining.phrases import Phrases
from dripline.language.plan import Plan
from dripline.language.project import load_project
from tests.cli.conftest import run
from tests.language.conftest import Folder

ROOT = Path(__file__).parents[2]
PLANS = load_project(ROOT).plans


def sentences(plan: Plan, locale: str, title: str) -> list[str]:
    """The lines of a section, with their depth."""
    found = explain(plan, LANGUAGES[locale], locale)
    [section] = [one for one in found.sections if one.title == getattr(LANGUAGES[locale], title)]
    return ["  " * line.depth + line.text for line in section.lines]


def test_welcome_in_english() -> None:
    assert sentences(PLANS["welcome"], "en", "happens") == [
        "Sends the e-mail welcome/hello: “Welcome to Dripline…”.",
        "Waits 2 days.",
        "Waits for demo.booked, if the event's “seats” is at least 5, at most 3 days.",
        "  When it comes:",
        "    Sends the SMS welcome/see-you-there.",
        "    Ends (booked).",
        "  When the time is up:",
        "    Sends the e-mail welcome/offer: “Shall we set up your first journey with you… ?”.",
        "Then it is over.",
    ]


def test_who_enters_and_leaves_welcome_in_armenian() -> None:
    assert sentences(PLANS["welcome"], "hy", "enters") == [
        "Լիդը մտնում է, երբ տեղի է ունենում lead.created, եթե լիդը համաձայն է նամակներ ստանալ։",
        "Յուրաքանչյուր լիդ այն անցնում է մեկ անգամ։",
    ]
    assert "եթե լիդի «փուլ» տվյալը՝ «customer»" in sentences(PLANS["welcome"], "hy", "leaves")[2]


def test_armenian_words_have_the_endings_that_their_places_ask_for() -> None:
    [*_, limit] = sentences(PLANS["deferred-demand"], "hy", "messages")
    assert limit.startswith("Լիդը 1 շաբաթվա ընթացքում ստանում է առավելագույնը 2")
    said = "\n".join(sentences(PLANS["deferred-demand"], "hy", "happens"))
    assert "6 շաբաթվա ընթացքում մեկ անգամ" in said
    assert "մեծ է, քան այսօր" in sentences(PLANS["deferred-demand"], "hy", "enters")[0]
    for plan in PLANS.values():
        whole = [line.text for one in explain(plan, LANGUAGES["hy"], "hy").sections for line in one.lines]
        assert "տվյալը-" not in "\n".join(whole), "a value that ends in an article takes no ending"


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("journey", PLANS)
def test_every_step_is_explained_once(journey: str, locale: str) -> None:
    plan = PLANS[journey]
    found = explain(plan, LANGUAGES[locale], locale)
    told = [line.step for section in found.sections for line in section.lines if line.step]
    assert sorted(told) == sorted(plan.by_id)
    texts = [line.text for section in found.sections for line in section.lines]
    assert [text for text in texts if "{" in text or "None" in text or not text.strip()] == []


def test_the_languages_fill_in_the_same_things() -> None:
    def filled(phrases: Phrases) -> dict[str, Any]:
        return {
            field.name: {name for _, name, _, _ in Formatter().parse(text) if name}
            for field in fields(phrases)
            if isinstance(text := getattr(phrases, field.name), str)
        }

    for phrases in LANGUAGES.values():
        assert filled(phrases) == filled(LANGUAGES["en"])


EVERYTHING = """
journey: everything
trigger: {date: lead.birthday, offset: -7 days, at: "10:00"}
messages: {topic: newsletter, quiet_hours: 21:00-09:00, window: mon-fri 09:00-18:00, limit: 1 per day,
  on_limit: wait 2 days, throttle: 500 per hour, holdout: 10%}
steps:
  - split:
      - {percent: 60, name: more, steps: [{email: {template: hello, fallback: {sms: hello}}}]}
      - {percent: 40, name: less, steps: [{delay: 1 week 2 days}]}
  - repeat: {every: 2 days, times: 3, until: "lead.stage == 'customer'", steps: [{email: hello}]}
  - set: {total: "2 * 2"}
  - update: {stage: vip, score: {add: -5}, tags: {add: [a], remove: [b]}}
  - discount: {amount: 5000 AMD, valid: 14 days, min_order: 10000 AMD, code: SPRING}
  - referral: friends
    as: friends
  - webhook: https://crm.example.com/x
    as: crm
  - enroll: other
    if: "crm.ok and 'vip' in lead.tags and lead.score > 3"
  - unenroll: other
  - delay_until: {date: lead.birthday, at: "09:00", if_missing: exit, if_past: {skip: last}}
  - wait_for: {event: [demo.booked, order.paid], since: set}
    id: waiting
  - notify: sales@example.com
    text: Look
  - stop: done
    id: last
"""


def test_every_verb_has_words(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/everything.yaml", EVERYTHING.replace("since: set", "since: start"))
    folder.write("journeys/other.yaml", "journey: other\ntrigger: manual\nsteps: [{stop: x}]")
    workspace = (tmp_path / "dripline.yaml").read_text(encoding="utf-8")
    if "birthday" not in workspace:
        workspace = workspace.replace("attributes:", "attributes:\n  birthday: date", 1)
    program = (
        "orders: order.paid\nreferrals: {friends: {landing: 'https://a.example', reward: {gift: A mug}}}\n"
    )
    workspace = workspace.replace("order.paid: {", "order.paid: {order_id: text, ", 1)
    folder.write("dripline.yaml", workspace + program)
    project = folder.load()
    assert [str(one) for one in project.problems if one.severity == "error"] == []
    plan = project.plans["everything"]
    said = sentences(plan, "en", "happens")
    assert [line for line in said if "2 days between two passes, at most 3 times or until" in line]
    assert "  60% (more):" in said
    assert "      Where it may not be sent to this lead, instead:" in said
    assert "Ends (done)." in said
    assert (
        "Gives a discount: 5,000 AMD, valid for 2 weeks, for orders of at least 10,000 AMD, by the code SPRING"
        in ("".join(said))
    )
    assert len(sentences(plan, "hy", "happens")) == len(said)
    assert sentences(plan, "en", "enters") == [
        "A lead enters each year 1 week before birthday, at 10:00 by its own clock.",
        "10% of the leads are a control group: they go the same way, but get nothing.",
    ]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("lead.consent.sms", "the lead has agreed to SMS"),
        ("not lead.consent.email", "the lead has not agreed to e-mails"),
        ("lead.stage == 'customer'", "the lead's stage is “customer”"),
        ("event.total > 100", "the event's “total” is more than 100"),
        ("'vip' in lead.tags", "the lead's tags has “vip”"),
        ("lead.country in ['AM', 'GE']", "the lead's country is one of “AM”, “GE”"),
        ("not demo", "`demo` is not known"),
        ("event.until > today", "the event's “until” is more than today"),
        ("lead.score + 1 > 2", "`lead.score + 1 > 2`"),
        ("(lead.tags | length) > 2 or lead.stage", "`(lead.tags | length) > 2 or lead.stage`"),
    ],
)
def test_conditions_are_said_as_far_as_they_are_usual(source: str, said: str) -> None:
    assert say_condition(source, LANGUAGES["en"]) == said


def test_the_command_explains_in_the_language_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIPLINE_WORKSPACE", raising=False)
    monkeypatch.chdir(ROOT)
    code, said = run("explain", "welcome", "--locale", "hy")
    assert (code, "Ո՞վ է մտնում" in said) == (0, True)
    code, said = run("explain", "welcome", "--format", "json")
    assert (code, json.loads(said)) == (
        0,
        json.loads(json.dumps(asdict(explain(PLANS["welcome"], LANGUAGES["en"], "en")))),
    )
    assert run("explain", "welcom") == (1, "There is no journey welcom: did you mean `welcome`?\n")
