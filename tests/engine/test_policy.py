"""What stops which message: one row for each thing that may be in the way, as docs/language.md has the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dripline.engine.policy import ROLE_ADDRESS, refusal
from dripline.language.role_addresses import is_role_address

NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)
WILLING: dict[str, Any] = {
    "email": "ani@example.com",
    "phone": "+37491123456",
    "consent": {"email": True, "sms": True},
    "topics": {},
    "paused_until": None,
}
IN_THE_WAY: dict[str, tuple[dict[str, Any], str | None, str, bool]] = {
    # what: (the lead, its suppression, why marketing is refused, whether a transactional message is refused too)
    "no address": ({"email": None}, None, "no e-mail address", True),
    "a hard bounce": ({}, "bounced", "suppressed: bounced", True),
    "soft bounces in a row": ({}, "soft-bounced", "suppressed: soft-bounced", False),
    "a complaint": ({}, "complained", "suppressed: complained", False),
    "unsubscribed at the provider": ({}, "unsubscribed", "suppressed: unsubscribed", False),
    "suppressed by hand": ({}, "by hand", "suppressed: by hand", False),
    "no consent": ({"consent": {}}, None, "no consent for email", False),
    "consent refused": ({"consent": {"email": False}}, None, "no consent for email", False),
    "topic left": ({"topics": {"news": False}}, None, "left the topic news", False),
    "topic left on e-mail": ({"topics": {"news": {"email": False}}}, None, "left the topic news", False),
    "a pause": ({"paused_until": NOW + timedelta(days=1)}, None, "paused until 2026-01-06", False),
    "a role's address": ({"email": "info@example.com"}, None, ROLE_ADDRESS, False),
}


@pytest.mark.parametrize("what", IN_THE_WAY)
@pytest.mark.parametrize("transactional", [False, True])
def test_each_thing_in_the_way_stops_what_the_table_says(what: str, transactional: bool) -> None:
    lead, suppressed, reason, stops_all = IN_THE_WAY[what]
    wanted = reason if stops_all or not transactional else None
    assert refusal("email", "news", transactional, {**WILLING, **lead}, suppressed, NOW) == wanted


@pytest.mark.parametrize(
    "lead",
    [
        {"topics": {"news": {"sms": False}}},
        {"topics": {"other": False}},
        {"topics": {"news": True}},
        {"paused_until": NOW},
        {"consent": {"email": True, "sms": False}},
    ],
    ids=["left by SMS", "left another", "asked for", "pause is over", "no to SMS"],
)
def test_what_concerns_another_message_stops_nothing(lead: dict[str, Any]) -> None:
    assert refusal("email", "news", False, {**WILLING, **lead}, None, NOW) is None


def test_a_workspace_may_send_to_roles() -> None:
    lead = {**WILLING, "email": "info@example.com"}
    assert refusal("email", "news", False, lead, None, NOW, to_roles=True) is None


def test_a_number_is_never_a_roles_address() -> None:
    assert refusal("sms", "news", False, {**WILLING, "email": "info@example.com"}, None, NOW) is None


@pytest.mark.parametrize("address", ["info@example.com", "NoReply@example.com", "sales+spring@example.com"])
def test_a_roles_address_is_known_in_whatever_form(address: str) -> None:
    assert is_role_address(address)


@pytest.mark.parametrize("address", ["ani@example.com", "informant@example.com", "info.ani@example.com"])
def test_a_persons_address_is_no_roles(address: str) -> None:
    assert not is_role_address(address)


def test_the_docs_have_a_row_for_each_thing() -> None:
    docs = Path("docs/language.md").read_text("utf-8")
    for _, _, reason, stops_all in IN_THE_WAY.values():
        words = "refused" if stops_all else "sent"
        kind = reason.replace("email", "CHANNEL").replace("topic news", "topic TOPIC")
        kind = kind.replace("2026-01-06", "DATE").replace("no e-mail address", "no e-mail address")
        assert any(f"`{kind}`" in line and f"| {words} |" in line for line in docs.splitlines()), kind
