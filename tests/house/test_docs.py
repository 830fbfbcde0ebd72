"""The docs cannot lie: what they list is compared with the program."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from dripline.cli import app
from dripline.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


def _settings_rows() -> list[str]:
    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `DRIPLINE_{name.upper()}` | {default} | {field.description} |")
    return rows


def _commands() -> dict[str, Any]:
    """Every command by what one types: `runs`, `runs retry`."""
    return dict(_below(typer.main.get_command(app), ()))


def _below(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield " ".join((*path, name)), command
        if hasattr(command, "commands"):
            yield from _below(command, (*path, name))


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


def test_the_readmes_journey_is_the_one_that_runs() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks == [(ROOT / "journeys" / "welcome.yaml").read_text()]


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in DOCS.glob("*.md"))]
)
def test_no_link_between_the_pages_is_broken(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / page).read_text())
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("target", re.findall(r"\bmake ([a-z-]+)", (ROOT / "CONTRIBUTING.md").read_text()))
def test_what_the_docs_tell_to_make_can_be_made(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
