from __future__ import annotations

import json
import re
from pathlib import Path

from fastapi.testclient import TestClient

from dripline.access.scopes import SCOPES
from dripline.language.workspace import load_workspace
from dripline.settings import Settings
from dripline.store.database import Store
from dripline.web.app import create_app
from tests.cli.conftest import run

_KEY = re.compile(r"^dl_test_[\w-]{43}$", re.MULTILINE)


def _opens(store: Store, workspace: Path, key: str) -> int:
    app = create_app(Settings(_env_file=None), store, load_workspace(workspace)[0])  # type: ignore[arg-type]
    client = TestClient(app, base_url="http://drip.example.com", client=("203.0.113.9", 1))
    answer = client.get("/v1/runs", headers={"Authorization": f"Bearer {key}"})
    return int(answer.status_code)


def test_a_key_is_shown_once_opens_the_api_and_can_be_taken_back(workspace: Path, store: Store) -> None:
    code, told = run("key", "create", "the shop", "--scope", "leads:read,events:write", "--expires", "90d")
    assert code == 0
    [key] = _KEY.findall(told)
    assert _opens(store, workspace, key) == 200
    code, told = run("key", "list")
    assert "the shop" in told
    assert key[:12] in told
    assert key not in told
    [listed] = json.loads(run("key", "list", "--format", "json")[1])
    assert listed["scopes"] == ["leads:read", "events:write"]
    code, told = run("key", "rotate", "the shop", "--grace", "1h")
    [new] = _KEY.findall(told)
    assert "goes on working until" in told
    assert (_opens(store, workspace, key), _opens(store, workspace, new)) == (200, 200)
    code, told = run("key", "revoke", "the shop")
    assert (code, "Several keys" in told) == (1, True)
    assert run("key", "revoke", key[:12], "--why", "lost")[0] == 0
    assert (_opens(store, workspace, key), _opens(store, workspace, new)) == (401, 200)
    assert key[:12] not in run("key", "list")[1]
    assert "revoked" in run("key", "list", "--all")[1]


def test_a_key_of_unknown_scope_name_or_length_is_refused(workspace: Path, store: Store) -> None:
    assert run("key", "create", "x", "--scope", "leads") == (
        1,
        f"There is no scope leads; there are {', '.join(SCOPES)}.\n",
    )
    assert run("key", "create", "x\n\x07", "--scope", "track")[0] == 1
    assert run("key", "create", "x", "--scope", "track", "--expires", "soon")[0] == 1
    assert run("key", "rotate", "nothing")[0] == 1
    assert run("key", "revoke", "nothing")[0] == 1
