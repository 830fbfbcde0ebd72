"""What `dripline --help` shows: every command under what it is for."""

from __future__ import annotations

import typer

from dripline import __version__
from dripline.cli import app
from tests.cli.conftest import run


def test_every_command_stands_under_what_it_is_for() -> None:
    code, said = run("--help")
    assert code == 0
    for panel in ("Write journeys", "Run them", "Look after leads", "Look after the installation"):
        assert panel in said
    assert " Commands " not in said, "a command that belongs nowhere"
    group = typer.main.get_command(app)
    assert [name for name in group.commands if f"│ {name} " not in said] == []  # type: ignore[attr-defined]


def test_the_version_is_told() -> None:
    assert run("--version") == (0, f"Dripline {__version__}\n")
