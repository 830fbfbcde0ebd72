"""`dripline lead merge`, `unmerge` and `merges`."""

from __future__ import annotations

import re

from sqlalchemy import select

from dripline.store import schema
from dripline.store.leads import Identity, add_lead, claim
from tests.cli.conftest import Opened, run
from tests.durable.house import NOW, House
from tests.engine.plans import email, plan

HELLO = plan(email("hello"))


def with_another(house: House) -> None:
    """Beside `lead-1` another card of the same person."""
    with house.store.write() as connection:
        claim(connection, "lead-1", [Identity("email", "ani@example.com")], NOW)
        values = {"external_id": "crm-1", "stage": "hot", "consent": {"email": False}, "score": 4}
        add_lead(connection, "lead-2", values, house.clock())
        claim(connection, "lead-2", [Identity("external_id", "crm-1")], NOW)


def test_it_shows_what_becomes_of_both_and_asks(open_house: Opened) -> None:
    house = open_house(HELLO)
    with_another(house)
    code, said = run("lead", "merge", "crm-1", "ani@example.com", says="n\n")
    assert (code, "Nothing was done." in said) == (1, True)
    assert "Lead lead-2 becomes lead lead-1." in said
    for line in (
        "external_id: - → crm-1",
        "consent: email yes, sms yes → email no, sms yes",
        "score: 0.0 → 4.0",
    ):
        assert line in said
    assert "  follows: 1 identity\n" in said
    with house.store.read() as connection:
        assert connection.execute(select(schema.merges)).all() == []


def test_it_is_done_told_and_taken_back(open_house: Opened) -> None:
    house = open_house(HELLO)
    with_another(house)
    house.queued_message()
    code, said = run("lead", "merge", "ani@example.com", "crm-1", "--yes", "--why", "called us")
    assert code == 0
    found = re.search(r"dripline lead unmerge (\S+)", said)
    assert found
    code, said = run("why", "crm-1")
    assert code == 0
    assert said.startswith("Lead lead-1")
    assert "lead lead-2 and this one are one person: a person said so, " in said
    assert found[1] in run("lead", "merges", "ani@example.com")[1]
    code, said = run("lead", "unmerge", found[1], says="y\n")
    assert (code, "Taken back." in said) == (0, True)
    assert run("lead", "unmerge", found[1], "--yes")[0] == 1
    with house.store.read() as connection:
        assert [row.what for row in connection.execute(select(schema.audit).order_by(schema.audit.c.id))] == [
            "publish",
            "merge-leads",
            "unmerge-leads",
        ]
    assert run("why", "crm-1")[1].startswith("Lead lead-2")


def test_the_one_that_is_named_goes_on(open_house: Opened) -> None:
    house = open_house(HELLO)
    with_another(house)
    assert run("lead", "merge", "ani@example.com", "crm-1", "--into", "crm-1", "--yes")[0] == 0
    assert run("why", "ani@example.com")[1].startswith("Lead lead-2 (ani@example.com")


def test_one_lead_is_not_merged_with_itself(open_house: Opened) -> None:
    with_another(open_house(HELLO))
    code, said = run("lead", "merge", "ani@example.com", "lead-1", "--yes")
    assert (code, said) == (1, "These are one and the same lead already; nothing was changed.\n")
    assert run("lead", "merges", "crm-1") == (0, "It was never merged.\n")
