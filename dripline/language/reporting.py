"""`reports` of the workspace file: how reports count where nobody says it."""

from __future__ import annotations

from pydantic import Field

from dripline.language.load import Written
from dripline.language.plan import Duration
from dripline.language.retention import Kept


class ReportRules(Written):
    """How reports count, unless whoever asks says otherwise."""

    touches: Kept = Field(
        Duration(days=90),
        description="How long before an order what the lead came by may have led to it; without it, 90 days.",
    )
    messages: Kept = Field(
        Duration(days=7),
        description="How long before an order a message of yours may have led to it; without it, 7 days.",
    )
    lift: float = Field(
        20,
        ge=1,
        le=1_000,
        description="The lift, in percent, that is worth knowing; without it, 20.",
    )
