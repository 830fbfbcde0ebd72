"""What people have to do with a lead, as its page shows it: tasks, who had it, its stages, the customer's card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from dripline.language.stages import still_empty
from dripline.language.workspace import Workspace
from dripline.store.assignments import assignments_of
from dripline.store.customers import customer_of
from dripline.store.stages import stage_history
from dripline.store.tasks import list_tasks, tasks_over
from dripline.story.hands import say_way

_MOST = 100
"""Tasks of a lead that are shown at most, of those that are open and of those that are over."""


@dataclass(frozen=True)
class CustomerCard:
    """What is known of a customer, what is not, and how it became one."""

    converted_at: datetime
    order: str | None
    owner: str | None
    fields: Mapping[str, Any]
    """Those of the workspace file, in its order, with what they say; then what else is known."""
    empty: Sequence[str]
    path: Sequence[tuple[datetime, str]]
    """Oldest first."""


@dataclass(frozen=True)
class LookedAfter:
    """A lead in the hands of people. Tasks that are due first, and owners and stages that came last, come first."""

    tasks: Sequence[Row[Any]]
    over: Sequence[Row[Any]]
    owners: Sequence[Row[Any]]
    stages: Sequence[Row[Any]]
    customer: CustomerCard | None


def looked_after(connection: Connection, lead_id: str, workspace: Workspace) -> LookedAfter:
    """What people have had, and still have, to do with the lead."""
    return LookedAfter(
        list_tasks(connection, lead_id=lead_id, limit=_MOST),
        tasks_over(connection, lead_id, _MOST),
        assignments_of(connection, lead_id)[::-1],
        stage_history(connection, lead_id)[::-1],
        _customer(connection, lead_id, workspace),
    )


def _customer(connection: Connection, lead_id: str, workspace: Workspace) -> CustomerCard | None:
    row = customer_of(connection, lead_id)
    if row is None:
        return None
    wanted = workspace.cards.customer if workspace.cards else ()
    empty = still_empty(wanted, row.card)
    filled = [name for name in dict.fromkeys([*wanted, *row.card]) if name not in empty]
    path = [(datetime.fromisoformat(one["at"]), say_way(one)) for one in row.path]
    fields = {name: row.card[name] for name in filled}
    return CustomerCard(row.converted_at, row.order_id, row.owner, fields, empty, path)
