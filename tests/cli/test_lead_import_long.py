"""Long files, in processes of their own: killed and started again, within constant memory, and twice.

`DRIPLINE_TEST_ROWS=100000` makes the file as long as real ones are.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from dripline.store import schema
from dripline.store.database import Store
from tests.cli.conftest import Opened
from tests.cli.test_lead_import import HELLO

ROWS = int(os.environ.get("DRIPLINE_TEST_ROWS", "4000"))
COMMAND = [sys.executable, "-m", "dripline", "lead", "import"]
PEAK = """
import re, sys
from dripline.cli import app
try:
    app(sys.argv[1:])
finally:
    print("peak", re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""
"""Linux's own figure of this very program: what `getrusage` says also counts the process that started it."""


def written(path: Path, rows: int) -> Path:
    """A file of leads, of which each hundredth is bad, in each of some ways."""
    bad = (
        "nobody,,Ani,8",
        "b{}@example.com,091,Ani,8",
        "c{}@example.com,,Ani,many",
        '"d{}@example.com,,Ani,8',
    )
    with path.open("w", encoding="utf-8") as file:
        file.write("email,phone,first_name,seats\n")
        for number in range(rows):
            good = f'e{number}@example.com,+3749{number:07},"Ani\n{number}",{number % 9}'
            file.write((bad[number // 100 % 4].format(number) if number % 100 == 50 else good) + "\n")
    return path


def number(store: Store, table: Table) -> int:
    with store.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def peak(file: Path, *more: str) -> tuple[int, str]:
    """Kilobytes that an import had at most, and what it said."""
    command = [sys.executable, "-c", PEAK, "lead", "import", str(file), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr  # as some rows are left out
    return int(done.stdout.rpartition("peak ")[2]), done.stdout


@pytest.mark.timeout(600)
def test_a_file_that_was_killed_half_way_is_finished_when_it_is_started_again(
    open_house: Opened, tmp_path: Path
) -> None:
    house = open_house(HELLO)
    file = written(tmp_path / "leads.csv", 2_000)
    before = number(house.store, schema.leads)
    kills = 0
    for wanted in (200, 900):
        process = subprocess.Popen(
            [*COMMAND, str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        while process.poll() is None and number(house.store, schema.leads) - before < wanted:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        kills += process.wait() == -signal.SIGKILL
    assert kills
    done = subprocess.run([*COMMAND, str(file)], capture_output=True, text=True, check=False)
    assert "Goes on with an import of this file" in done.stdout
    assert "Imported: 1,980 new, 0 changed, 0 as they were." in done.stdout
    for table, wanted in ((schema.leads, 1_980), (schema.events, 1_980), (schema.import_rows, 1_980)):
        assert number(house.store, table) - (before if table is schema.leads else 0) == wanted
    assert number(house.store, schema.imports) == 1


@pytest.mark.timeout(3_600)
def test_a_long_file_takes_no_more_memory_than_a_short_one_and_changes_nothing_twice(
    open_house: Opened, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = open_house(HELLO)
    short, _ = peak(written(tmp_path / "short.csv", ROWS // 10))
    file = written(tmp_path / "long.csv", ROWS)
    began = time.monotonic()
    long, told = peak(file)
    took = time.monotonic() - began
    good = ROWS - ROWS // 100
    assert f"{good - ROWS // 10 + ROWS // 1000:,} new, 0 changed" in told
    assert long < short + 16_000, f"{short:,} KB and {long:,} KB"
    with (tmp_path / "long.rejected.csv").open(encoding="utf-8-sig", newline="") as rejected:
        rows = list(csv.DictReader(rejected))
    assert len(rows) == ROWS // 100
    assert len({row["rejected_line"] for row in rows}) == len(rows)
    assert all(row["rejected_reason"] for row in rows)
    states = [number(house.store, table) for table in (schema.leads, schema.events, schema.consents)]
    _, told = peak(file)
    assert f"0 new, 0 changed, {good:,} as they were" in told
    assert states == [number(house.store, table) for table in (schema.leads, schema.events, schema.consents)]
    with capsys.disabled():
        load = os.getloadavg()[0]
        told = f"{ROWS:,} rows: {ROWS / took:,.0f} a second, {long // 1024} MB at most, load {load:.1f}"
        sys.stderr.write(f"\n{told}\n")
