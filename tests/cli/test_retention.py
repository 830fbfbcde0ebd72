"""`dripline retention` shows what goes, and does it when told to."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select

from dripline.clock import machine_clock
from dripline.store import schema
from dripline.store.database import Store
from tests.cli.conftest import WORKSPACE, Opened, run


def test_without_a_word_in_the_workspace_everything_is_kept(open_house: Opened) -> None:
    open_house()
    assert run("retention") == (
        0,
        "Everything is kept for good: `retention` in dripline.yaml says otherwise.\n",
    )


def test_it_shows_what_is_due_and_lets_it_go_when_told(
    open_house: Opened, workspace: Path, store: Store
) -> None:
    open_house()
    (workspace / "dripline.yaml").write_text(WORKSPACE + "retention: {mailbox: 30 days, idle: 3 years}\n")
    with store.write() as connection:
        at = machine_clock() - timedelta(days=31)
        copy = {"channel": "email", "recipient": "a@example.com", "sender": "us", "body": "hello"}
        connection.execute(insert(schema.mailbox).values(key="m", at=at, **copy))
    code, said = run("retention")
    assert code == 0
    assert "mailbox" in said and "30 days" in said and "3 years" in said  # noqa: PT018
    code, said = run("retention", "--format", "json")
    assert [(one["name"], one["due"]) for one in json.loads(said)["kinds"]] == [("mailbox", 1), ("idle", 0)]
    assert "Gone: 1 of mailbox." in run("retention", "--now")[1]
    with store.read() as connection:
        assert connection.execute(select(schema.mailbox)).all() == []
