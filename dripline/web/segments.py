"""The part of the API that tells of segments: which there are, who is in them, what they share."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from dripline.clock import MachineClock
from dripline.ingest.audience import BadAudience, find_audience
from dripline.ingest.membership.counting import count_cells, overlap
from dripline.ingest.refusal import FieldError, Refused, invalid
from dripline.language.membership import compile_segments
from dripline.language.spoken import in_language
from dripline.language.workspace import Workspace
from dripline.store.database import Store
from dripline.store.house import open_house
from dripline.store.segments import count_members, known_segments
from dripline.web.described import documented
from dripline.web.needing import needs
from dripline.web.shapes import Answer
from dripline.web.strict_json import StrictRoute

LOOKED_AT = 20_000
"""Leads that one preview looks at."""
_Audience = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]


class SegmentOut(Answer):
    """A segment."""

    segment: str = Field(examples=["regulars"])
    title: str = Field(examples=["Regulars"])
    leads: int | None = Field(
        description="How many are in it by what is kept; null: not everybody was looked at yet.",
        examples=[1204],
    )


class SegmentsOut(Answer):
    """The segments of the workspace."""

    segments: list[SegmentOut]


class MembersOut(Answer):
    """Leads of a segment, in the order of their ids."""

    leads: list[str] = Field(
        description="Dripline's ids.", examples=[["01976b9a-7d1e-7c3f-9f5e-0c2a4f1b6d7e"]]
    )
    next: str | None = Field(description="For `after`; null: there are no more.", examples=[None])


class PreviewIn(BaseModel):
    """What is to be counted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"audiences": ["regulars", "lead.stage == 'lost'"]}]},
    )

    audiences: list[_Audience] = Field(
        min_length=1, max_length=12, description="Names of segments, or conditions over `lead`."
    )


class SetOut(Answer):
    """Leads that are in just these of the audiences."""

    audiences: list[str] = Field(examples=[["regulars"]])
    leads: int = Field(examples=[1180])


class PreviewOut(Answer):
    """How many leads are in the audiences now, and in which of them together."""

    leads: int = Field(description="All leads that there are.", examples=[18250])
    looked_at: int = Field(
        description=f"How many of them were looked at: {LOOKED_AT:,} at most, the first ones.",
        examples=[18250],
    )
    sizes: dict[str, int] = Field(examples=[{"regulars": 1204, "lead.stage == 'lost'": 310}])
    together: list[SetOut] = Field(description="The largest first; who is in none of them is left out.")


class CellOut(Answer):
    """Leads of one fifth by recency and one by frequency."""

    r: int = Field(description="1 to 5; 5 bought most lately.", examples=[5])
    f: int = Field(description="1 to 5; 5 bought most often.", examples=[4])
    leads: int = Field(examples=[87])


class RfmOut(Answer):
    """How many leads are in each cell, as they were ranked last."""

    cells: list[CellOut]


def build_segments(store: Store, workspace: Workspace, machine: MachineClock) -> APIRouter:
    """The router, under /v1 as well."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, responses=documented(422), tags=["segments"])
    rules = compile_segments(workspace)

    def now() -> datetime:
        with store.read() as connection:
            return open_house(connection).clock.to_house(machine())

    @router.get(
        "/segments",
        dependencies=[needs("leads:read")],
        response_description="The segments",
        summary="The segments of the workspace",
    )
    def list_them() -> SegmentsOut:
        """How many are in each, by what is kept: what leads do counts at once, what time does within an hour."""
        with store.read() as connection:
            counts, known = count_members(connection), known_segments(connection, rules.digests)
        return SegmentsOut(
            segments=[
                SegmentOut(
                    segment=name,
                    title=in_language(one.title, workspace.locales) if one.title else name,
                    leads=counts.get(name, 0) if name in known else None,
                )
                for name, one in workspace.segments.items()
            ]
        )

    @router.get(
        "/segments/{segment}/leads",
        dependencies=[needs("leads:read")],
        responses=documented(404),
        response_description="A page of them",
        summary="Who is in a segment now",
    )
    def leads(
        segment: Annotated[str, Path(max_length=128)],
        after: Annotated[str | None, Query(max_length=64, description="`next` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> MembersOut:
        """Looked up anew, as things are now, whatever is kept."""
        if segment not in workspace.segments:
            raise Refused(404, "unknown-segment", "There is no segment of that name.")
        at = now()
        with store.read() as connection:
            found = find_audience(connection, workspace, segment, after, limit, at)
        return MembersOut(leads=found, next=found[-1] if len(found) == limit else None)

    @router.post(
        "/segments/preview",
        dependencies=[needs("leads:read")],
        responses=documented(415),
        response_description="The counts",
        summary="Count audiences, and what they share",
    )
    def preview(said: PreviewIn) -> PreviewOut:
        """Changes nothing. An audience is a segment's name or a condition over `lead`."""
        at = now()
        try:
            with store.read() as connection:
                found = overlap(connection, workspace, said.audiences, LOOKED_AT, now=at)
        except BadAudience as problem:
            raise invalid([FieldError("audiences", f"{problem}")]) from None
        sets = sorted(found.together.items(), key=lambda one: (-one[1], sorted(one[0])))
        return PreviewOut(
            leads=found.leads,
            looked_at=found.looked_at,
            sizes=found.sizes,
            together=[SetOut(audiences=sorted(names), leads=number) for names, number in sets],
        )

    @router.get(
        "/rfm",
        dependencies=[needs("leads:read")],
        response_description="The cells",
        summary="How many leads are in each fifth by what they bought",
    )
    def rfm() -> RfmOut:
        """Everybody who bought is ranked once a day."""
        with store.read() as connection:
            cells = count_cells(connection)
        return RfmOut(cells=[CellOut(r=r, f=f, leads=number) for (r, f), number in sorted(cells.items())])

    return router


__all__ = ["build_segments"]
