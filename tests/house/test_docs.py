"""The docs cannot lie: what they list is compared with the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import typer

from dripline.cli import app
from dripline.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def _settings_rows() -> list[str]:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `DRIPLINE_{name.upper()}` | {default} | {field.description} |")
    return rows


def _commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_every_setting_stands_in_the_docs_as_it_is() -> None:
    text = (DOCS / "settings.md").read_text()
    missing = [row for row in _settings_rows() if row not in text]
    assert missing == [], "docs/settings.md needs these lines:\n" + "\n".join(missing)


def test_no_setting_stands_in_the_docs_that_is_not_there() -> None:
    lines = (DOCS / "settings.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| `DRIPLINE_")]
    assert sorted(rows) == sorted(_settings_rows())


@pytest.mark.parametrize("name", _commands())
def test_every_command_has_help_and_stands_in_the_docs(name: str) -> None:
    assert _commands()[name].help
    docs = "\n".join(path.read_text() for path in DOCS.glob("*.md"))
    assert f"`dripline {name}" in docs


@pytest.mark.parametrize("name", _commands())
def test_every_option_says_what_it_is_for(name: str) -> None:
    silent = [
        parameter.name
        for parameter in _commands()[name].params
        if parameter.param_type_name == "option" and not parameter.help
    ]
    assert silent == []
