"""`dripline try` with everything real: Temporal, worker and web process, beside a store that it must not touch."""

from __future__ import annotations

import hashlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from dripline.cli import app
from dripline.language.project import load_project
from dripline.stack.up import prepare
from dripline.store.database import Store
from tests.sink import Sink

ROOT = Path(__file__).parents[2]
SUBJECT = "Not published yet, {{ lead.first_name }}"


@dataclass(frozen=True)
class Place:
    """A workspace with an edit that nobody published, the real store beside it, and room for what is thrown away."""

    workspace: Path
    data: Path
    scratch: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("DRIPLINE_")},
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(self.scratch),
            "DRIPLINE_WORKSPACE": str(self.workspace),
            "DRIPLINE_DATA": str(self.data),
            "DRIPLINE_DATABASE_URL": f"sqlite:///{self.data / 'dripline.db'}",
            "DRIPLINE_ENVIRONMENT": "production",
            "TEMPORAL_ADDRESS": "temporal.invalid:7233",
            "TEMPORAL_NAMESPACE": "marketing",
        }

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "dripline", "try", *words]

    def real(self) -> Mapping[str, str]:
        """The files of the real installation, by what they hold."""
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in self.data.iterdir()}

    def left(self) -> list[str]:
        """What is left behind: files, and processes that were started there."""
        return [*map(str, self.scratch.iterdir()), *_processes_of(self.scratch)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    workspace, data, scratch = (tmp_path / name for name in ("workspace", "data", "scratch"))
    for folder in (workspace / "journeys", data, scratch):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "dripline.yaml", workspace)
    shutil.copy(ROOT / "journeys" / "welcome.yaml", workspace / "journeys")
    shutil.copytree(ROOT / "templates" / "welcome", workspace / "templates" / "welcome")
    store = Store(f"sqlite:///{data / 'dripline.db'}")
    prepare(store, load_project(workspace), None)
    store.close()
    hello = workspace / "templates" / "welcome" / "hello.en.mjml"
    hello.write_text(re.sub(r"(?m)^subject:.*$", f'subject: "{SUBJECT}"', hello.read_text()))
    return Place(workspace, data, scratch)


# -- with everything real ------------------------------------------------------------------------------------


