"""What `check` says of waits for what becomes of messages."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.language.conftest import WORKSPACE, Folder

Check = Callable[[str], list[str]]

WAIT = """
journey: j
trigger: {event: demo.booked}
messages: {topic: newsletter}
steps:
  - %s: hello
  - wait_for: %s
    timeout: 3 days
    as: sign
"""


@pytest.fixture
def tracked(folder: Folder) -> Folder:
    folder.write("dripline.yaml", WORKSPACE + "tracking: {clicks: true, opens: asked, sms: true}\n")
    return folder


def told(folder: Folder, journey: str) -> list[str]:
    folder.write("journeys/j.yaml", journey)
    return [line for line in folder.told() if "unused-timeout" not in line]


@pytest.mark.parametrize("event", ["email.clicked", "email.opened", "sms.clicked"])
def test_opens_and_clicks_have_to_be_wanted(folder: Folder, event: str) -> None:
    journey = WAIT % (event.partition(".")[0], event)
    assert "6:15 not-tracked" in told(folder, journey)
    folder.write("dripline.yaml", WORKSPACE + "tracking: {clicks: false}\n")
    assert "6:15 not-tracked" in told(folder, journey)


@pytest.mark.parametrize(
    "event",
    ["email.delivered", "email.bounced", "email.failed", "email.complained", "sms.delivered", "sms.failed"],
)
def test_what_providers_report_needs_no_word(folder: Folder, event: str) -> None:
    assert told(folder, WAIT % (event.partition(".")[0], event)) == []


def test_opens_are_no_sure_sign_and_clicks_are(tracked: Folder) -> None:
    assert told(tracked, WAIT % ("email", "email.opened")) == ["6:15 unsure-opens"]
    assert told(tracked, WAIT % ("email", "email.clicked")) == []
    assert told(tracked, WAIT % ("sms", "sms.clicked")) == []


@pytest.mark.parametrize(
    ("sends", "event"),
    [
        ("sms: hello", "email.clicked"),
        ("email: hello", "sms.failed"),
        ("email: {template: hello, transactional: true}", "email.clicked"),
    ],
)
def test_a_wait_for_the_fate_of_a_message_that_is_not_sent_or_not_tracked(
    tracked: Folder, sends: str, event: str
) -> None:
    journey = (WAIT % ("email", event)).replace("email: hello", sends)
    assert told(tracked, journey) == ["6:5 never-emitted"]
    says = journey.replace("    timeout", "    when: event.journey == 'other'\n    timeout")
    assert told(tracked, says) == []


def test_a_goal_says_which_message_it_is_about(tracked: Folder) -> None:
    journey = (WAIT % ("email", "email.clicked")).replace(
        "messages:", "goal: {event: email.clicked}\nmessages:"
    )
    assert told(tracked, journey) == ["3:8 any-message"]
    which = journey.replace("{event: email.clicked}", "{event: email.clicked, when: event.journey == 'j'}")
    assert told(tracked, which) == []


def test_properties_of_the_events_are_known(tracked: Folder) -> None:
    journey = (WAIT % ("email", "email.clicked")).replace(
        "    timeout", "    when: event.lnk == 'x'\n    timeout"
    )
    assert told(tracked, journey) == ["7:11 unknown-property"]


def test_tracked_links_of_text_messages_count_as_long_as_they_are(tracked: Folder) -> None:
    tracked.write("templates/hello.en.txt", "Look at https://example.com/a " + "and " * 25 + "so on\n")
    journey = WAIT % ("sms", "sms.clicked")
    tracked.write("dripline.yaml", WORKSPACE + "tracking: {sms: true}\nsms_segments: 1\n")
    assert told(tracked, journey) == ["templates/hello.en.txt:1:1 sms-segments"]
    tracked.write("dripline.yaml", WORKSPACE + "tracking: {sms: false}\nsms_segments: 1\n")
    assert told(tracked, WAIT % ("sms", "sms.delivered")) == []


@pytest.mark.parametrize(
    ("line", "code"),
    [("{clicks: perhaps}", "wrong-type"), ("{klicks: true}", "unknown-key"), ("yes", "wrong-type")],
)
def test_what_tracking_may_say(folder: Folder, line: str, code: str) -> None:
    folder.write("dripline.yaml", WORKSPACE + f"tracking: {line}\n")
    assert any(code in one for one in told(folder, WAIT % ("email", "email.bounced")))


def test_a_workspace_that_declares_such_an_event_itself_goes_on_as_before(
    folder: Folder, tmp_path: Path
) -> None:
    text = WORKSPACE.replace("events:", "events:\n  email.opened: {template: text, mood: text}", 1)
    folder.write("dripline.yaml", text + "tracking: {opens: true}\n")
    workspace = folder.load().workspace
    assert workspace is not None
    assert {"template", "mood", "message"} <= workspace.events["email.opened"].keys()
