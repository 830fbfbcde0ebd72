from __future__ import annotations

import json
from pathlib import Path

from dripline.access.people import find_invited
from dripline.clock import machine_clock
from dripline.store.database import Store
from tests.cli.conftest import run


def test_people_are_added_by_a_link_and_looked_after(workspace: Path, store: Store) -> None:
    assert "makes the first admin" in run("user", "list")[1]
    code, told = run("user", "add", "Ani@Example.com", "--role", "admin", "--name", "Ani")
    assert code == 0
    [link] = [line for line in told.splitlines() if line.startswith("http://127.0.0.1")]
    with store.read() as connection:
        invited = find_invited(connection, link.rpartition("/")[2], machine_clock())
    assert invited is not None
    assert (invited.email, invited.role) == ("ani@example.com", "admin")
    assert run("user", "add", "ani@example.com") == (1, "Somebody of that address is there already.\n")
    assert run("user", "add", "nonsense") == (1, "That is no e-mail address.\n")
    assert "the only admin" in run("user", "disable", "ani@example.com")[1]
    assert "the only admin" in run("user", "role", "ani@example.com", "viewer")[1]
    assert run("user", "add", "levon@example.com")[0] == 0
    assert "is an admin now" in run("user", "role", "levon@example.com", "admin")[1]
    assert run("user", "disable", "ani@example.com", "--why", "left us")[0] == 0
    assert "disabled" in run("user", "list")[1]
    assert run("user", "enable", "ani@example.com")[0] == 0
    assert "/invitation/" in run("user", "reset", "ani@example.com")[1]
    assert run("user", "reset", "nobody@example.com")[0] == 1
    people = json.loads(run("user", "list", "--format", "json")[1])
    assert [(one["email"], one["role"]) for one in people] == [
        ("ani@example.com", "admin"),
        ("levon@example.com", "admin"),
    ]
    assert "password" not in people[0]
