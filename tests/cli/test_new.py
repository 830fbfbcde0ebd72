from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dripline.cli import app
from dripline.language.project import load_project
from dripline.simulate.playing import play

RECIPES = sorted(entry.name for entry in resources.files("dripline").joinpath("recipes").iterdir())
WORKSPACE = """\
timezone: Asia/Yerevan
locales: [en, hy, ru-RU]
postal_address: Example Ltd, 1 Garden Street, Yerevan
topics: {news: News}
senders: {email: {address: hello@example.com}}
events:
  order.paid: {total: number}
  cart.abandoned: {total: number}
  webinar.registered: {webinar: text}
  webinar.attended: {webinar: text}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dripline.yaml").write_text(WORKSPACE)
    monkeypatch.setenv("DRIPLINE_WORKSPACE", str(tmp_path))
    return tmp_path


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, done.output


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_makes_a_journey_in_which_there_is_no_error(workspace: Path, recipe: str) -> None:
    code, told = run("new", "spring-offer", "--recipe", recipe)
    assert (code, "0 errors, 0 warnings" in told) == (0, True), told
    project = load_project(workspace)
    assert project.problems == ()
    plan = project.plans["spring-offer"]
    assert plan.title == "Spring offer"
    scenarios = project.scenarios["spring-offer"].scenarios
    assert len(scenarios) == 2
    assert project.workspace is not None
    assert all(play(one, "spring-offer", project.plans, project.workspace).passed for one in scenarios)
    assert recipe in run("new", "--list")[1]


def test_templates_are_in_every_language_and_say_what_is_not_translated(workspace: Path) -> None:
    run("new", "hi")
    found = {path.name: path.read_text() for path in (workspace / "templates" / "hi").iterdir()}
    assert sorted(found) == [
        f"{name}.{locale}.md" for name in ("hello", "next") for locale in ("en", "hy", "ru-RU")
    ]
    translated = {name for name, text in found.items() if "Not translated yet" not in text}
    assert translated == {"hello.en.md", "next.en.md"}


def test_nothing_is_written_over(workspace: Path) -> None:
    (workspace / "templates" / "hi").mkdir(parents=True)
    mine = workspace / "templates" / "hi" / "next.hy.md"
    mine.write_text("mine")
    code, told = run("new", "hi")
    assert (code, "next.hy.md` is there already; nothing was written" in told) == (1, True), told
    assert mine.read_text() == "mine"
    assert not (workspace / "journeys").exists()


def test_what_the_workspace_lacks_is_told_as_it_is_to_be_written(workspace: Path) -> None:
    lines = [line for line in WORKSPACE.splitlines() if "cart.abandoned" not in line]
    (workspace / "dripline.yaml").write_text("\n".join(lines))
    code, told = run("new", "cart", "--recipe", "bring-back")
    assert code == 1
    assert "events:\n  cart.abandoned: {total: number}\n" in told
    assert "unknown-event" in told


@pytest.mark.parametrize("words", [[], ["Spring"], ["../x"], ["x", "--recipe", "bring-bak"]])
def test_names_that_cannot_be_are_refused(workspace: Path, words: list[str]) -> None:
    code, told = run("new", *words)
    assert code == 1
    assert "bring-bak" not in words or "did you mean `bring-back`?" in told
    assert sorted(path.name for path in workspace.iterdir()) == ["dripline.yaml"]