@pytest.mark.temporal
def test_a_script_walks_the_journey_and_its_messages_are_in_the_mailbox(place: Place) -> None:
    before = place.real()
    send = "after 3 days demo.booked seats=8"
    late = "after 1 month order.paid total=9"
    sends = ["--send", late, "--send", send]
    command = place.command("welcome", "--as", "ani@example.com", "--day", "1s", *sends)
    walk = subprocess.Popen(
        command,
        cwd=place.workspace,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert walk.stdout is not None
    told = []
    for line in walk.stdout:
        told.append(line.rstrip())
        if "Not published yet, Ani" in line:
            page = httpx.get(line.split()[-1], trust_env=False)
            assert "Not published yet, Ani" in page.text
            mailbox = httpx.get(f"{page.url.copy_with(path='/mailbox')}", trust_env=False)
            assert "Not published yet, Ani" in mailbox.text
            assert _processes_of(place.scratch), "the test would see what is left"
    code = walk.wait(30)
    text = "\n".join(told)
    assert code == 0, text
    assert re.search(r"\w{3} [-\d]{10} [:\d]{5}  enters the journey by lead.created", text), text
    assert "“Dripline: your demo is booked." in text
    assert "The run has ended, stopped: booked. The lead got 2 messages." in text
    assert text.endswith("It ended before: order.paid total=9")
    assert place.left() == []
    assert place.real() == before


@pytest.mark.temporal
def test_with_a_providers_key_messages_really_leave_to_those_only_who_are_allowed(place: Place) -> None:
    file = place.workspace / "journeys" / "welcome.yaml"
    steps = "steps:\n  - notify: {to: boss@elsewhere.am, text: A new lead.}\n"
    file.write_text(file.read_text().replace("steps:\n", steps, 1))
    with Sink() as sink:
        keys = {"DRIPLINE_SENDGRID_API_KEY": sink.api_key, "DRIPLINE_SENDGRID_BASE_URL": sink.url}
        walk = subprocess.run(
            place.command("welcome", "--as", "ani@example.com", "--day", "1s"),
            cwd=place.workspace,
            env={**place.environment, **keys},
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert walk.returncode == 0, walk.stdout + walk.stderr
        assert {one.to for one in sink.accepted} == {"ani@example.com"}
        assert sink.accepted[0].subject == "Not published yet, Ani"
        assert len(sink.accepted) == 2
    assert "email   really leaves, to those only whom dripline.yaml allows" in walk.stdout
    assert place.left() == []


@pytest.mark.temporal
def test_at_a_terminal_waits_are_skipped_and_the_lead_does_what_is_chosen(place: Place) -> None:
    with _Terminal(place, "welcome", "--as", "ani@example.com", "--day", "1 hour") as terminal:
        terminal.after("q  leave", "s")
        terminal.after("1  ends the wait", "1 seats=2")
        terminal.after("does not listen for that now", "99")
        terminal.after("there is no 99", "demo.boked")
        terminal.after("did you mean `demo.booked`?", "demo.booked seats=6")
        terminal.after("The run has ended, stopped: booked", None)
        terminal.after("until you press Enter", "")
        assert terminal.ends() == 0
    assert place.left() == []


@pytest.mark.temporal
def test_who_interrupts_it_leaves_nothing_behind_but_what_is_to_be_kept(place: Place) -> None:
    with _Terminal(place, "welcome", "--as", "ani@example.com", "--keep") as terminal:
        terminal.after("q  leave", None)
        terminal.interrupt()
        assert terminal.ends() == 130
    [kept] = place.scratch.iterdir()
    assert (kept / "dripline.db").exists()
    assert _processes_of(place.scratch) == []


# -- without starting anything -------------------------------------------------------------------------------


def _refused(place: Place, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str]:
    for name, value in place.environment.items():
        if name.startswith("DRIPLINE_"):
            monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["try", *words])
    assert place.left() == []
    return done.exit_code, done.output


def test_an_address_that_is_not_allowed_is_refused_with_the_line_to_add(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, told = _refused(place, monkeypatch, "welcome", "--as", "Ani@Gmail.com")
    assert (code, "Add to dripline.yaml, below `allow:`:\n\n  - Ani@gmail.com\n" in told) == (1, True), told
    words = ["welcome", "--as", "ani@example.com", "--phone", "091 12 34 56"]
    code, told = _refused(place, monkeypatch, *words)
    assert (code, '  - "+37491123456"' in told) == (1, True), told


def test_problems_are_told_as_check_tells_them(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place.workspace / "journeys" / "welcome.yaml"
    file.write_text(file.read_text().replace("2 days", "2 dayz"))
    code, told = _refused(place, monkeypatch, "welcome", "--as", "ani@example.com")
    assert code == 1
    assert "journeys/welcome.yaml:21:12: error[bad-duration]" in told
    assert "did you mean `day`?" in told


def test_other_systems_are_called_only_where_that_is_said(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = place.workspace / "journeys" / "welcome.yaml"
    file.write_text(file.read_text() + '  - webhook: {url: "https://crm.example.com/leads"}\n')
    code, told = _refused(place, monkeypatch, "welcome", "--as", "ani@example.com")
    assert code == 2
    assert "https://crm.example.com/leads\nSay --call" in told


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["welcom", "--as", "ani@example.com"], 1, "did you mean `welcome`?"),
        (["welcome"], 2, "--as"),
        (["welcome", "--as", "ani"], 2, "is not an e-mail address"),
        (["welcome", "--as", "ani@example.com", "--day", "0s"], 2, "between 1s and 1 day"),
        (["welcome", "--as", "ani@example.com", "--send", "demo.booked"], 2, "after 3 days demo.booked"),
        (["welcome", "--as", "ani@example.com", "--attribute", "seats"], 2, "name=value"),
        (["welcome", "--as", "ani@example.com", "--attribute", "seets=2"], 2, "did you mean `seats`?"),
        (["welcome", "--as", "ani@example.com", "--event", "demo.booked"], 2, "but by lead.created"),
        (
            ["welcome", "--as", "ani@example.com", "--attribute", "consent.email=no"],
            2,
            "when `lead.consent.email`",
        ),
    ],
)
def test_a_command_that_cannot_be_followed_is_told_with_the_cure(
    words: list[str], code: int, says: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended, told = _refused(place, monkeypatch, *words)
    assert (ended, says in told) == (code, True), told


# -- a terminal ----------------------------------------------------------------------------------------------


class _Terminal:
    """The command at a terminal of its own; what stands on it is read and typed."""

    def __init__(self, place: Place, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self._process = subprocess.Popen(
            place.command(*words),
            cwd=place.workspace,
            env=place.environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._shown = ""
        self._seen = 0

    def __enter__(self) -> _Terminal:
        return self

    def __exit__(self, *_: Any) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._ours)

    def after(self, words: str, typed: str | None) -> None:
        """Wait until these words stand there, behind those that were waited for before, and type a line."""
        give_up = time.monotonic() + 60
        while (found := self._shown.find(words, self._seen)) < 0:
            assert time.monotonic() < give_up, self._shown
            assert self._read(), self._shown
        self._seen = found + len(words)
        if typed is not None:
            os.write(self._ours, f"{typed}\n".encode())

    def interrupt(self) -> None:
        """What Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def ends(self) -> int:
        """Its exit code, soon."""
        give_up = time.monotonic() + 40
        while self._process.poll() is None and time.monotonic() < give_up:
            self._read()
        return self._process.wait(1)

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], 0.2)[0]:
            return True
        try:
            some = os.read(self._ours, 4096)
        except OSError:  # nobody has the other end any more
            return False
        self._shown += re.sub(r"\x1b\[[\d;]*m", "", some.decode(errors="replace"))
        return bool(some)


def _processes_of(folder: Path) -> list[str]:
    """The programs whose settings name that folder; the command itself, whose scratch it is, is none of them."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            settings = (entry / "environ").read_bytes()
            if f"DRIPLINE_DATA={folder}".encode() in settings:
                found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:  # gone, or another user's
            continue
    return found
