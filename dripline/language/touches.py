"""What is known of where a lead came from: `lead.first_touch.source`, `lead.last_touch.campaign`."""

from __future__ import annotations

from collections.abc import Mapping

from dripline.language.fields import FieldType

TOUCHES = ("first_touch", "last_touch")
"""The touches that a lead shows: the earliest and the latest."""

TOUCH: Mapping[str, FieldType] = {
    "at": "datetime",
    "source": "text",
    "medium": "text",
    "campaign": "text",
    "term": "text",
    "content": "text",
    "channel": "text",
    "cost": "number",
    "currency": "text",
    "page": "text",
    "referrer": "text",
}
"""What a touch may say, with the types; each is Empty where it was not said."""
