"""Which events not everybody may tell: those of Dripline's own, and those of which something hangs."""

from __future__ import annotations

from dripline.language.referrals import REFERRAL_EVENTS
from dripline.language.surveys.answers import COMMENTED
from dripline.language.workspace import Workspace

OURS = frozenset(
    {
        "lead.created",
        "lead.updated",
        "lead.confirmed",
        "lead.resubscribed",
        "lead.paused",
        "lead.merged",
        "lead.stage_changed",
        "lead.converted",
        "lead.lost",
        "lead.assigned",
        "lead.warmed",
        "lead.cooled",
        "task.done",
        "task.overdue",
        "discount.redeemed",
        "discount.expired",
        "product.price_dropped",
        "product.back_in_stock",
        "product.due",
        "segment.entered",
        "segment.left",
        COMMENTED,
        *REFERRAL_EVENTS,
    }
)
"""Events that follow from what Dripline did or reckoned by itself: nobody else can know of them.

The other built-in events may be known elsewhere, too: what becomes of messages, a reply, an answer, a form of yours.
"""


def of_servers(workspace: Workspace) -> frozenset[str]:
    """The events that make orders, customers and rewards, or show that a colleague has reacted.

    Nobody's browser is believed about them.
    """
    orders = workspace.orders.heard if workspace.orders is not None else frozenset()
    programs = (entry.told_by for entry in workspace.referrals.values() if entry.told_by is not None)
    reactions = (team.reactions for team in workspace.teams.values())
    return orders.union(*(told_by.event for told_by in programs), *reactions)


__all__ = ["OURS", "of_servers"]
