"""`dripline survey …` over a store."""

from __future__ import annotations

import json

from sqlalchemy import insert

from dripline.store import schema
from dripline.store.database import Store
from tests.cli.conftest import Opened, run
from tests.durable.house import NOW


def test_answers_are_recorded_listed_and_reckoned(open_house: Opened, store: Store) -> None:
    open_house()
    with store.write() as connection:
        for number, score in enumerate((9, 10, 3)):
            connection.execute(
                insert(schema.survey_asks).values(
                    id=str(number), survey="recommend", kind="nps", lead_id="lead-1", asked_at=NOW,
                    answered_at=NOW, answer=str(score), score=score, comment="slow" if score == 3 else None,
                )
            )  # fmt: skip
    status, said = run("survey", "results", "recommend", "--by", "month")
    assert status == 0, said
    assert "Net Promoter Score 33.3" in said
    assert "2 promoters, 0 passives, 1 detractor" in said
    assert "2026-01" in said
    status, said = run("survey", "answers", "recommend", "--commented", "--format", "json")
    assert [one["answer"] for one in json.loads(said)] == ["3"]
    assert "recommend" in run("survey", "list")[1]


def test_what_there_is_not_is_said(open_house: Opened) -> None:
    open_house()
    status, said = run("survey", "results", "recomend")
    assert (status, "There is no survey recomend" in said) == (1, True)
    status, said = run("survey", "results", "recommend", "--by", "shoe")
    assert (status, "--by is one of month" in said) == (1, True)
