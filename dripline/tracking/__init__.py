"""Which messages were opened and which links followed: what is put into a message, and who really came."""

from __future__ import annotations

from dripline.tracking.marking import Marks, unmarked
from dripline.tracking.tokens import CLICK_PATH, OPEN_PATH, Tokens

__all__ = ["CLICK_PATH", "OPEN_PATH", "Marks", "Tokens", "unmarked"]
