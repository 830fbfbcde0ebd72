"""`dripline lead tracking`: whether it may be kept what a lead opens and clicks."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from dripline.cli.asking import WHO
from dripline.cli.opening import opened


class Wish(StrEnum):
    """What a lead wants."""

    YES = "yes"
    NO = "no"
    UNSAID = "unsaid"


_MEANS = {Wish.YES: True, Wish.NO: False, Wish.UNSAID: None}
_SAID = {
    Wish.YES: "What it opens and clicks is kept, as far as dripline.yaml says.",
    Wish.NO: "What it opens and clicks is not kept, not even of messages that have left.",
    Wish.UNSAID: "dripline.yaml decides whether what it opens and clicks is kept.",
}


def set_tracking(
    lead: Annotated[str, typer.Argument(help=WHO)],
    wish: Annotated[Wish, typer.Argument(help="What the lead wants; `unsaid`: dripline.yaml decides.")],
) -> None:
    """Say whether it may be kept what a lead opens and clicks."""
    from dripline.ingest.incoming import LeadIn
    from dripline.ingest.service import Ingest

    with opened(to_change=True) as house:
        with house.store.read() as connection:
            found = house.lead(connection, lead).id
        Ingest(house.store, house.workspace).upsert_lead(LeadIn(id=found, tracking=_MEANS[wish]))
    typer.echo(_SAID[wish])


__all__ = ["set_tracking"]
