"""Answers to a survey that a journey of the repository asked, by every way that they come, on both databases."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection, select

from activities.sweep import Patience, Sweeper
from dripline.clock import HouseClock, machine_clock
from dripline.ingest.inbound import Came
from dripline.ingest.incoming import EventIn
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused
from dripline.ingest.service import Ingest
from dripline.language.plan import Duration, Plan
from dripline.language.retention import Retention
from dripline.language.workspace import Workspace
from dripline.privacy.erasing import Eraser
from dripline.privacy.retaining import Keeper
from dripline.reports.surveys import read_results, read_totals
from dripline.settings import Settings
from dripline.store import schema
from dripline.store.database import Store
from dripline.store.events import Event
from dripline.store.house import set_clock
from dripline.store.leads import add_lead, change_lead
from dripline.store.rules import make_known
from dripline.web.app import create_app
from tests.durable.house import NOW, House
from tests.web.test_links import PROJECT, title

SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For tests in which the database is not the point."""
ASKED = NOW + timedelta(days=14)
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}
SCANNER = {"User-Agent": "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))"}


class Asking:
    """A house that has asked its lead, an hour ago."""

    def __init__(self, store: Store, nps: Plan = PROJECT.plans["nps"], **lead: Any) -> None:
        self.house, self.store = House(store, nps, PROJECT.plans["bring-a-friend"]), store
        assert PROJECT.workspace is not None
        self.workspace: Workspace = PROJECT.workspace
        make_known(store, self.workspace)
        if lead:
            with store.write() as connection:
                change_lead(connection, "lead-1", lead, NOW)
        self.goes_to(NOW)
        [self.run] = self.house.happens("onboarding.finished")
        self.house.advance(self.run, NOW)
        self.goes_to(ASKED)
        for due in self.house.advance(self.run, ASKED).deliver:
            self.house.deliveries.attempt(due.message)
        [self.message] = [row for row in self.house.messages() if row.skipped_at is None]
        app = create_app(Settings(_env_file=None), store, self.workspace, machine=self.house.clock)
        self.client = TestClient(app, raise_server_exceptions=False)
        self.ingest = Ingest(store, self.workspace, machine=self.house.clock)
        self.goes_to(ASKED + timedelta(hours=1))

    def goes_to(self, moment: datetime) -> None:
        self.house.clock.offset = moment - machine_clock()

    def waits(self, **length: float) -> None:
        self.house.clock.offset += timedelta(**length)

    @property
    def links(self) -> list[str]:
        """Where the answers from 0 to 10 are."""
        return re.findall(r'href="http://127\.0\.0\.1:8080(/l/[^"]+)"', self.message.html)[:11]

    def clicks(self, answer: int, headers: dict[str, str] = BROWSER) -> None:
        """What the page's script says of itself."""
        said = {"do": "pick", "q-answer": str(answer)}
        assert self.client.post(self.links[answer], data=said, headers=headers).status_code == 204

    def sweeps(self) -> None:
        Sweeper(self.store, {}, Patience(), self.house.clock).sweep()

    def goes_on(self) -> str | None:
        """How the run ends, if it does."""
        self.house.advance(self.run, self.house.clock())
        reason: str | None = self.house.run(self.run).outcome_reason
        return reason

    def row(self) -> Any:
        with self.store.read() as connection:
            return connection.execute(select(schema.survey_asks)).one()

    def told(self) -> list[dict[str, Any]]:
        names = ("survey.answered", "survey.commented")
        query = select(schema.events).where(schema.events.c.name.in_(names)).order_by(schema.events.c.seq)
        with self.store.read() as connection:
            return [row.properties for row in connection.execute(query)]


@pytest.fixture
def asking(store: Store) -> Asking:
    return Asking(store)


def test_to_look_changes_nothing_and_one_click_answers_a_little_later(asking: Asking) -> None:
    assert len(set(asking.links)) == 11
    page = asking.client.get(asking.links[9])
    assert 'value="9" required checked' in page.text
    asking.clicks(9)
    asking.sweeps()
    assert asking.told() == [], "perhaps another click comes, or words"
    asking.waits(minutes=3)
    asking.sweeps()
    said = {
        "survey": "recommend",
        "kind": "nps",
        "answer": "9",
        "score": 9,
        "group": "promoter",
        "via": "email",
    }
    assert asking.told() == [said | {"message": asking.message.id}]
    assert asking.goes_on() == "promoter"
    assert (asking.row().score, asking.row().picks) == (9, None)
    asking.clicks(2)
    asking.waits(minutes=3)
    asking.sweeps()
    assert asking.row().score == 9, "the first answer counts"


