"""What must hold of `orders` in a workspace, beyond its form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from dripline.language.positions import Document, Loc
from dripline.language.problems import Problem, did_you_mean

if TYPE_CHECKING:
    from dripline.language.workspace import Workspace

_Told = Iterator[tuple[Loc, str, str, str]]
"""Place within `orders`, code, message and hint."""


def check_orders(workspace: Workspace, document: Document) -> list[Problem]:
    """The events of orders and refunds are declared, and have the properties that are read."""
    return [
        Problem(document.path, *document.key_place(("orders", *place)), code, "error", message, hint)
        for place, code, message, hint in _wrong(workspace)
    ]


def _wrong(workspace: Workspace) -> _Told:
    orders = workspace.orders
    if orders is None:
        return
    said = orders.model_fields_set
    read = {name: getattr(orders, name) for name in ("id", "total", "currency", "items")}
    needed = {name: field for name, field in read.items() if name in ("id", "total") or name in said}
    yield from _unknown(workspace, (), orders.event, needed)
    if orders.refund is not None:
        back = {"id": orders.refund.id, "total": orders.refund.total}
        known = {name: field for name, field in back.items() if field is not None}
        yield from _unknown(workspace, ("refund",), orders.refund.event, known)


def _unknown(workspace: Workspace, place: Loc, event: str, fields: dict[str, str]) -> _Told:
    """A property that is read without being said (`event.total`) is asked for where the event stands."""
    if event not in workspace.events:
        hint = did_you_mean(event, workspace.events) or "declare it under `events`"
        yield (*place, "event"), "unknown-event", f"no event `{event}` is declared", hint
        return
    properties = workspace.events[event]
    for name, field in fields.items():
        known = field.removeprefix("event.")
        if known not in properties:
            hint = did_you_mean(known, properties) or f"declare it under `events`, or say `{name}: event.…`"
            yield (*place, name), "unknown-property", f"`{event}` has no `{known}`", hint
