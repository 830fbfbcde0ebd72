"""The picture as PNG, for where an SVG cannot go."""

from __future__ import annotations

SCALE = 2.0
"""Pixels of the PNG to a pixel of the SVG: sharp on paper."""

_TEXT = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><text x="2" y="15">{}</text></svg>'


class NoFonts(Exception):
    """There is no font on this machine, so that all texts would be left out."""


def to_png(svg: str) -> bytes:
    """The picture, on white. Raises NoFonts."""
    import resvg_py

    if resvg_py.svg_to_bytes(_TEXT.format("Dripline")) == resvg_py.svg_to_bytes(_TEXT.format("")):
        raise NoFonts
    return resvg_py.svg_to_bytes(svg, background="#ffffff", zoom=SCALE)
