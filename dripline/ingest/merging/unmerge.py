"""Taking a merge back by its log: both leads are again what they were, and nothing is said that was not."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from dripline.engine.topics import CHANNELS
from dripline.ingest.merging.agreement import log_agreement
from dripline.ingest.merging.merge import Times, differences
from dripline.ingest.merging.owners import set_apart
from dripline.ingest.merging.parting import Parted, Together, parted
from dripline.ingest.merging.rules import RULES
from dripline.ingest.recording import record
from dripline.ingest.refusal import Refused, erased_lead
from dripline.ingest.scoring.following import score_again
from dripline.store.audit import record_act
from dripline.store.customers import read_customer
from dripline.store.events import Event, in_order
from dripline.store.leads import IDENTIFYING, change_lead, claim, identity_of, lock_leads, owners
from dripline.store.merges import later_merge, load_merge, mark_undone, move_back, point_to
from dripline.store.runs import note
from dripline.store.schema import consents, events, runs
from dripline.store.touches import first_and_last

_TIMES = ("created_at", "paused_until", "rescore_at", "stage_at", "owner_at")


@dataclass(frozen=True)
class Unmerged:
    """What became of it. `kept` names what was changed since, or is not free any more, and stays as it is."""

    id: str
    lead_id: str
    other_id: str
    kept: tuple[str, ...]


def unmerge(
    connection: Connection, merge_id: str, times: Times, *, by: str | None = None, why: str | None = None
) -> Unmerged:
    """Take a merge back, in the caller's transaction.

    Each gets back the runs, messages, discounts and events that it had; what happened since stays. A run that ended
    stays ended. Raises Refused: unknown (404), taken back already, another to be taken back first (409), erased (410).
    """
    merge, winner, loser = _open(connection, merge_id)
    detail = merge.detail
    at = max(in_order(connection, one, times.house) for one in (winner.id, loser.id))
    now = dict(winner._mapping)
    together = Together(
        read(detail["winner"]),
        read(detail["loser"]),
        read(detail["made"]),
        now,
        _refused_since(connection, merge),
    )
    halves = parted(together)
    point_to(connection, loser.id, None)
    moved = _still_free(detail["moved"], halves)
    move_back(connection, winner.id, loser.id, moved)
    _let_in_again(connection, detail["held_out"])
    mine, theirs = dict(halves.winner), dict(halves.loser)
    gone = _claim_again(connection, loser.id, theirs, at)
    touched = any(now[name] != together.made[name] for name in ("first_touch", "last_touch"))
    for side, lead_id in ((mine, winner.id), (theirs, loser.id)):
        side.update(first_and_last(connection, lead_id) if touched else {})
        side["customer"] = read_customer(connection, lead_id)  # it may have been written since
        change_lead(connection, lead_id, side, at)
    was_with = {now["owner"], together.made["owner"]}
    set_apart(connection, detail.get("hands", {}), {**mine, "id": winner.id}, loser.id, was_with)
    proof = {"merge": merge.id, "undone": True}
    log_agreement(connection, winner.id, now, mine, at, proof)
    log_agreement(connection, loser.id, together.loser, theirs, at, proof)
    mark_undone(connection, merge.id, at, by)
    record_act(
        connection, "unmerge-leads", by, why, times.machine, merge=merge.id, lead=winner.id, other=loser.id
    )
    for lead_id in (winner.id, loser.id):  # what of their points is theirs again
        score_again(connection, lead_id, at, "merge")
    changed = differences(now, mine)
    if changed:
        event = Event(f"{merge.id}.undone", winner.id, "lead.updated", {"changed": list(changed)}, at)
        record(connection, event, times.machine)
    return Unmerged(merge.id, winner.id, loser.id, tuple(sorted({*halves.kept, *gone} - {"customer"})))


def _open(connection: Connection, merge_id: str) -> tuple[Row[Any], Row[Any], Row[Any]]:
    """The merge and its two leads, locked, if it may be taken back now. Raises Refused."""
    merge = load_merge(connection, merge_id)
    if merge is None:
        raise Refused(404, "unknown-merge", "There is no merge of that id.")
    rows = lock_leads(connection, {merge.winner_id, merge.loser_id})
    winner, loser = rows[merge.winner_id], rows[merge.loser_id]
    merge = load_merge(connection, merge_id)
    assert merge is not None  # merges are never deleted
    if winner.erased_at is not None or loser.erased_at is not None:
        raise erased_lead()
    if merge.undone_at is not None:
        raise Refused(409, "undone-already", "This merge was taken back before; nothing was changed.")
    later = later_merge(connection, merge)
    if later is not None:
        raise Refused(
            409,
            "undo-later-first",
            f"The lead was merged again since. Take back {later.id} first; nothing was changed.",
        )
    return merge, winner, loser


def read(kept: Mapping[str, Any]) -> dict[str, Any]:
    """The columns as the log keeps them, times as times; an old log lacks what is newer."""
    times = {name: datetime.fromisoformat(kept[name]) for name in _TIMES if kept.get(name)}
    return {**dict.fromkeys(RULES), **kept, **times}


def _refused_since(connection: Connection, merge: Row[Any]) -> Collection[tuple[str, str | None]]:
    """What the one lead said no to since, even where that changed nothing."""
    query = select(consents.c.channel, consents.c.topic).where(
        consents.c.lead_id == merge.winner_id,
        consents.c.state == "denied",
        consents.c.source != "merge",
        consents.c.at > merge.at,
        consents.c.id.not_in(merge.detail["moved"]["consents"] or [-1]),
    )
    logged = {
        (channel, row.topic)
        for row in connection.execute(query)
        for channel in ([row.channel] if row.channel else CHANNELS)
    }
    left = select(events.c.properties).where(
        events.c.lead_id == merge.winner_id,
        events.c.name == "lead.unsubscribed",
        events.c.received_at > merge.at,
        events.c.historical.is_(False),
    )
    heard = (row.properties for row in connection.execute(left))
    return logged | {(said["channel"], said.get("topic")) for said in heard if said.get("channel")}


def _still_free(moved: Mapping[str, Any], halves: Parted) -> dict[str, Any]:
    """What goes back: not an address that the one lead has made its own since."""
    own = [identity_of(kind, halves.winner[kind]) for kind in IDENTIFYING if halves.winner[kind]]
    theirs = {(one.kind, one.value) for one in own}
    return {**moved, "identities": [one for one in moved["identities"] if tuple(one) not in theirs]}


def _claim_again(connection: Connection, lead_id: str, columns: dict[str, Any], at: datetime) -> set[str]:
    """Empty the columns whose identities are somebody else's by now; their names."""
    gone = set()
    for kind in IDENTIFYING:
        if not columns[kind]:
            continue
        one = identity_of(kind, columns[kind])
        if owners(connection, [one]).get(one) != lead_id and not claim(connection, lead_id, [one], at):
            columns[kind] = None
            gone.add(kind)
    return gone


def _let_in_again(connection: Connection, held_out: Mapping[str, int]) -> None:
    """Runs that are of the control group by the merge alone leave it, if they have not taken a turn in it."""
    for run_id, turn in held_out.items():
        still = runs.c.id == run_id, runs.c.turn == turn, runs.c.ended_at.is_(None)
        row = connection.execute(
            update(runs).where(*still).values(holdout=False).returning(runs.c.last_at, runs.c.step)
        ).one_or_none()
        if row is not None:
            note(connection, run_id, turn, row.last_at, row.step, "held-in", {})