def test_a_scanner_that_opens_every_link_says_nothing(asking: Asking) -> None:
    for answer in range(11):
        asking.clicks(answer)
    asking.clicks(3, SCANNER)
    asking.waits(minutes=3)
    asking.sweeps()
    assert asking.told() == []
    assert asking.goes_on() is None


@SQLITE
def test_where_only_the_button_answers_no_click_does(store: Store) -> None:
    nps = PROJECT.plans["nps"].model_dump()
    nps["surveys"]["recommend"]["confirm"] = True
    asking = Asking(store, Plan.model_validate(nps))
    page = asking.client.get(asking.links[9]).text
    assert 'value="9" required checked' in page
    assert "data-pick" not in page, "its script tells nothing"
    asking.clicks(9)
    asking.waits(minutes=3)
    asking.sweeps()
    assert (asking.told(), asking.row().picks) == ([], None)
    asking.client.post(asking.links[9], data={"do": "send", "q-answer": "9"})
    assert [one["via"] for one in asking.told()] == ["page"]


def test_the_pages_button_answers_at_once_with_words_and_only_once(asking: Asking) -> None:
    asking.clicks(9)
    said = {"do": "send", "q-answer": "3", "comment": "  It took <too> long  "}
    page = asking.client.post(asking.links[9], data=said)
    assert title(page) == "Thank you!"
    [told] = asking.told()
    assert (told["answer"], told["group"], told["via"]) == ("3", "detractor", "page")
    assert told["comment"] == "It took <too> long"
    asking.client.post(asking.links[9], data=said | {"q-answer": "10", "comment": "another"})
    asking.waits(minutes=3)
    asking.sweeps()
    assert len(asking.told()) == 1
    assert asking.goes_on() == "detractor"


def test_words_may_follow_a_click(asking: Asking) -> None:
    asking.clicks(10)
    asking.waits(minutes=3)
    asking.sweeps()
    assert "<textarea" in asking.client.get(asking.links[10]).text
    asking.client.post(asking.links[10], data={"do": "send", "comment": "Saves us hours"})
    assert [one.get("comment") for one in asking.told()] == [None, "Saves us hours"]
    assert asking.row().comment == "Saves us hours"
    assert "<textarea" not in asking.client.get(asking.links[10]).text


@SQLITE
def test_words_that_were_kept_for_long_enough_are_not_asked_for_again(store: Store) -> None:
    asking = Asking(store)
    asking.client.post(asking.links[9], data={"do": "send", "q-answer": "9", "comment": "Saves us hours"})
    eraser = Eraser(store, machine=asking.house.clock)
    asking.waits(days=3)
    keep = asking.workspace.model_copy(update={"retention": Retention(comments=Duration(days=2))})
    assert Keeper(store, keep, eraser, asking.house.clock).carry_out() == {"comments": 1}
    assert asking.row().comment == ""
    assert "<textarea" not in asking.client.get(asking.links[9]).text, "more words would be lost"


def test_nothing_chosen_is_asked_again_and_no_answer(asking: Asking) -> None:
    page = asking.client.post(asking.links[9], data={"do": "send", "comment": "hm"})
    assert "Please choose" in page.text
    assert ">hm</textarea>" in page.text
    assert asking.told() == []


def test_a_reply_by_sms_answers_what_was_asked_by_sms(store: Store) -> None:
    asking = Asking(store, consent={"sms": True})
    with store.write() as connection:
        row = {"kind": "phone", "value": "+37491123456", "lead_id": "lead-1", "created_at": NOW}
        connection.execute(schema.identities.insert().values(row))
    assert asking.message.channel == "sms"
    for number, text in enumerate(("Who is this?", "8 all fine", "2")):
        asking.ingest.take_in(Came(f"sms-{number}", "sms", "+37491123456", text, "reply"))
    [told] = asking.told()
    assert (told["answer"], told["via"], told["comment"]) == ("8", "sms", "all fine")
    assert asking.goes_on() == "passive"


