"""`dripline preview`: what a template becomes, with what a scenario fills in."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from shutil import which

import pytest

from dripline.language.project import load_project
from dripline.simulate.previewing import previews, samples
from dripline.store.leads import change_lead
from tests.cli.conftest import Opened, run
from tests.durable.house import NOW

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRIPLINE_WORKSPACE", raising=False)
    monkeypatch.chdir(ROOT)


@pytest.mark.usefixtures("repository")
def test_a_message_is_shown_in_every_language_with_what_the_journey_fills_in() -> None:
    code, said = run("preview", "farewell/price", "--format", "json")
    told = json.loads(said)
    assert code == 0
    assert [one["locale"] for one in told] == ["en", "hy", "ru"]
    assert {one["scenario"] for one in told} == {"leaves because of the price, and is offered a lower one"}
    assert all("MADE-UP-001" in one["body"] and one["problem"] is None for one in told)  # the discount's code


@pytest.mark.usefixtures("repository")
def test_an_sms_is_told_with_its_segments() -> None:
    code, said = run("preview", "welcome/see-you-there", "--locale", "hy")
    assert code == 0
    assert [word for word in ("2 segments", "UCS-2", "Ցուցադրությունն") if word not in said] == []


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["welcome/helo"], "did you mean `welcome/hello`?"),
        (["nothing/at/all/like/it"], "No journey sends nothing/at/all/like/it."),
        (["welcome/hello", "--locale", "fr"], "is not written in `fr`"),
        (["welcome/hello", "--journey", "farewell"], "The journey farewell does not send welcome/hello"),
    ],
)
def test_what_is_not_there_is_told(words: list[str], told: str) -> None:
    code, said = run("preview", *words)
    assert code == 1
    assert told in said


def test_a_template_that_no_scenario_sends_asks_for_one(workspace: Path) -> None:
    (workspace / "journeys" / "first.yaml").write_text(
        "journey: first\ntrigger: {event: order.paid}\nmessages: {topic: newsletter}\nsteps:\n  - email: hi\n"
    )
    (workspace / "templates").mkdir()
    for locale in ("en", "hy"):
        (workspace / "templates" / f"hi.{locale}.md").write_text("---\nsubject: Hi\n---\nHello\n")
    code, said = run("preview", "hi")
    assert (code, said.strip()) == (
        1,
        "No scenario gets as far as hi: add one to journeys/first.test.yaml in which it is sent.",
    )


def test_a_lead_of_the_store_reads_it_with_its_own_name(open_house: Opened, workspace: Path) -> None:
    house = open_house()
    with house.store.write() as connection:
        change_lead(connection, "lead-1", {"attributes": {"first_name": "Nare"}}, NOW)
    (workspace / "journeys" / "first.yaml").write_text(
        "journey: first\ntrigger: {event: order.paid}\nmessages: {topic: newsletter}\nsteps:\n  - email: hi\n"
    )
    (workspace / "journeys" / "first.test.yaml").write_text(
        "- scenario: pays\n  lead: {email: ani@example.com, consent: {email: true}, first_name: Ani}\n"
        "  start: 2026-03-02T10:00\n  trigger: {total: 8}\n  expect: []\n"
    )
    (workspace / "templates").mkdir()
    for locale in ("en", "hy"):
        (workspace / "templates" / f"hi.{locale}.md").write_text(
            "---\nsubject: Hi {{ lead.first_name }}\n---\nYou paid {{ trigger.total | number }}.\n"
        )
    code, said = run("preview", "hi", "--lead", "lead-1", "--format", "json")
    assert code == 0, said
    assert [(one["subject"], one["body"].split("\n")[0]) for one in json.loads(said)] == [
        ("Hi Nare", "You paid 8.")
    ] * 2


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize(
    "command", [["preview", "welcome/offer", "-o"], ["schema", "-o"], ["graph", "welcome", "-o"]]
)
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "taken").write_text("")
    there = tmp_path / "taken" / "page.svg"
    code, said = run(*command, str(there))
    assert (code, said.startswith(f"{there} cannot be written: ")) == (1, True)


@pytest.mark.usefixtures("repository")
@pytest.mark.skipif(which("chromium") is None, reason="looks at the page in a browser")
def test_the_page_shows_the_email_beside_its_text_and_runs_nothing(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    code, said = run("preview", "welcome/offer", "-o", str(page))
    assert (code, said.strip()) == (0, f"Written to {page}.")
    seen = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert seen.count('<iframe sandbox=""') == 4
    assert "Shall we set up your first journey with you?" in seen


def test_a_preview_is_what_the_message_is() -> None:
    project = load_project(ROOT)
    assert project.workspace is not None
    [sample] = samples(project, project.workspace, "welcome/hello")
    assert sample.letter.content is not None
    again = sample.written(str(sample.lead["locale"]))
    assert (again.subject, again.body) == (sample.letter.content.subject, sample.letter.content.body)


def test_every_message_of_the_shipped_journeys_can_be_seen_in_every_language() -> None:
    project = load_project(ROOT)
    assert project.workspace is not None
    templates = {key.partition(":")[2] for plan in project.plans.values() for key in plan.templates}
    unseen, unwritten = [], []
    for template in sorted(templates):
        found = list(samples(project, project.workspace, template))
        if not found:
            unseen.append(template)
        for sample in found:
            unwritten += [
                (template, one.locale, one.problem)
                for one in previews(sample, sample.locales)
                if not one.content
            ]
    assert (unseen, unwritten) == ([], [])
