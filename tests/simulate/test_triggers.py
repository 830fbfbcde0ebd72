"""Scenarios of journeys that are entered on a date, by hand or by a key, and of several runs at once."""

from __future__ import annotations

from pathlib import Path

from dripline.language.project import load_project
from dripline.simulate.playing import play
from tests.language.conftest import Folder

BIRTHDAY = """
journey: birthday
trigger: {date: lead.birthday, offset: -7 days, at: "09:00", when: "not lead.vip"}
messages: {topic: newsletter}
steps:
  - email: hello
  - delay: 7 days
"""
BIRTHDAYS = """
- scenario: enters by itself in the lead's own morning, each year
  lead: {email: ani@example.com, timezone: America/New_York, birthday: 1992-02-29, consent: {email: true}}
  start: 2026-06-01T10:00
  until: 2 years
  expect:
    - {at: 2027-02-21T09:00, email: hello}       # the 28th counts where there is no 29th
    - {at: 2027-02-28T09:00, ends: finished}
    - {at: 2028-02-22T09:00, email: hello}
    - {at: 2028-02-29T09:00, ends: finished}

- scenario: is watched for a year, where nothing else is said
  lead: {email: ani@example.com, timezone: UTC, birthday: 1992-06-08, consent: {email: true}}
  start: 2026-06-01T09:00
  expect:
    - {after: 0s, email: hello}
    - {after: 7 days, ends: finished}
    - {after: 1 year, email: hello}

- scenario: says the birthday later, and is kept out by the condition from the second on
  lead: {email: ani@example.com, timezone: UTC, consent: {email: true}}
  start: 2026-06-01T10:00
  until: 3 years
  events:
    - {after: 1 day, lead: {birthday: 1990-06-12}}
    - {after: 60 days, lead: {vip: true}}
  expect:
    - {at: 2026-06-05T09:00, email: hello}
    - {at: 2026-06-12T09:00, ends: finished}

- scenario: has no birthday that we know
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-06-01T10:00
  expect: []
"""
WEEKLY = """
journey: weekly
trigger: {audience: lead.vip, schedule: every monday at 09:00, in: lead, reentry: after 20 days}
messages: {topic: newsletter}
steps:
  - email: hello
  - delay: 2 days
"""
WEEKS = """
- scenario: enters in the lead's own morning, as often as the re-entry rule allows
  lead: {email: ani@example.com, timezone: America/New_York, vip: true, consent: {email: true}}
  start: 2026-06-02T10:00
  until: 5 weeks
  expect:
    - {at: 2026-06-08T09:00, email: hello}
    - {at: 2026-06-10T09:00, ends: finished}
    - {at: 2026-06-29T09:00, email: hello}
    - {at: 2026-07-01T09:00, ends: finished}

- scenario: belongs to the audience from a day on
  lead: {email: ani@example.com, timezone: UTC, consent: {email: true}}
  start: 2026-06-02T10:00
  until: 3 weeks
  events:
    - {after: 10 days, lead: {vip: true}}
  expect:
    - {at: 2026-06-15T09:00, email: hello}
    - {at: 2026-06-17T09:00, ends: finished}
"""
TOLD = """
journey: told
trigger: {event: demo.booked}
messages: {topic: newsletter}
steps:
  - delay: 2 days
  - email: hello
  - sms: hello
"""
TOLDS = """
- scenario: agrees to one after the other
  lead: {email: ani@example.com, phone: "+37491123456"}
  start: 2026-06-01T10:00
  events:
    - {after: 1h, lead: {consent: {email: true}}}
    - {after: 2h, lead: {consent: {sms: true}}}
  expect:
    - {after: 2 days, email: hello}
    - {after: 2 days, sms: hello}
    - {after: 2 days, ends: finished}
"""
BY_HAND = """
journey: by-hand
trigger: manual
messages: {topic: newsletter}
steps:
  - email: hello
"""
BY_HANDS = """
- scenario: is enrolled
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-06-01T10:00
  expect:
    - {after: 0s, email: hello}
    - {after: 0s, ends: finished}
"""
BOOKED = """
journey: booked
priority: 40
trigger: {event: demo.booked, key: event.seats, reentry: always}
exit: [{event: order.paid, reason: paid}]
messages: {topic: newsletter, limit: 2 per 7 days}
steps:
  - email: hello
  - wait_for: demo.booked
    when: "event.seats == 5"
    timeout: 3 days
    else: [{stop: alone}]
"""
PAID = """
journey: paid
priority: 60
trigger: {event: demo.booked, reentry: always}
messages: {topic: newsletter, limit: 2 per 7 days}
steps:
  - email: hello
"""
SIDE_BY_SIDE = """
- scenario: two of a journey at once, each for its own key
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-06-01T10:00
  trigger: {seats: 2}
  events:
    - {after: 1 day, event: demo.booked, seats: 3}
    - {after: 2 days, event: demo.booked, seats: 3}
  expect:
    - {after: 0s, email: hello}
    - {after: 1 day, email: hello}
    - {after: 3 days, ends: alone}
    - {after: 4 days, ends: alone}

- scenario: another journey is more important, and the cap counts both
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-06-01T10:00
  trigger: {seats: 2}
  with: [paid]
  events:
    - {after: 1 day, event: demo.booked, seats: 3}
    - {after: 2 days, event: order.paid, total: 9}
  expect:
    - {after: 0s, journey: paid, email: hello}
    - {after: 0s, journey: paid, ends: finished}
    - {after: 0s, journey: booked, email: hello}
    - {after: 1 day, journey: paid, skipped: "email:hello", reason: limit of 2 per 7 days}
    - {after: 1 day, journey: paid, ends: finished}
    - {after: 1 day, journey: booked, skipped: "email:hello", reason: "~limit"}
    - {after: 2 days, ends: paid}
    - {after: 2 days, ends: paid}
"""


