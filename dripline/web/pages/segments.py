"""Segments: how many are in each, which they share, who they are; and everybody who bought, in cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from dripline.drawing.overlap import draw_overlap
from dripline.ingest.membership.counting import count_cells, kept_overlap
from dripline.ingest.refusal import Refused
from dripline.language.membership import compile_segments
from dripline.language.spoken import in_language
from dripline.store.segments import known_segments, list_members
from dripline.web.pages.frame import Frame

PAGE = 50
"""Leads that one page lists."""
NARROW = 6
"""Columns that a telephone shows without scrolling sideways."""
DRAWN = 12
"""Segments that the picture shows: the largest."""


@dataclass(frozen=True)
class Shown:
    """A segment as its page and the list show it."""

    id: str
    title: str
    leads: int | None
    """None: not everybody was looked at yet."""
    by_the_clock: bool


def add_segments(router: APIRouter, frame: Frame) -> None:
    """Add `/segments` and `/segments/NAME`."""
    rules = compile_segments(frame.workspace)

    def shown(name: str, sizes: dict[str, int], known: frozenset[str]) -> Shown:
        one = frame.workspace.segments[name]
        title = in_language(one.title, frame.workspace.locales) if one.title else name
        return Shown(name, title, sizes[name] if name in known else None, name in rules.by_the_clock)

    @router.get("/segments")
    def segments() -> HTMLResponse:
        """Every segment, and which of them leads are in together."""
        names = list(frame.workspace.segments)
        with frame.store.read() as connection:
            found, cells = kept_overlap(connection, names), count_cells(connection)
            known = known_segments(connection, rules.digests)
        sizes = found.sizes
        rows = [shown(name, sizes, known) for name in names]
        drawn = sorted((row.id for row in rows if sizes[row.id]), key=lambda name: -sizes[name])[:DRAWN]
        picture, narrow = None, False
        if drawn:
            some = kept_of(found.together, frozenset(drawn))
            narrow = len(some) <= NARROW
            titles = {row.id: row.title for row in rows}
            picture = draw_overlap({name: sizes[name] for name in drawn}, some, titles, alone=False)
        return frame.page(
            "segments.html",
            here="segments",
            shown=rows,
            everybody=found.leads,
            picture=Markup(picture) if picture else None,  # noqa: S704 - escaped where it is drawn
            narrow=narrow,
            cells=_cells(cells),
            ranked=sum(cells.values()),
        )

    @router.get("/segments/{segment}")
    def one_segment(
        segment: Annotated[str, Path(max_length=128)],
        page: Annotated[int, Query(ge=1, le=10_000)] = 1,
    ) -> HTMLResponse:
        """Who is in a segment, those first who entered last."""
        if segment not in frame.workspace.segments:
            raise Refused(404, "unknown-segment", "There is no segment of that name.")
        with frame.store.read() as connection:
            sizes = kept_overlap(connection, [segment]).sizes
            known = known_segments(connection, rules.digests)
            members = list_members(connection, segment, PAGE, (page - 1) * PAGE)
        one = shown(segment, sizes, known)
        more = page * PAGE < sizes[segment]
        return frame.page("segment.html", here="segments", one=one, members=members, number=page, more=more)


def kept_of(together: Any, names: frozenset[str]) -> dict[frozenset[str], int]:
    """The sets of leads by these segments alone."""
    found: dict[frozenset[str], int] = {}
    for inside, number in together.items():
        if inside & names:
            found[inside & names] = found.get(inside & names, 0) + number
    return found


def _cells(cells: dict[tuple[int, int], int]) -> list[tuple[int, list[tuple[int, int, int]]]]:
    """By recency, the best first: each fifth by frequency, how many are there, and how dark that is (0 to 5)."""
    most = max(cells.values(), default=0)

    def cell(r: int, f: int) -> tuple[int, int, int]:
        number = cells.get((r, f), 0)
        return f, number, -(-5 * number // most) if most else 0

    return [(r, [cell(r, f) for f in range(1, 6)]) for r in range(5, 0, -1)]
