"""From a plan's template and what a run knows to a message that can be sent."""

from __future__ import annotations

from dripline.rendering.message import Rendered, RenderError, render

__all__ = ["RenderError", "Rendered", "render"]
