from __future__ import annotations

import json
from pathlib import Path

from dripline.store.database import Store
from tests.cli.conftest import run
from tests.web.test_audit import fill


def test_the_command_shows_it_too(workspace: Path, store: Store) -> None:
    fill(store)
    told = run("audit")[1]
    assert "wrong prices" in told
    assert "key-created" in told
    assert "wrong prices" not in run("audit", "--since", "7d")[1]
    assert "wrong prices" in run("audit", "--since", "2020-01-01", "--by", "levon")[1]
    [act] = json.loads(run("audit", "--what", "publish", "--format", "json")[1])
    assert act["detail"]["journey"] == "hello"
    assert run("audit", "--since", "soon")[0] == 1
    assert "There are more than 1" in run("audit", "--limit", "1")[1]
