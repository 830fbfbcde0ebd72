"""The notice that tells a lead's owner on the day that the lead has named."""

from __future__ import annotations

from dripline.language import plan
from dripline.language.notices import OWNER


def day_notice_id(step_id: str) -> str:
    """The id of the notice that belongs to a `remind`."""
    return f"{step_id}/owner"


def day_notice(step_id: str, following: str | None) -> plan.NotifyStep:
    """The step that tells the owner."""
    id_ = day_notice_id(step_id)
    return plan.NotifyStep(id=id_, to=OWNER, template=f"#{id_}", next=following)


def day_text(about: str) -> str:
    """What the owner is told. `about` is the author's and may hold anything."""
    plain = about.replace("{", "(").replace("}", ")")
    who = "{{ lead.email | default(lead.phone | default(lead.id)) }}"
    return f"Today is the day that {who} has named: {plain}"
