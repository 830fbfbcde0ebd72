"""The command line over a store of the test's own, in a workspace of the test's own."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dripline.cli import app
from dripline.language.plan import Plan
from tests.durable.house import House

WORKSPACE = """\
timezone: Asia/Yerevan
locales: [en, hy]
postal_address: Example Ltd, 1 Garden Street, Yerevan
default_region: AM
topics: {newsletter: News}
senders:
  email: {address: hello@example.com, name: Hello}
  sms: {address: "+15005550006"}
attributes: {first_name: text, seats: integer, birthday: date}
events:
  demo.booked: {seats: integer}
  order.paid: {total: number}
"""

Opened = Callable[..., House]


def run(*words: str, says: str | None = None) -> tuple[int, str]:
    """Give a command, and answer its questions; its exit code, and all that it said."""
    done = CliRunner().invoke(app, list(words), input=says)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output


@pytest.fixture
def workspace(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace folder, and settings that name it and the store."""
    folder = tmp_path / "workspace"
    (folder / "journeys").mkdir(parents=True)
    (folder / "dripline.yaml").write_text(WORKSPACE)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("DRIPLINE_WORKSPACE", str(folder))
    monkeypatch.setenv("DRIPLINE_DATABASE_URL", store_url)
    monkeypatch.setenv("DRIPLINE_DATA", str(tmp_path / "data"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setenv("DRIPLINE_PORT", str(probe.getsockname()[1]))
    return folder


@pytest.fixture
def open_house(workspace: Path, store: object) -> Opened:
    """Publishes these plans in the store; turns and deliveries are called by hand."""

    def opened(*plans: Plan) -> House:
        return House(store, *plans)  # type: ignore[arg-type]  # the fixture's own

    return opened
