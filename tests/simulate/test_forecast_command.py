"""`dripline simulate` as its users see it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner, Result

from dripline.cli import app
from dripline.simulate.chart import columns

ROOT = Path(__file__).parents[2]
SOMEONE = """
lead: {email: ani@example.com, phone: "+37491123456", locale: hy, first_name: Անի, consent: {email: true, sms: true}}
start: 2026-03-02T10:00
events:
  - {after: 3 days, event: demo.booked, seats: 8, starts_at: 2026-03-09T15:00}
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", *arguments, "--workspace", str(ROOT)])


WELCOME = ("welcome", "--leads", "40", "--start", "2026-03-02", "--rate", "demo.booked=50%")


def test_people_see_how_it_ends_what_is_sent_and_when() -> None:
    done = run(*WELCOME)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.splitlines()[:2] == [
        "welcome: 40 leads entering over 30 days, from 2026-03-02 to 2026-08-28 (seed 1)",
        "Who answers: demo.booked 50%.",
    ]
    for word in (
        "stopped: booked",
        "finished",
        "email:welcome/hello",
        "Messages a day",
        "█",
        "Busiest in welcome",
    ):
        assert word in done.stdout


def test_programs_get_the_same_again_and_again() -> None:
    first, second = run(*WELCOME, "--format", "json"), run(*WELCOME, "--format", "json")
    assert first.stdout == second.stdout
    told = json.loads(first.stdout)
    assert sum(one["count"] for one in told["endings"]) == told["runs"] == 40
    assert sum(one["count"] for one in told["messages"]) == told["sent"]


def test_the_page_holds_everything_itself(tmp_path: Path) -> None:
    page = tmp_path / "reports" / "welcome.html"
    done = run(*WELCOME, "--report", str(page))
    assert done.stdout.splitlines()[-1] == f"Written to {page}."
    text = page.read_text(encoding="utf-8")
    assert "<svg" in text
    assert "stopped: booked" in text
    for outside in ("http://", "https://", "<script", "<link", "@import"):
        assert outside not in text


def test_one_lead_is_told_as_a_story(tmp_path: Path) -> None:
    file = tmp_path / "someone.yaml"
    file.write_text(SOMEONE, encoding="utf-8")
    done = run("welcome", "--lead", str(file))
    assert done.exit_code == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert any(line.startswith("Mon 2026-03-02 10:00  email welcome/hello   Բարի գալուստ") for line in lines)
    assert any("demo.booked ends the wait" in line for line in lines)
    assert "Thu 2026-03-05 10:00  ends booked" in lines
    told = json.loads(run("welcome", "--lead", str(file), "--format", "json").stdout)
    ends = [(one["at"], one["ends"]) for one in told if "ends" in one and one["ends"] == "booked"]
    assert ends == [("2026-03-05T10:00:00+04:00", "booked")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["welcom"], "did you mean `welcome`"),
        (["welcome", "--rate", "demo.boked=20%"], "did you mean `demo.booked`"),
        (["welcome", "--rate", "demo.booked"], "is no rate"),
        (["welcome", "--rate", "demo.booked=often"], "is no rate"),
        (["welcome", "--over", "a while"], "--over"),
        (["welcome", "--start", "tomorrow"], "write it like 2026-03-02"),
        (["welcome", "--open", "--leads", "2"], "--report"),
        (["welcome", "--lead", "nobody.yaml"], "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_to_do(arguments: list[str], said: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_wrong_with_a_lead_is_told_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "someone.yaml"
    file.write_text(SOMEONE.replace("seats: 8", "seets: 8"), encoding="utf-8")
    done = run("welcome", "--lead", str(file))
    assert (done.exit_code, "someone.yaml:5:41: error[unknown-key]" in done.stderr) == (1, True), done.stderr


def test_rates_stand_in_a_file_too(tmp_path: Path) -> None:
    file = tmp_path / "rates.yaml"
    file.write_text("demo.booked: 100%/2 days\nlead.unsubscribed: 0\n", encoding="utf-8")
    told = json.loads(run("welcome", "--leads", "5", "--rates", str(file), "--format", "json").stdout)
    assert [one["reason"] for one in told["endings"]] == ["booked"]


def test_a_store_in_which_nothing_happened_teaches_nothing_and_replays_nothing(
    migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(migrated_file, tmp_path / "dripline.db")
    monkeypatch.setenv("DRIPLINE_DATABASE_URL", f"sqlite:///{tmp_path / 'dripline.db'}")
    monkeypatch.setenv("DRIPLINE_WORKSPACE", str(ROOT))
    done = run("welcome", "--learn")
    assert (done.exit_code, "knows nothing yet" in done.stderr) == (1, True)
    done = run("welcome", "--replay", "2026-03-02", "--report", str(tmp_path / "page.html"))
    assert (done.exit_code, done.stdout.splitlines()[0]) == (
        0,
        "welcome: what happened to 0 leads since 2026-03-02, by the journey's file",
    )


@pytest.mark.parametrize("most", [7, 11_900, 11_900_000, 2_000_000_000])
def test_a_chart_has_room_for_its_numbers(most: int) -> None:
    svg = ElementTree.fromstring(columns(["Mon"], {"revenue": [most]}, "Orders"))
    numbers = [text for text in svg.findall("text") if text.get("text-anchor") == "end"]
    assert all(7 * len(text.text or "") < float(text.get("x", 0)) for text in numbers)


def test_a_chart_stacks_what_belongs_together_and_says_it() -> None:
    svg = ElementTree.fromstring(columns(["Mon", "Tue"], {"email <hy>": [30, 0], "sms": [10, 7]}, "Messages"))
    bars = svg.findall("rect")
    assert [bar.findtext("title") for bar in bars] == ["Mon, email <hy>: 30", "Mon, sms: 10", "Tue, sms: 7"]
    email, sms, later = bars
    assert float(sms.get("y", 0)) + float(sms.get("height", 0)) == pytest.approx(float(email.get("y", 0)))
    assert float(later.get("height", 0)) == pytest.approx(float(email.get("height", 0)) * 7 / 30, abs=0.2)
