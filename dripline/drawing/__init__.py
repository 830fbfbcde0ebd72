"""A plan as a picture: pure, from a compiled plan to the text of an SVG or a Mermaid flowchart."""

from __future__ import annotations

from dripline.drawing.faces import Count
from dripline.drawing.mermaid import flowchart
from dripline.drawing.svg import draw

__all__ = ["Count", "draw", "flowchart"]
