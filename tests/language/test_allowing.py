"""Warnings that are allowed on their line, with a reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dripline.language.project import load_project
from tests.language.conftest import Folder

Check = Callable[[str], list[str]]


@pytest.mark.parametrize(
    "steps",
    [
        "- wait_for: order.paid  # dripline: allow no-way-out because it may take years\n",
        "# dripline: allow no-way-out because it may take years\n- wait_for: order.paid\n",
        "# dripline: allow no-way-out because it may take years\n\n# Nobody is pushed.\n- wait_for: order.paid\n",
        "- delay: 1 day\n# dripline: allow misses-events, unused-timeout because so it is\n"
        "- {wait_for: {event: order.paid, timeout: 1 day, since: now}}\n",
    ],
)
def test_a_warning_is_allowed_on_its_line(check_steps: Check, steps: str) -> None:
    assert check_steps(steps) == []


@pytest.mark.parametrize(
    ("comment", "told"),
    [
        ("# dripline: allow no-way-out", ["6:3 no-way-out", "6:26 bad-allow"]),
        ("# dripline: allow no-way-out because", ["6:3 no-way-out", "6:26 bad-allow"]),
        ("# dripline: alow no-way-out because x", ["6:3 no-way-out", "6:26 bad-allow"]),
        ("# dripline: allow no-wayout because x", ["6:3 no-way-out", "6:26 bad-allow"]),
        ("# dripline: allow unknown-event because x", ["6:3 no-way-out", "6:26 bad-allow"]),
        ("# dripline: allow dead-branch because x", ["6:3 no-way-out", "6:26 unused-allow"]),
        ("# dripline: allow no-way-out, dead-branch because x", ["6:26 unused-allow"]),
    ],
)
def test_a_comment_that_allows_nothing_is_told(check_steps: Check, comment: str, told: list[str]) -> None:
    assert check_steps(f"- wait_for: order.paid   {comment}\n") == told


def test_an_error_is_not_allowed(check_steps: Check) -> None:
    assert check_steps("- wait_for: order.payed   # dripline: allow unknown-event because x\n") == [
        "6:3 no-way-out",
        "6:13 unknown-event",
        "6:27 bad-allow",
    ]


def test_a_comment_counts_in_templates(folder: Folder, check_steps: Check) -> None:
    comment = "{# dripline: allow not-https because the shop has no other address yet #}"
    folder.write("templates/t.en.txt", f"See http://example.com {comment}")
    assert check_steps("- sms: t\n") == []
    folder.write("templates/t.en.txt", f"{comment}\nSee http://example.com")
    assert check_steps("- sms: t\n") == []
    folder.write("templates/t.en.txt", f"See this.\n{comment}\nhttps://example.com")
    assert check_steps("- sms: t\n") == ["templates/t.en.txt:2:1 unused-allow"]


def test_a_comment_counts_in_the_head_of_a_template(folder: Folder, check_steps: Check) -> None:
    text = "---\nsubject: Act now  # dripline: allow spam-words because it is a drill\n---\nHello\n"
    folder.write("templates/x.en.md", text)
    assert check_steps("- email: {template: x, transactional: true}\n") == []


def test_it_is_not_said_that_a_comment_is_idle_where_only_a_part_is_looked_at(folder: Folder) -> None:
    folder.write(
        "journeys/j.yaml",
        "journey: j\ntrigger: {event: order.paid}  # dripline: allow overlapping-triggers because both are short\n"
        "steps: [{stop: x}]\n",
    )
    assert folder.told() == ["2:31 unused-allow"]
    assert load_project(folder.root, [Path(folder.root / "journeys/j.yaml")]).problems == ()


def test_the_comments_that_the_reference_shows_are_right(folder: Folder, check_steps: Check) -> None:
    docs = (Path(__file__).parents[2] / "docs" / "language.md").read_text(encoding="utf-8")
    shown = (
        docs.split("## Problems, and what may be allowed")[1].split("```text\nsteps:\n")[1].split("```")[0]
    )
    assert (
        check_steps(
            shown.replace("  - ", "- ").replace("  # ", "# ").replace("welcome/see-you-there", "hello")
        )
        == []
    )
