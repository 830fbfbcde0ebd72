"""What the store kept of a lead's runs, as the timeline that a simulated life tells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from dripline.composing import MessageContent
from dripline.language.links import STANDS_FOR, stand_in
from dripline.links import EXAMPLE, PATH, Links
from dripline.simulate.outside import worth
from dripline.simulate.timeline import Entry, Fate, Letter
from dripline.store import discounts, schema

_LINK = re.compile(re.escape(STANDS_FOR + PATH) + r"([\w.-]+)")
_FATES: Mapping[str, Fate] = {
    "accepted": "sent",
    "delivered": "sent",
    "skipped": "skipped",
    "held": "held",
}


class Retelling:
    """Reads on, time after time, from where it stopped. What a run changed about the lead is told as it is now."""

    def __init__(self, secret: str) -> None:
        """`secret` is the house's, by which its messages' links can be read."""
        self._links = Links(secret)
        self._notes: list[Entry | str] = []
        """A message stands by its id until all is over: then its fate is known."""
        self._told: set[str] = set()
        self._last = 0

    def read_on(self, connection: Connection, lead: Mapping[str, Any]) -> None:
        """Take in what the runs noted since."""
        query = (
            select(schema.step_log, schema.runs.c.journey)
            .join(schema.runs, schema.runs.c.id == schema.step_log.c.run_id)
            .where(schema.step_log.c.id > self._last)
            .order_by(schema.step_log.c.id)
        )
        for row in connection.execute(query).all():
            self._last = row.id
            self._notes += self._of(connection, row, lead)

    def timeline(self, connection: Connection) -> list[Entry]:
        """Everything that happened, in order."""
        found = [
            (one.at, 1, number, one)
            for number, one in enumerate(self._entry(connection, note) for note in self._notes)
        ]
        events = connection.execute(select(schema.events).order_by(schema.events.c.seq)).all()
        found += [
            (row.received_at, 0, number, Entry(row.received_at, "event", row.name, detail=row.properties))
            for number, row in enumerate(events)
        ]
        return [entry for _, _, _, entry in sorted(found, key=lambda one: one[:3])]

    def _of(self, connection: Connection, row: Row[Any], lead: Mapping[str, Any]) -> Iterator[Entry | str]:
        message = row.detail.get("message")
        if row.what in ("queued", "skipped", "notifies") and message and message not in self._told:
            self._told.add(message)
            yield message
        deed = self._deed(connection, row, lead)
        if deed is not None:
            yield Entry(row.at, "deed", deed[0], row.journey, row.run_id, row.step, deed[1])
        yield Entry(row.at, "step", row.what, row.journey, row.run_id, row.step, row.detail)

    def _deed(
        self, connection: Connection, row: Row[Any], lead: Mapping[str, Any]
    ) -> tuple[str, Mapping[str, Any]] | None:
        detail = row.detail
        match row.what:
            case "issued":
                said = _newly_issued(connection, row)
                return ("discount", {**said, "name": worth(said)}) if said else None
            case "updated" if detail["changed"]:
                values = {name: lead.get(name) for name in detail["changed"]}
                if "score" in values:
                    values["score"] = _given(connection, row, values["score"])
                return "update", {"name": ", ".join(detail["changed"]), **values}
            case "assigned" | "not-assigned" if "how" in detail:
                return "assign", {"name": detail["person"] or "nobody", "how": detail["how"]}
            case "task":
                return "task", {"name": detail["title"], "person": detail.get("person") or "nobody"}
            case "enrolled":
                return "enroll", {"name": detail["journey"], "reason": detail.get("reason") or ""}
            case "unenrolled":
                return "unenroll", {"name": detail["journey"]}
            case _:
                return None

    def _entry(self, connection: Connection, note: Entry | str) -> Entry:
        if isinstance(note, Entry):
            return note
        row = connection.execute(select(schema.messages).where(schema.messages.c.id == note)).one()
        letter = _letter(row, self._read_links)
        return Entry(letter.at, "message", row.channel, row.journey, row.run_id, row.step, letter=letter)

    def _read_links(self, text: str) -> str:
        """The text with links that say what they stand for, as a simulated life writes them; forged ones stay."""

        def said(found: re.Match[str]) -> str:
            claim = self._links.read(found[1])
            return stand_in(claim.link) if claim else found[0]

        return _LINK.sub(said, text.replace(f"{STANDS_FOR}{PATH}{EXAMPLE}", STANDS_FOR))


def _given(connection: Connection, row: Row[Any], score: Any) -> Any:
    """The points that the step has added, where leads are scored; else the score."""
    table = schema.score_points
    query = select(table.c.points).where(
        table.c.rule == f"journey:{row.journey}"[:128], table.c.at == row.at, table.c.resets.is_not(True)
    )
    added = connection.execute(query.order_by(table.c.id.desc())).scalars().first()
    return score if added is None else added


def _newly_issued(connection: Connection, row: Row[Any]) -> dict[str, Any] | None:
    """The discount of a note, unless it was issued before and only told again."""
    table = schema.discounts
    found = connection.execute(
        select(table).where(
            table.c.run_id == row.run_id, table.c.step == row.step, table.c.issued_at == row.at
        )
    ).one_or_none()
    return discounts.said(found) if found else None


def _letter(row: Row[Any], read_links: Callable[[str], str]) -> Letter:
    content = None
    if row.body is not None:
        body = read_links(row.body)
        content = MessageContent(row.locale, row.sender, row.sender_name, row.subject, row.html, body)
    return Letter(
        id=row.id,
        run=row.run_id,
        journey=row.journey,
        step=row.step,
        channel=row.channel,
        template=row.template,
        topic=row.topic,
        transactional=row.transactional,
        context=row.context,
        at=row.queued_at,
        to=row.addressee if row.notice else None,
        expires_at=row.expires_at,
        fate=_FATES.get(row.state, "queued"),
        reason=row.reason,
        content=content,
    )


__all__ = ["Retelling"]