@SQLITE
def test_a_reply_by_sms_after_the_survey_has_closed_answers_nothing(store: Store) -> None:
    asking = Asking(store, consent={"sms": True})
    with store.write() as connection:
        row = {"kind": "phone", "value": "+37491123456", "lead_id": "lead-1", "created_at": NOW}
        connection.execute(schema.identities.insert().values(row))
    asking.goes_to(ASKED + timedelta(days=15))
    asking.ingest.take_in(Came("sms-1", "sms", "+37491123456", "8", "reply"))
    assert asking.told() == []


@SQLITE
def test_what_a_message_asked_is_answered_by_its_own_lead_and_once(asking: Asking) -> None:
    said = {"survey": "recommend", "kind": "nps", "message": asking.message.id}
    with asking.store.write() as connection:
        add_lead(connection, "lead-2", {}, NOW)
        for number, (lead, score) in enumerate((("lead-2", 1), ("lead-1", 7), ("lead-1", 10))):
            more = {"answer": str(score), "score": score}
            event = Event(f"e{number}", lead, "survey.answered", {**said, **more}, asking.house.clock())
            record(connection, event, asking.house.clock())
            assert asking_score(connection) == (None, 7, 7)[number]


def asking_score(connection: Connection) -> float | None:
    score: float | None = connection.execute(select(schema.survey_asks.c.score)).scalar_one()
    return score


@SQLITE
def test_however_fast_the_house_lives_a_scanner_has_its_ten_seconds_to_be_known_by(asking: Asking) -> None:
    now = asking.house.clock()
    with asking.store.write() as connection:
        set_clock(connection, HouseClock(now, now, 100.0))
    asking.clicks(9)
    asking.waits(seconds=4)
    asking.sweeps()
    assert asking.told() == []
    asking.waits(seconds=7)
    asking.sweeps()
    assert [one["answer"] for one in asking.told()] == ["9"]


def test_other_systems_answer_by_an_event_that_is_held_against_the_survey(asking: Asking) -> None:
    with pytest.raises(Refused, match="invalid"):
        answer(asking, answer="12")
    answer(asking, answer="7", comment="on the phone")
    [told] = asking.told()
    assert (told["message"], told["group"], told["via"]) == (asking.message.id, "passive", "api")
    assert asking.goes_on() == "passive"


def test_whom_nobody_asked_may_answer_too_and_is_counted_apart(asking: Asking) -> None:
    answer(asking, survey="experience", answer=5)
    with asking.store.read() as connection:
        found = read_results(connection, "experience", "csat")
        assert (found.total.asked, found.total.answered, found.total.score) == (0, 1, 100.0)
        asked = read_results(connection, "recommend", "nps")
        assert asked.total.asked == 1
        assert [one.total for one in read_totals(connection)] == [found.total, asked.total]


def answer(asking: Asking, **properties: Any) -> None:
    said = {"survey": "recommend", **properties}
    asking.ingest.record_event(EventIn(name="survey.answered", lead="lead-1", properties=said))


def test_an_answer_that_comes_too_late_is_kept_and_moves_nobody(asking: Asking) -> None:
    asking.goes_to(ASKED + timedelta(days=15))
    assert asking.goes_on() == "no answer"
    asking.client.post(asking.links[9], data={"do": "send", "q-answer": "9"})
    assert asking.row().score == 9


@pytest.mark.parametrize(
    "said",
    [
        {"survey": "nobody-declared-it", "kind": "nps", "answer": "Ani, +374 91 12 34 56"},
        {"survey": "nobody-declared-it", "kind": "nps", "answer": "9" * 900},
        {"survey": "recommend", "message": "no-message-of-ours", "kind": "nps", "answer": "9" * 900},
    ],
)
def test_what_answers_no_survey_is_an_event_and_is_counted_nowhere(
    asking: Asking, said: dict[str, Any]
) -> None:
    answer(asking, **said)
    with asking.store.read() as connection:
        found = connection.execute(select(schema.survey_asks.c.id)).scalars().all()
    assert found == [asking.message.id]
    assert asking.row().answered_at is None
    answer(asking, message=asking.message.id, kind="nps", answer="Ani, +374 91 12 34 56", score=10)
    assert asking.row().answered_at is None
