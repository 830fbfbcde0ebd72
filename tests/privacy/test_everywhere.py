"""A person lives through a journey of the whole stack and is erased: nothing of it is left in any file there is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.house.test_everything import ROOT, Up

pytestmark = [
    pytest.mark.temporal,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc"),
]

EMAIL, PHONE, NAME, NOTE = "marked.ani@example.com", "+37491765432", "Markedani", "marked-note"
MARKS = (EMAIL, "marked.ani", PHONE, PHONE[1:], NAME, NOTE, "marked-crm")


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    started = Up(tmp_path)
    yield started
    started.process.kill()
    started.process.wait()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def holding(found: dict[str, bytes], mark: str) -> set[str]:
    return {name for name, content in found.items() if mark.encode() in content}


@pytest.mark.timeout(180)
def test_nothing_of_an_erased_person_is_left_in_any_file(up: Up, tmp_path: Path) -> None:
    lead = {
        "email": EMAIL,
        "phone": PHONE,
        "external_id": "marked-crm",
        "consent": {"email": True, "sms": True},
        "attributes": {"first_name": NAME},
        "timezone": "UTC",
    }
    lead_id = httpx.put(f"{up.url}/v1/leads", json=lead).json()["id"]

    def runs() -> list[dict[str, str]]:
        return httpx.get(f"{up.url}/v1/runs", params={"lead": lead_id}).json()["runs"]  # type: ignore[no-any-return]

    def told() -> str:
        return httpx.get(f"{up.url}/v1/leads/{lead_id}/timeline").text

    up.wait(lambda: "was taken by mailbox" in told(), 60)
    # Whoever asks in a wrong way is answered, and may be logged.
    httpx.get(f"{up.url}/v1/leads/{EMAIL}")
    httpx.post(f"{up.url}/v1/events", json={"name": NOTE, "lead": EMAIL, "properties": {"x": PHONE}})
    [run, *_] = runs()
    before = files(tmp_path)
    assert holding(before, EMAIL) <= {"dripline.db", "dripline.db-wal"}, "only the store may ever hold it"
    assert holding(before, EMAIL) != set()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    environment |= {"DRIPLINE_DATA": str(tmp_path), "DRIPLINE_WORKSPACE": str(ROOT)}
    command = [sys.executable, "-m", "dripline", "erase", EMAIL, "--yes", "--why", "asked"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert EMAIL not in done.stdout + done.stderr
    assert httpx.get(f"{up.url}/v1/leads/{lead_id}").status_code == 410
    up.wait(lambda: all(one["outcome"] for one in runs()), 30)
    up.process.terminate()
    up.process.wait(60)
    after = files(tmp_path)
    assert {"dripline.db", "temporal.db", "up.log", "erased.log"} <= set(after)
    assert any(
        run["id"].encode() in content for name, content in after.items() if name.startswith("temporal")
    )
    for mark in MARKS:
        assert holding(after, mark) == set(), f"{mark} is still there"
