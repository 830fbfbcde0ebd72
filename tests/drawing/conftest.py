"""A journey with every verb, and what stands where in a picture."""

from __future__ import annotations

from pathlib import Path

import pytest

from dripline.drawing.faces import Face
from dripline.drawing.layout import Box, Label, Layout, Line
from dripline.language.plan import Plan
from dripline.language.project import Project, load_project

WORKSPACE = """
timezone: Asia/Yerevan
locales: [en]
postal_address: Example Ltd, 1 Garden Street, Yerevan
currency: AMD
topics: {newsletter: News}
senders: {email: {address: hello@example.com}, sms: {address: Example}}
people: {anna: {email: anna@example.com}}
attributes: {first_name: text, plan: text, vip: boolean, birthday: date}
events:
  demo.booked: {seats: integer, starts_at: datetime}
  order.paid: {order_id: text, total: number, items: list}
orders: order.paid
referrals: {friends: {landing: "https://shop.example.com/friends", reward: {gift: A mug}}}
"""
EVERYTHING = """
journey: everything
title: "Ծննդյան օր <\\"& 'all' verbs\\">"
trigger: {date: lead.birthday, offset: -7 days, at: 09:00}
goal: {event: order.paid, value: "event.total", within: 30 days}
exit:
  - event: demo.booked
    when: "event.seats > 3 and '<b>' not in lead.plan"
    reason: booked <script>
messages: {topic: newsletter, holdout: 10%}
steps:
  - set: {count: "1 + 1"}
  - update: {stage: nurtured, score: {add: 10}, tags: {add: [vip], remove: [new]}, plan: gold}
  - split:
      - percent: 60
        name: long
        steps:
          - repeat:
              every: 3 days
              times: 3
              until: "lead.vip"
              steps:
                - email: hello
                - branch:
                    - when: "lead.plan == 'gold' and lead.score > 100 and lead.first_name"
                      steps: [{sms: hello}]
      - percent: 40
        name: short
        steps:
          - include: {block: twice, with: {greeting: "'hi'"}}
          - email: {template: hello, fallback: {sms: hello}}
  - delay_until: {date: lead.birthday, at: 10:00, if_missing: exit, if_past: {skip: last}}
  - webhook: {url: "https://crm.example.com/x", method: POST}
    as: answer
  - assign: anna
  - task: {title: Call them, for: anna, due: 4h}
  - notify: {to: anna, text: "hello"}
  - discount: {amount: 5000 AMD, valid: 14 days, min_order: 20000 AMD}
    as: offer
    if: "lead.vip"
  - referral: friends
    as: friends
  - enroll: other
  - unenroll: other
  - remind:
      about: the birthday
      every: 2 weeks
      for: 60 days
      with: hello
      unless: [order.paid]
      on_day: hello
  - wait_for: demo.booked
    id: last
    when: "event.seats >= 5"
    timeout: 3 days
    then:
      - call: {function: greet}
      - stop: booked
    else:
      - delay: 1 week 2 days
  - stop: vip
    if: "lead.vip"
"""
BLOCK = """
block: twice
with: [greeting]
steps:
  - email: {template: hello, transactional: true}
  - delay: 1 day
"""
OTHER = """
journey: other
trigger: manual
steps: [{email: {template: hello, transactional: true}}]
"""
EXTENSIONS = "def greet():\n    return 'hello'\n"


def write_workspace(root: Path) -> Path:
    """A workspace with the journeys `everything` and `other`."""
    for name, text in (
        ("dripline.yaml", WORKSPACE),
        ("journeys/everything.yaml", EVERYTHING),
        ("journeys/other.yaml", OTHER),
        ("journeys/blocks/twice.yaml", BLOCK),
        ("templates/hello.en.md", "---\nsubject: Hello\n---\nHello!\n"),
        ("templates/hello.en.txt", "Hello!\n"),
        ("extensions.py", EXTENSIONS),
    ):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.lstrip("\n"), encoding="utf-8")
    return root


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Its folder."""
    return write_workspace(tmp_path)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A plan with every kind of step."""
    return plan_of(load_project(write_workspace(tmp_path_factory.mktemp("everything"))), "everything")


def plan_of(project: Project, journey: str) -> Plan:
    """The plan of a journey in which nothing is wrong."""
    assert [str(problem) for problem in project.problems if problem.severity == "error"] == []
    return project.plans[journey]


def laid_out(plan: Plan) -> tuple[list[Box], list[Label], list[Line]]:
    """What stands in the picture of a plan, without its legend."""
    items = Layout(plan, None).whole(Face("start", "Begin")).items
    return (
        [item for item in items if isinstance(item, Box)],
        [item for item in items if isinstance(item, Label)],
        [item for item in items if isinstance(item, Line)],
    )
