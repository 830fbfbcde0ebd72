"""What is known of a lead by what it bought: `lead.rfm.r`, `lead.rfm.last`."""

from __future__ import annotations

from collections.abc import Mapping

from dripline.language.fields import FieldType

RFM: Mapping[str, FieldType] = {
    "r": "integer",
    "f": "integer",
    "m": "integer",
    "cell": "text",
    "orders": "integer",
    "spent": "number",
    "last": "date",
}
"""What `lead.rfm` says, with the types; all of it is Empty where the lead bought nothing."""