def all_go_as_expected(folder: Folder, journey: str) -> None:
    project = load_project(folder.root)
    assert [str(problem) for problem in project.problems if problem.severity == "error"] == []
    assert project.workspace is not None
    for scenario in project.scenarios[journey].scenarios:
        result = play(scenario, journey, project.plans, project.workspace)
        told = [(row.expected, row.seen, row.differences) for row in result.rows if not row.fine]
        assert told == [], scenario.scenario
        assert result.passed


def test_on_its_date_a_lead_enters_by_itself(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/birthday.yaml", BIRTHDAY)
    folder.write("journeys/birthday.test.yaml", BIRTHDAYS)
    all_go_as_expected(folder, "birthday")


def test_by_the_calendar_a_lead_of_the_audience_enters(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/weekly.yaml", WEEKLY)
    folder.write("journeys/weekly.test.yaml", WEEKS)
    all_go_as_expected(folder, "weekly")


def test_a_journey_that_is_entered_by_hand_is_entered_at_the_start(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/by-hand.yaml", BY_HAND)
    folder.write("journeys/by-hand.test.yaml", BY_HANDS)
    all_go_as_expected(folder, "by-hand")


def test_several_runs_of_one_lead_share_its_caps_and_go_by_priority(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/booked.yaml", BOOKED)
    folder.write("journeys/paid.yaml", PAID)
    folder.write("journeys/booked.test.yaml", SIDE_BY_SIDE)
    all_go_as_expected(folder, "booked")


def test_a_consent_given_later_takes_none_back_that_was_given_before(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/told.yaml", TOLD)
    folder.write("journeys/told.test.yaml", TOLDS)
    all_go_as_expected(folder, "told")


def test_what_an_event_would_say_is_refused_where_none_lets_anyone_in(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.write("journeys/by-hand.yaml", BY_HAND)
    folder.write(
        "journeys/by-hand.test.yaml", BY_HANDS.replace("  expect", "  trigger: {seats: 3}\n  expect")
    )
    [problem] = load_project(folder.root).problems
    assert (problem.line, problem.code, problem.message) == (
        4,
        "unknown-key",
        "nobody enters the journey by an event",
    )


def test_where_the_lead_came_from_is_said_and_asked(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    text = """
journey: paid
trigger: {event: lead.created, when: "lead.first_touch.channel == 'paid-search' and lead.last_touch.at == now"}
messages: {topic: newsletter}
steps:
  - email: hello
"""
    told = """
- scenario: came by an advertisement
  lead: {email: ani@example.com, consent: {email: true}, first_touch: {source: google, channel: paid-search}}
  start: 2026-06-01T10:00
  expect: [{after: 0s, email: hello}, {after: 0s, ends: finished}]

- scenario: came by itself
  lead: {email: ani@example.com, consent: {email: true}}
  start: 2026-06-01T10:00
  expect: []
"""
    folder.write("journeys/paid.yaml", text)
    folder.write("journeys/paid.test.yaml", told)
    all_go_as_expected(folder, "paid")
