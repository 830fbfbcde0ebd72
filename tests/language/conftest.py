"""A workspace on disk that a test can add files to, and what `check` says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from dripline.language.project import Project, load_project

WORKSPACE = """
timezone: Asia/Yerevan
locales: [en]
postal_address: Example Ltd, 1 Garden Street, Yerevan
currency: AMD
topics: {newsletter: News}
senders: {email: {address: hello@example.com}, sms: {address: Example}}
attributes: {first_name: text, plan: text, vip: boolean, birthday: date, trial_ends_at: datetime}
events:
  demo.booked: {seats: integer, starts_at: datetime}
  order.paid: {total: number, items: list}
"""


EMAIL = "---\nsubject: Hello\n---\nHello!\n\n[Leave]({{ unsubscribe_link() }})\n"
"""An e-mail in which nothing is wrong."""


class Folder:
    """A workspace folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("dripline.yaml", WORKSPACE)
        self.write("templates/hello.en.md", EMAIL)
        self.write("templates/hello.en.txt", "Hello!\n")

    def write(self, path: str, text: str) -> None:
        """Put a file into it."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text).lstrip("\n"), encoding="utf-8")

    def load(self) -> Project:
        """Read all of it."""
        return load_project(self.root)

    def told(self) -> list[str]:
        """Every problem as `line:column code`, those of other files than the journey with their name."""
        return [
            f"{'' if p.path == 'journeys/j.yaml' else p.path + ':'}{p.line}:{p.column} {p.code}"
            for p in self.load().problems
        ]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A workspace with one e-mail and one SMS template, `hello`, and no journey."""
    return Folder(tmp_path)


@pytest.fixture
def check(folder: Folder) -> Callable[[str], list[str]]:
    """Checks a journey whose file is j.yaml."""

    def checked(journey: str) -> list[str]:
        folder.write("journeys/j.yaml", journey)
        return folder.told()

    return checked


@pytest.fixture
def check_steps(check: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """Checks a journey with these steps, which begin in line 6."""
    head = "journey: j\ntrigger:\n  event: lead.created\nmessages: {topic: newsletter}\nsteps:\n"
    return lambda steps: check(head + dedent(steps).lstrip("\n"))
