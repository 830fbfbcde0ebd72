"""What an experiment shows, in plain words."""

from __future__ import annotations

from dripline.engine.statistics.verdicts import Judged

UNEVEN = (
    "the arms are not as large as the lot would have made them, so something else divides the leads too;"
    " find out what before you believe the figures."
)


def say_verdict(judged: Judged, control: str) -> str:
    """The verdict on an arm beside the one of that name."""
    low, high = 100 * judged.between.low, 100 * judged.between.high
    if judged.kind == "not-enough":
        return f"not enough data yet, {_how_long(judged)}"
    if judged.kind == "no-difference":
        return f"no difference was found; if there is one, it is between {low:+.1f} and {high:+.1f} points"
    points = abs(100 * judged.difference)
    fewer, sides = ("more", (low, high)) if judged.kind == "better" else ("fewer", (-high, -low))
    return (
        f"{judged.kind} than {control}: {points:.1f} points {fewer},"
        f" between {sides[0]:.1f} and {sides[1]:.1f} (95%)"
    )


def _how_long(judged: Judged) -> str:
    if judged.days is None:
        return "and nobody comes any more"
    if judged.days == 0:
        return "too few have converted so far"
    if judged.days > 730:
        return "at this pace not within two years: test something bolder, or where more leads come by"
    return f"about {judged.days:,} more {'day' if judged.days == 1 else 'days'}"
