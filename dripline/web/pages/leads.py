"""A lead, and its whole story."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from dripline.ingest.refusal import erased_lead, unknown_lead
from dripline.store.leads import read_lead
from dripline.store.overview import house_clock
from dripline.story import tell
from dripline.web import saying
from dripline.web.pages.frame import Frame


def add_leads(router: APIRouter, frame: Frame) -> None:
    """Add `/leads/ID`."""

    @router.get("/leads/{lead}")
    def one_lead(lead: Annotated[str, Path(max_length=128)]) -> HTMLResponse:
        """A lead and its whole story."""
        clock = house_clock(frame.store)
        with frame.store.read() as connection:
            row = read_lead(connection, lead)
            if row is None:
                raise unknown_lead()
            if row.erased_at is not None:
                raise erased_lead()
            story = tell(connection, row, clock, frame.zone)
        return frame.page(
            "lead.html",
            lead=row,
            story=story,
            by_day=saying.by_day(story.entries, frame.zone),
            hour_of=lambda at: at.astimezone(frame.zone).strftime("%H:%M:%S" if at.second else "%H:%M"),
        )
