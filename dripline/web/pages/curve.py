"""How a score went, as SVG: a line through what was kept of it, over the thresholds. Colours are the page's own."""

from __future__ import annotations

from datetime import datetime, tzinfo
from html import escape

from dripline.ingest.scoring.explaining import Explained

_WIDTH, _HEIGHT = 720, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 64, 10, 26


def curve(explained: Explained, now: datetime, where: tzinfo) -> str:
    """The score from its first change until now; nothing where it has changed less than twice."""
    history = explained.history
    if len(history) < 2:
        return ""
    start, end = history[0].at, max(now, history[-1].at)
    scores = [one.score for one in history]
    low, high = min(0.0, *scores), max(explained.hot * 1.15, *scores)

    def x(at: datetime) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * ((at - start) / (end - start) if end > start else 1.0)

    def y(score: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - (score - low) / (high - low))

    line = " ".join(f"{x(one.at):.1f},{y(one.score):.1f}" for one in history)
    line += f" {x(end):.1f},{y(explained.score):.1f}"
    parts = [
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(_said(explained))}" class="curve">'
    ]
    for name, threshold in (("warm", explained.warm), ("hot", explained.hot)):
        at = y(threshold)
        parts.append(
            f'<line class="{name}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        )
        parts.append(f'<text x="{_WIDTH - _RIGHT + 6}" y="{at + 4:.1f}">{name} {threshold:g}</text>')
    parts.append(
        f'<line class="ground" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(0):.1f}" y2="{y(0):.1f}"/>'
    )
    parts.append(f'<text x="{_LEFT - 8}" y="{y(0) + 4:.1f}" text-anchor="end">0</text>')
    parts.append(f'<polyline points="{line}"/>')
    for one in history:
        if one.why != "age":
            told = f"{one.at.astimezone(where):%Y-%m-%d %H:%M}, {one.why}: {one.score:g}"
            place = f'cx="{x(one.at):.1f}" cy="{y(one.score):.1f}"'
            parts.append(f'<circle {place} r="3"><title>{escape(told)}</title></circle>')
    for day, anchor in ((start, "start"), (end, "end")):
        place = f'x="{x(day):.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}"'
        parts.append(f"<text {place}>{day.astimezone(where):%Y-%m-%d}</text>")
    return "".join([*parts, "</svg>"])


def _said(explained: Explained) -> str:
    return f"The score went to {explained.score:g}; warm from {explained.warm:g}, hot from {explained.hot:g}"


__all__ = ["curve"]
