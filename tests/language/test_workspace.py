"""The workspace file, and what it makes of values from outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dripline.language.plan import Duration
from dripline.language.workspace import FILE, FieldErrors, Workspace, load_workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    found, problems = load_workspace(ROOT)
    assert problems == []
    assert found is not None
    return found


def errors(workspace: Workspace, name: str, properties: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(FieldErrors) as refused:
        workspace.coerce_event(name, properties)
    return refused.value.errors


def test_properties_become_their_declared_types(workspace: Workspace) -> None:
    assert workspace.coerce_event(
        "demo.booked", {"seats": "8", "starts_at": "2026-03-02T10:00:00+04:00"}
    ) == {"seats": 8, "starts_at": "2026-03-02T06:00:00+00:00"}
    assert workspace.coerce_event("order.paid", {"total": "12.50", "items": "tea", "order_id": 7}) == {
        "total": 12.5,
        "items": ["tea"],
        "order_id": "7",
    }


def test_a_time_without_an_offset_is_of_the_workspace(workspace: Workspace) -> None:
    assert workspace.coerce_attributes({"trial_ends_at": "2026-03-02 10:00"}) == {
        "trial_ends_at": "2026-03-02T06:00:00+00:00"
    }


def test_everything_that_is_wrong_is_told_by_name(workspace: Workspace) -> None:
    assert errors(workspace, "demo.booked", {"seats": "eight", "start_at": "x", "starts_at": "soon"}) == [
        ("seats", "must be a whole number"),
        ("start_at", "is not declared, did you mean `starts_at`?"),
        ("starts_at", "must be a time like 2026-03-02T10:00:00+04:00"),
    ]
    assert errors(workspace, "demo.boked", {}) == [
        ("name", "is no declared event, did you mean `demo.booked`?")
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seats", True),
        ("seats", 1.5),
        ("seats", 10**20),
        ("seats", [1]),
        ("birthday", "2026-02-30"),
        ("birthday", 20260302),
        ("trial_ends_at", "2026-03-02"),
        ("trial_ends_at", "0001-01-01T00:00:00+14:00"),
        ("tags", [{"a": 1}]),
        ("first_name", "x" * 20_000),
        ("first_name", {"a": 1}),
    ],
)
def test_a_value_of_another_type_is_refused(workspace: Workspace, field: str, value: Any) -> None:
    with pytest.raises(FieldErrors) as refused:
        workspace.coerce_attributes({field: value})
    assert [name for name, _ in refused.value.errors] == [field]


def test_nothing_stays_nothing(workspace: Workspace) -> None:
    assert workspace.coerce_attributes({"first_name": None}) == {"first_name": None}


def test_who_may_be_messaged_outside_production(workspace: Workspace) -> None:
    allowed = ["ani@example.com", "a@b.test", "x@EXAMPLE.ORG", "+12025550123"]
    refused = ["ani@gmail.com", "a@notexample.com", "a@example.com.evil.net", "+37491123456", "example.com"]
    assert [address for address in allowed + refused if workspace.allows(address)] == allowed


def test_a_missing_workspace_is_told(tmp_path: Path) -> None:
    workspace, problems = load_workspace(tmp_path)
    assert workspace is None
    assert [problem.code for problem in problems] == ["no-workspace"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("locales: [en]\n", "1:1 missing-key"),
        ("timezone: Asia/Erevan2\nlocales: [en]\n", "1:11 unknown-timezone"),
        ("timezone: ../etc\nlocales: [en]\n", "1:11 unknown-timezone"),
        ("timezone: UTC\nlocales: []\n", "2:10 wrong-value"),
        ("timezone: UTC\nlocales: [xx-yy-zz]\n", "2:11 unknown-locale"),
        ("timezone: UTC\nlocales: [en]\ncurrency: XXQ\n", "3:11 unknown-currency"),
        ("timezone: UTC\nlocales: [en]\nevents:\n  a.b: {x: strnig}\n", "4:12 wrong-value"),
        ("timezone: UTC\nlocales: [en]\nattributes: {email: text}\n", "3:14 built-in-attribute"),
        ("timezone: UTC\nlocales: [en]\nsegmnts: {}\n", "3:1 unknown-key"),
    ],
)
def test_what_is_wrong_in_the_workspace_file_is_told(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "dripline.yaml").write_text(text)
    _, problems = load_workspace(tmp_path)
    assert [f"{found.line}:{found.column} {found.code}" for found in problems] == [problem]


def test_retention_is_said_in_lengths_of_time(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        "timezone: UTC\nlocales: [en]\nretention: {messages: 1 year, events: 18 months}\n", encoding="utf-8"
    )
    workspace, problems = load_workspace(tmp_path)
    assert problems == []
    assert workspace is not None
    assert workspace.retention.messages == Duration(months=12)
    assert workspace.retention.idle is None


def test_retention_that_nobody_means_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        "timezone: UTC\nlocales: [en]\nretention:\n  messages: 5 hours\n  evnts: 1 year\n  idle: 3 yeers\n",
        encoding="utf-8",
    )
    _, problems = load_workspace(tmp_path)
    told = [(problem.line, problem.code, problem.hint) for problem in problems]
    assert (4, "bad-duration", "say at least `1 day`") in told
    assert any(line == 5 and hint and "events" in hint for line, _, hint in told)
    assert any(line == 6 and code == "bad-duration" for line, code, _ in told)


TRACKING = """
timezone: Asia/Yerevan
locales: [en]
attributes: {plan: text}
events: {order.paid: {total: number}}
tracking_api:
"""


@pytest.mark.parametrize(
    ("written", "code", "hint"),
    [
        ("events: {Bought: order.payed}", "unknown-event", "did you mean `order.paid`?"),
        ("events: {Bought: lead.created}", "unknown-event", "declare it under `events`"),
        (
            "events: {Bought: {event: order.paid, properties: {sum: totl}}}",
            "unknown-property",
            "did you mean `total`?",
        ),
        ("traits: {planName: pan}", "unknown-attribute", "did you mean `plan`?"),
        ("traits: {mails: consent.mail}", "unknown-attribute", "did you mean `consent.email`?"),
        ("traits: {news: topics.news}", "unknown-attribute", "declare it under `attributes`"),
        ("group_traits: {size: stage}", "unknown-attribute", "declare it under `attributes`"),
        ("trait: {a: b}", "unknown-key", "did you mean `traits`?"),
        ("pages: perhaps", "wrong-type", ""),
    ],
)
def test_names_of_other_systems_must_lead_somewhere(
    tmp_path: Path, written: str, code: str, hint: str
) -> None:
    (tmp_path / "dripline.yaml").write_text(f"{TRACKING}  {written}\n")
    _, [problem] = load_workspace(tmp_path)
    assert (problem.code, problem.hint) == (code, hint)
