"""`dripline segment …`: who is in which segment, how many, and in which of them together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from dripline.cli.asking import refuse
from dripline.cli.opening import Opened, opened
from dripline.cli.showing import Format, add, count, new_table, print_json, print_table, write_out

if TYPE_CHECKING:
    from dripline.ingest.membership.counting import Overlap

_FORMAT = Annotated[Format, typer.Option("--format", help="A text for people, or JSON.")]
_AUDIENCE = Annotated[
    list[str] | None,
    typer.Argument(help="Names of segments, or conditions over `lead`; without any, all segments."),
]


def register(app: typer.Typer) -> None:
    """Add `dripline segment`."""
    segment = typer.Typer(no_args_is_help=True, help="Segments: who is in them, and what they share.")
    segment.command("list")(list_them)
    segment.command("leads")(list_leads)
    segment.command("preview")(preview)
    segment.command("rfm")(rfm)
    segment.command("compute")(compute)
    app.add_typer(segment, name="segment")


def list_them(form: _FORMAT = Format.text) -> None:
    """Show the segments of the workspace, and how many are in them by what is kept."""
    from dripline.language.membership import compile_segments
    from dripline.language.spoken import in_language
    from dripline.store.segments import count_members, known_segments

    with opened() as house:
        workspace = house.workspace
        rules = compile_segments(workspace)
        with house.store.read() as connection:
            counts, known = count_members(connection), known_segments(connection, rules.digests)
    told = [
        {
            "segment": name,
            "title": in_language(one.title, workspace.locales) if one.title else name,
            "leads": counts.get(name, 0) if name in known else None,
            "told_by": "time, too" if name in rules.by_the_clock else "what leads do",
        }
        for name, one in workspace.segments.items()
    ]
    if form is Format.json:
        print_json(told)
        return
    table = new_table("segment", "title", "leads", "changes by")
    for row in told:
        leads = "not counted yet" if row["leads"] is None else f"{row['leads']:,}"
        add(table, str(row["segment"]), str(row["title"]), leads, str(row["told_by"]))
    print_table(table, "The workspace has no segments: declare them under `segments` in dripline.yaml.")


def list_leads(
    audience: Annotated[str, typer.Argument(help="The name of a segment, or a condition over `lead`.")],
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")] = 100,
    after: Annotated[str | None, typer.Option(help="Go on after this lead's id.")] = None,
    form: _FORMAT = Format.text,
) -> None:
    """List the leads of a segment, or those for whom a condition holds, as they are now."""
    from dripline.ingest.audience import BadAudience, find_audience
    from dripline.store.leads import load_lead

    with opened() as house, house.store.read() as connection:
        try:
            ids = find_audience(connection, house.workspace, audience, after, limit)
        except BadAudience as problem:
            refuse(f"{problem}.")
        if form is Format.json:
            print_json({"leads": ids, "after": ids[-1] if len(ids) == limit else None})
            return
        table = new_table("lead", "e-mail", "phone", "stage", "score")
        for row in (load_lead(connection, one) for one in ids):
            add(table, row.id, row.email or "", row.phone or "", row.stage or "", f"{row.score:g}")
    print_table(table, "Nobody.")
    if len(ids) == limit:
        typer.echo(f"There may be more: add --after {ids[-1]}, or a larger --limit.")


def preview(
    audiences: _AUDIENCE = None,
    svg: Annotated[Path | None, typer.Option(help="Write the overlap as a picture, too.")] = None,
    form: _FORMAT = Format.text,
) -> None:
    """Count segments or conditions as they are now, and how many leads are in which of them together."""
    from dripline.drawing.overlap import draw_overlap

    with opened() as house:
        wanted = audiences or list(house.workspace.segments)
        if not wanted:
            refuse("There are no segments: declare them in dripline.yaml, or name a condition.")
        found = _count(house, wanted)
    if svg is not None:
        write_out(svg, draw_overlap(found.sizes, found.together))
    if form is Format.json:
        print_json(_as_json(found))
        return
    sizes = found.sizes
    table = new_table("segment", "leads", "share", *(f"in {name} too" for name in found.names))
    for name in found.names:
        shared = [f"{found.shared(name, other):,}" if other != name else "·" for other in found.names]
        share = f"{100 * sizes[name] / found.leads:.1f}%" if found.leads else ""
        add(table, name, f"{sizes[name]:,}", share, *shared)
    print_table(table, "")
    typer.echo(
        f"Of {count(found.leads, 'lead')}, {count(sum(found.together.values()), 'lead')} in one or more."
    )


def rfm(form: _FORMAT = Format.text) -> None:
    """Show how many leads are in each fifth by how lately and how often they bought, as ranked last."""
    from dripline.ingest.membership.counting import count_cells

    with opened() as house, house.store.read() as connection:
        cells = count_cells(connection)
    if form is Format.json:
        print_json([{"r": r, "f": f, "leads": number} for (r, f), number in sorted(cells.items())])
        return
    table = new_table("bought", *(f"f {f}" for f in range(1, 6)))
    for r in range(5, 0, -1):
        add(table, f"r {r}", *(f"{cells.get((r, f), 0):,}" for f in range(1, 6)))
    if not cells:
        typer.echo(
            "Nobody is ranked yet: it is done once a day, where `orders` says which event is an order."
        )
        return
    print_table(table, "")
    typer.echo(f"{count(sum(cells.values()), 'lead')} ranked; r 5 bought most lately, f 5 most often.")


def compute() -> None:
    """Look at everybody now, where that is due: segments that are new need not wait for many sweeps.

    It tells journeys what a sweep would tell them; stopped half-way, the sweeps go on.
    """
    from dripline.ingest.membership.counting import count_leads
    from dripline.ingest.membership.keeping import SegmentKeeper
    from dripline.store.rules import are_known
    from dripline.store.segments import count_members

    with opened(to_change=True) as house:
        if not are_known(house.store, house.workspace):
            refuse("What dripline.yaml says is not in force yet: run `dripline publish`, or start it again.")
        keeper = SegmentKeeper(house.store, budget=2.0)
        with Progress(console=Console(stderr=True), transient=True) as bar:
            bar.add_task("Looking at leads", total=None)
            keeper.keep()
            while not keeper.is_done():
                keeper.keep()
        with house.store.read() as connection:
            counts, leads = count_members(connection), count_leads(connection)
    for name in house.workspace.segments:
        typer.echo(f"{name}: {count(counts.get(name, 0), 'lead')}")
    typer.echo(f"Of {count(leads, 'lead')} in all.")


def _count(house: Opened, wanted: list[str]) -> Overlap:
    from dripline.ingest.audience import BadAudience
    from dripline.ingest.membership.counting import count_leads, overlap

    with house.store.read() as connection, Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Looking at leads", total=count_leads(connection))
        try:
            return overlap(connection, house.workspace, wanted, seen=lambda number: bar.advance(task, number))
        except BadAudience as problem:
            refuse(f"{problem}.")


def _as_json(found: Overlap) -> dict[str, Any]:
    sets = sorted(found.together.items(), key=lambda one: (-one[1], sorted(one[0])))
    return {
        "leads": found.leads,
        "sizes": found.sizes,
        "together": [{"segments": sorted(names), "leads": number} for names, number in sets],
    }
