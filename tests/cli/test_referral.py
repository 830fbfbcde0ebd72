"""`dripline referral …`, in the process of the test, on an installation of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dripline.cli import app
from dripline.store.database import Store
from dripline.store.leads import add_lead
from tests.durable.house import NOW

WORKSPACE = """
timezone: UTC
locales: [en]
currency: USD
orders: order.paid
events: {order.paid: {order_id: text, total: number}}
referrals:
  friends:
    landing: https://shop.example/friends
    welcome: {percent: 15}
    reward: {bonus: 50 USD}
"""


class Shell:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *said: str, fails: bool = False) -> str:
        answer = CliRunner().invoke(app, ["referral", *said])
        assert (answer.exit_code != 0) == fails, answer.output
        return answer.output

    def json(self, *said: str) -> Any:
        return json.loads(self(*said, "--format", "json"))


@pytest.fixture
def shell(migrated_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data" / "dripline.db")
    (tmp_path / "dripline.yaml").write_text(WORKSPACE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DRIPLINE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DRIPLINE_PUBLIC_URL", "https://drip.example")
    store = Store(f"sqlite:///{tmp_path / 'data' / 'dripline.db'}")
    with store.write() as connection:
        for lead in ("ani", "nare"):
            add_lead(connection, lead, {"email": f"{lead}@example.com"}, NOW)
    store.close()
    return Shell(tmp_path)


def test_a_lead_gets_its_code_its_link_and_a_picture(shell: Shell) -> None:
    code, link, followed = shell("code", "ani", "--qr", "friends.svg").splitlines()
    assert (link, followed) == (f"https://drip.example/r/{code}", "Followed 0 times.")
    assert (shell.folder / "friends.svg").read_text().startswith("<svg")
    assert shell.json("code", "ani")["code"] == code
    assert "neither .png nor .svg" in shell("code", "ani", "--qr", "friends.gif", fails=True)
    assert "did you mean `friends`" in shell("code", "ani", "--program", "freinds", fails=True)


def test_a_friend_comes_is_listed_and_refused(shell: Shell) -> None:
    code = shell.json("code", "ani")["code"]
    assert "It came.\nIts welcome: " in shell("join", code, "nare")
    assert "It had come before: joined." in shell("join", code.lower(), "nare")
    assert "nobody brings themselves" in shell("join", code, "ani", fails=True)
    [one] = shell.json("list", "--lead", "nare", "--state", "joined")
    assert (one["referrer"], one["friend"], one["via"]) == ("ani", "nare", "command")
    assert "ani@example.com" in shell("leaders")
    assert "Nobody was brought yet." in shell("leaders", "--since", "2100-01-01")
    shell("refuse", one["id"], "--why", "the same household")
    assert "the same household" in shell("list")
    assert "the same household: 1" in shell("programs")
    assert "There is no referral" in shell("refuse", "nothing", "--why", "x", fails=True)


def test_a_code_that_was_taken_back_brings_nobody(shell: Shell) -> None:
    code = shell.json("code", "ani")["code"]
    assert f"{code} brings nobody any more." in shell("revoke", code, "--why", "printed on leaflets")
    assert "Nobody brings friends by this code." in shell("join", code, "nare", fails=True)
