from __future__ import annotations

from sqlalchemy import select

from dripline.store import schema
from tests.cli.conftest import Opened, run
from tests.engine.plans import email, plan


def test_a_leads_word_on_being_tracked_is_kept_and_taken_back(open_house: Opened) -> None:
    house = open_house(plan(email("hello")))

    def kept() -> bool | None:
        with house.store.read() as connection:
            word: bool | None = connection.execute(select(schema.leads.c.tracking)).scalar_one()
        return word

    for wish, means in (("no", False), ("yes", True), ("unsaid", None)):
        code, _ = run("lead", "tracking", "lead-1", wish)
        assert (code, kept()) == (0, means)
    assert run("lead", "tracking", "nobody@example.com", "no")[0] == 1
    assert run("lead", "tracking", "lead-1", "perhaps")[0] == 2
