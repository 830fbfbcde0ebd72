"""schemathesis, over the whole document, against the web process as it really runs, finds no fault."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ELSEWHERE, KEY, Served

ROOT = Path(__file__).parents[2]
EXAMPLES = 15
"""Cases for each operation and phase: about 40 seconds in all."""


@pytest.mark.timeout(300)
def test_schemathesis_finds_no_fault(tmp_path: Path, migrated_file: Path) -> None:
    (tmp_path / "dripline.db").write_bytes(migrated_file.read_bytes())
    with Served(tmp_path, ROOT, f"sqlite:///{tmp_path / 'dripline.db'}") as served:
        command = [
            *(str(Path(sys.executable).with_name("schemathesis")), "--config-file"),
            *(str(Path(__file__).with_name("schemathesis.toml")), "run", f"{served.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {KEY}"),
            *(part for name, value in ELSEWHERE.items() for part in ("--header", f"{name}: {value}")),
            *("--seed", "20261122", "--max-examples", str(EXAMPLES), "--workers", "1"),
            *("--continue-on-failure", "--output-sanitize", "false"),
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "request-failed" not in served.log.read_text()
