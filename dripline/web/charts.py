"""Small pictures beside figures, as SVG: bars, and intervals with the place of nothing."""

from __future__ import annotations

from collections.abc import Sequence

_WIDE = 200


def bar(value: float, most: float) -> str:
    """A bar as long as the value is of the most; nothing for nothing."""
    length = _WIDE * value / most if most > 0 and value > 0 else 0.0
    return f'{_head("bar")}<rect x="0" y="0" width="{length:.1f}" height="8" rx="1"/></svg>'


def interval(low: float, value: float, high: float, bounds: tuple[float, float]) -> str:
    """From low to high with the value in it, on a scale with these bounds, and a line where nothing is."""

    def x(at: float) -> float:
        least, most = bounds
        share = (at - least) / (most - least) if most > least else 0.5
        return 4 + (_WIDE - 8) * min(max(share, 0.0), 1.0)

    sure = "sure" if low > 0 or high < 0 else "open"
    return (
        f'{_head("interval")}<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="0" y2="16" class="nothing"/>'
        f'<line x1="{x(low):.1f}" x2="{x(high):.1f}" y1="8" y2="8" class="{sure}"/>'
        f'<circle cx="{x(value):.1f}" cy="8" r="3.5" class="{sure}"/></svg>'
    )


def bounds_of(intervals: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """A scale that holds them all, and nothing."""
    least = min([0.0, *(low for low, _ in intervals)])
    return least * 1.05, max([0.0, *(high for _, high in intervals)]) * 1.05


def _head(kind: str) -> str:
    height, ratio = (8, ' preserveAspectRatio="none"') if kind == "bar" else (16, "")
    return f'<svg viewBox="0 0 {_WIDE} {height}" class="{kind}" aria-hidden="true"{ratio}>'
