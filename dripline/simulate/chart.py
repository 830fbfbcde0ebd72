"""A chart as SVG: columns over time, stacked. Colours are the page's own, so it is read by day and by night."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 960, 260
_BOTTOM, _TOP = 28, 12
_LEFT = 56
"""At least; longer numbers need more."""
_DIGIT = 8
_BROAD = 96
_LABEL = 76  # how wide a day is written
COLOURS = ("#1f9e9b", "#e8a33d", "#5b7fd1", "#c9597a", "#7aa35a", "#8d6cc2", "#7f8c8a", "#b5763c")
"""Told apart by those, too, who do not see all colours: they differ in lightness."""


def columns(labels: Sequence[str], series: Mapping[str, Sequence[int]], title: str) -> str:
    """One column a label, the series on top of one another; a line for the eye every quarter of the height."""
    heights = [sum(values[place] for values in series.values()) for place in range(len(labels))]
    most = _round_up(max(heights, default=0))
    left = max(_LEFT, 12 + _DIGIT * len(f"{most:,}"))
    step = (_WIDTH - left) / max(len(labels), 1)
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}" class="chart">',
        *_grid(most, left),
        *_labels(labels, step, left),
    ]
    for place, label in enumerate(labels):
        below = 0
        for number, (name, values) in enumerate(series.items()):
            value = values[place]
            if value:
                colour = COLOURS[number % len(COLOURS)]
                x, width = left + place * step, min(max(step * 0.84, 0.5), _BROAD)
                parts.append(_bar(x, width, below, value, most, colour, f"{label}, {name}"))
            below += value
    return "".join([*parts, "</svg>"])


def _bar(x: float, width: float, below: int, value: int, most: int, colour: str, said: str) -> str:
    top, height = _y(below + value, most), _y(below, most) - _y(below + value, most)
    return (
        f'<rect x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{colour}">'
        f"<title>{escape(said)}: {value:,}</title></rect>"
    )


def _grid(most: int, left: int) -> list[str]:
    found = []
    for quarter in range(5):
        value = most * quarter // 4
        y = _y(value, most)
        found.append(f'<line x1="{left}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        found.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{value:,}</text>')
    return found


def _labels(labels: Sequence[str], step: float, left: int) -> list[str]:
    every = max(1, -(-len(labels) // 9))
    return [
        f'<text x="{left + place * step:.1f}" y="{_HEIGHT - 8}">{escape(labels[place])}</text>'
        for place in range(0, len(labels), every)
        if (len(labels) - place) * step > _LABEL or place == 0
    ]


def _y(value: int, most: int) -> float:
    return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - value / most)


def _round_up(value: int) -> int:
    """The next number that reads well, and so does its quarter: 4, 8, 12, 20, 40, 60, 80, 100, 120, 160, 200, …"""
    power = 1
    while True:
        for quarter in (1, 2, 3, 5) if power == 1 else (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8):
            if quarter * power * 4 >= value:
                return int(quarter * power * 4)
        power *= 10
