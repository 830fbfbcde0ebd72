"""Who looks after a lead that two have become, what they have to do for it, and the way back.

The one lead has one owner: the other's assignment ends as `merged`, and the open tasks that the other owner has for
it go along. All under the locks of both leads.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.ingest.merging.rules import Side
from dripline.language.stages import CUSTOMER, LOST
from dripline.store import assignments, tasks

Kept = dict[str, Any]
"""What undoing needs of it, as the log keeps it."""


def bring_together(
    connection: Connection,
    winner: Side,
    loser: Side,
    made: Mapping[str, Any],
    ended: Mapping[str, str],
    at: datetime,
) -> Kept:
    """Leave one owner, and no task twice; before anything of the loser's has moved.

    `ended` are runs that ended by the merge, each with the one that goes on in its place.
    """
    mine, theirs = (assignments.open_assignments(connection, one["id"]) for one in (winner, loser))
    stays = _stays([*mine, *theirs], winner, loser, made)
    let_go = [row.id for row in (*mine, *theirs) if row.id != stays]
    assignments.end_these(connection, let_go, at, "merged")
    passed = _pass_on(connection, winner, loser)
    twice = tasks.set_twice(connection, (winner["id"], loser["id"]), ended)
    for task in twice:
        tasks.cancel_task(connection, task, at)
    return {"let_go": let_go, "had": [row.id for row in theirs], "passed": passed, "twice": twice}


def _stays(rows: list[Row[Any]], winner: Side, loser: Side, made: Mapping[str, Any]) -> int | None:
    """The assignment that goes on: of whoever is the owner, rather one that they have reacted to."""
    if made["stage"] in (CUSTOMER, LOST):
        return None
    of = winner["id"] if winner["owner"] or not loser["owner"] else loser["id"]
    possible = [row for row in rows if row.person == made["owner"] or row.lead_id == of]
    best = max(
        possible,
        key=lambda row: (row.person == made["owner"], row.reacted_at is not None, row.lead_id == of, row.id),
        default=None,
    )
    return best.id if best is not None else None


def _pass_on(connection: Connection, winner: Side, loser: Side) -> dict[str, str]:
    before, after = loser["owner"], winner["owner"]
    if not before or not after or before == after:
        return {}
    return dict.fromkeys(tasks.pass_on(connection, loser["id"], before, after), before)


def set_apart(
    connection: Connection, kept: Kept, winner: Mapping[str, Any], loser_id: str, was_with: set[str | None]
) -> None:
    """Give both their owners and tasks again, after everything has moved back.

    The other lead is as it was. What has been done since with the one that goes on (`winner`, its columns from now
    on) stays; so does a task that is done, or that somebody else has than who had the lead (`was_with`).
    """
    assignments.open_again(connection, kept.get("had", []))
    if winner["stage"] not in (CUSTOMER, LOST) and not assignments.open_assignments(connection, winner["id"]):
        mine = [one for one in kept.get("let_go", []) if one not in kept["had"]]
        assignments.open_again(connection, mine[-1:])
    for task, person in kept.get("passed", {}).items():
        tasks.give_back(connection, task, loser_id, person, was_with)
    tasks.want_again(connection, kept.get("twice", []))
