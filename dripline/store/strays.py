"""What the tracking API was told and the workspace has no place for: names, reasons and counts, never values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, func, select

from dripline.store.database import insert_into
from dripline.store.schema import strays

Kind = Literal["event", "property", "trait"]
MOST = 1_000
"""Names that are kept at most: a caller who makes them up must not fill the store."""

_MAX_NAME, _MAX_WHY = 128, 256
_ADDRESS = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_DIGITS = re.compile(r"[0-9]{5,}")


@dataclass(frozen=True, order=True)
class Stray:
    """A name that has no place. `event` is whose property it is, as the workspace calls it."""

    kind: Kind
    event: str
    name: str
    why: str


def masked(name: str) -> str:
    """A name that may be kept: without what looks like an address or a number of somebody."""
    return _DIGITS.sub("#", _ADDRESS.sub("…@…", name[:1_000]))[:_MAX_NAME]


def note_strays(connection: Connection, seen: Mapping[Stray, int], machine_now: datetime) -> None:
    """Count them. Of new names, only as many are kept as there is room for."""
    if not seen:
        return
    room = MOST - connection.execute(select(func.count()).select_from(strays)).scalar_one()
    for one in sorted(seen):  # in one order, so that two writers never wait for each other in a circle
        key = {"kind": one.kind, "event": one.event[:_MAX_NAME], "name": masked(one.name)}
        if room <= 0 and not _is_known(connection, key):
            continue
        row = {**key, "why": one.why[:_MAX_WHY], "times": seen[one]}
        statement = insert_into(connection, strays).values(**row, first_at=machine_now, last_at=machine_now)
        said = statement.excluded
        more = statement.on_conflict_do_update(
            index_elements=["kind", "event", "name"],
            set_={"times": strays.c.times + said.times, "why": said.why, "last_at": said.last_at},
        )
        connection.execute(more)
        room -= 1


def list_strays(connection: Connection, since: datetime | None = None) -> list[Row[Any]]:
    """What came (since then), the most frequent first."""
    query = select(strays).order_by(strays.c.times.desc(), strays.c.kind, strays.c.event, strays.c.name)
    return list(connection.execute(query if since is None else query.where(strays.c.last_at >= since)))


def forget_strays(connection: Connection) -> int:
    """Begin to count anew; how many names there were."""
    return connection.execute(delete(strays)).rowcount


def _is_known(connection: Connection, key: Mapping[str, str]) -> bool:
    same = [strays.c[name] == value for name, value in key.items()]
    return connection.execute(select(strays.c.name).where(*same)).one_or_none() is not None
