"""Which segments leads are in together, as a picture: a column for each set of them, a row for each segment.

After Lex and others, "UpSet: Visualization of Intersecting Sets" (2014): circles cannot show more than three.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as ET

from dripline.drawing.svg import BOTH, FONT
from dripline.drawing.text import shorten, width

MOST = 16
"""Columns that are drawn: the largest."""
_SIZE = 13.0
_ROW, _COLUMN, _HIGH, _BARS, _PAD = 28.0, 34.0, 130.0, 110.0, 12.0
_LETTERS = 26
_MARK, _FAINT = "#0b8a8a", "0.18"


def draw_overlap(
    sizes: Mapping[str, int],
    together: Mapping[frozenset[str], int],
    titles: Mapping[str, str] | None = None,
    *,
    alone: bool = True,
) -> str:
    """The picture as SVG: how many leads are in each segment, and in just which of them together.

    `alone`: as a file of its own, which follows the reader's light or dark; else as a part of a page.
    """
    names = sorted(sizes, key=lambda name: (-sizes[name], name))
    said = {name: shorten((titles or {}).get(name) or name, _LETTERS) for name in names}
    columns = sorted(together.items(), key=lambda one: (-one[1], sorted(one[0])))[:MOST]
    words = max((width(text, _SIZE) for text in said.values()), default=0.0)
    left = _PAD + words + _PAD + _BARS + _PAD
    wide, tall = left + len(columns) * _COLUMN + _PAD, _PAD + _HIGH + _ROW + len(names) * _ROW + _PAD
    svg = _begin(wide, tall, describe(sizes, together, said), alone)
    for number, name in enumerate(names):
        y = _PAD + _HIGH + _ROW + number * _ROW
        _row(svg, said[name], sizes[name], max(sizes.values()), (_PAD + words, y))
    for number, (inside, count) in enumerate(columns):
        _column(svg, names, inside, count, columns[0][1], left + number * _COLUMN + _COLUMN / 2)
    ET.indent(svg, " ")
    return ET.tostring(svg, encoding="unicode") + "\n"


def describe(
    sizes: Mapping[str, int], together: Mapping[frozenset[str], int], titles: Mapping[str, str]
) -> str:
    """What the picture shows, in a row, for those who do not see it."""
    each = "; ".join(f"{titles.get(name, name)}: {number:,}" for name, number in sizes.items())
    most = sorted(together.items(), key=lambda one: -one[1])[:MOST]
    both = "; ".join(
        f"{' and '.join(sorted(titles.get(name, name) for name in names))}: {number:,}"
        for names, number in most
    )
    return f"Leads in each segment: {each}. In just these and no other: {both}."


def _begin(wide: float, tall: float, said: str, alone: bool) -> ET.Element:
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {wide:g} {tall:g}",
            "width": f"{wide:g}",
            "height": f"{tall:g}",
            "role": "img",
            "aria-label": "Segments and their overlap",
            "font-family": FONT,
            "font-size": f"{_SIZE:g}",
            "fill": "currentColor",
        },
    )
    ET.SubElement(svg, "desc").text = said
    if alone:
        ET.SubElement(svg, "style").text = BOTH
    return svg


def _row(svg: ET.Element, name: str, size: int, largest: int, at: tuple[float, float]) -> None:
    """A segment: its name, and a bar as long as it is large."""
    x, y = at
    _text(svg, x, y + _ROW / 2, name, "end")
    long = (_BARS - 46) * size / (largest or 1)
    _bar(svg, x + _PAD, y + 7, long, _ROW - 14)
    _text(svg, x + _PAD + long + 5, y + _ROW / 2, f"{size:,}", "start")


def _column(
    svg: ET.Element, names: Sequence[str], inside: frozenset[str], count: int, largest: int, x: float
) -> None:
    """A set of segments: a bar for the leads that are in just these, and a dot at each."""
    base = _PAD + _HIGH
    high = max(1.0, (_HIGH - 20) * count / (largest or 1))
    _bar(svg, x - 9, base - high, 18, high)
    _text(svg, x, base - high - 9, f"{count:,}", "middle")
    rows = {name: base + _ROW + number * _ROW + _ROW / 2 for number, name in enumerate(names)}
    ys = [rows[name] for name in names if name in inside]
    if len(ys) > 1:
        place = {"x1": f"{x:g}", "x2": f"{x:g}", "y1": f"{min(ys):g}", "y2": f"{max(ys):g}"}
        ET.SubElement(svg, "line", {**place, "stroke": _MARK, "stroke-width": "2.5"})
    for name, y in rows.items():
        dot = {"cx": f"{x:g}", "cy": f"{y:g}", "r": "6"}
        ET.SubElement(svg, "circle", {**dot, **({"fill": _MARK} if name in inside else {"opacity": _FAINT})})


def _bar(svg: ET.Element, x: float, y: float, wide: float, high: float) -> None:
    place = {"x": f"{x:g}", "y": f"{y:g}", "width": f"{max(wide, 1):g}", "height": f"{high:g}"}
    ET.SubElement(svg, "rect", {**place, "rx": "2", "fill": _MARK})


def _text(svg: ET.Element, x: float, y: float, text: str, anchor: str) -> None:
    place = {"x": f"{x:g}", "y": f"{y + _SIZE / 3:g}", "text-anchor": anchor}
    ET.SubElement(svg, "text", place).text = text


__all__ = ["MOST", "describe", "draw_overlap"]
