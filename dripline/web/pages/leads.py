"""A lead, and its whole story, told by the lead's own clock."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from dripline.engine.calendar import zone_of
from dripline.engine.recommending import spoken
from dripline.ingest.living import living
from dripline.ingest.scoring.explaining import explain_score, say_rule
from dripline.ingest.shelf import recommended
from dripline.language.completeness import LACKING, doubts
from dripline.language.recommending import choose
from dripline.language.scoring import say_seconds
from dripline.language.spoken import in_language
from dripline.store.interests import interests_in
from dripline.store.overview import house_clock
from dripline.store.products import by_ids
from dripline.story import tell
from dripline.story.agreement import say_proof, tell_consent
from dripline.story.products import say_why
from dripline.web import saying
from dripline.web.allowing import allows
from dripline.web.pages.curve import curve
from dripline.web.pages.frame import Frame
from dripline.web.pages.looked_after import looked_after

_MOST_INTERESTS = 12


def add_leads(router: APIRouter, frame: Frame) -> None:
    """Add `/leads/ID`."""

    @router.get("/leads/{lead}", dependencies=[allows("read-leads")])
    def one_lead(lead: Annotated[str, Path(max_length=128)]) -> HTMLResponse:
        """A lead and its whole story."""
        clock = house_clock(frame.store)
        with frame.store.read() as connection:
            row = living(connection, lead)
            where = zone_of(row.timezone, row.country, frame.zone.key)
            story = tell(connection, row, clock, where)
            agreed = tell_consent(connection, row.id)
            now = frame.now()
            explained = explain_score(connection, row, now)
            hands = looked_after(connection, row.id, frame.workspace)
            wanted = interests_in(connection, row.id)[:_MOST_INTERESTS]
            known = by_ids(connection, {one.product_id for one in wanted})
            picks = choose(
                spoken(recommended(connection, row.id, frame.now()), None, frame.workspace.locales[0])
            )
        return frame.page(
            "lead.html",
            where=where,
            lead=row,
            story=story,
            agreed=agreed,
            hands=hands,
            now=now,
            scored=explained,
            curve=curve(explained, now, where) if explained else "",
            cools_on=f"{explained.cools_at.astimezone(where):%Y-%m-%d}"
            if explained and explained.cools_at
            else "",
            say_rule=say_rule,
            say_seconds=say_seconds,
            wanted=wanted,
            titles={id_: in_language(one.title, frame.workspace.locales) for id_, one in known.items()},
            called=frame.called,
            picks=picks,
            say_why=say_why,
            say_proof=say_proof,
            lacking=LACKING,
            doubts=doubts(story.lead),
            told_in=where.key,
            by_day=saying.by_day(story.entries, where),
            hour_of=lambda at: at.astimezone(where).strftime("%H:%M:%S" if at.second else "%H:%M"),
        )
