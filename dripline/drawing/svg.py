"""The picture itself: an SVG that needs nothing but itself, readable in print, on light and on dark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree import ElementTree as ET

from dripline.drawing.faces import Count, Face
from dripline.drawing.icons import COLOURS, PATHS
from dripline.drawing.layout import (
    BESIDE,
    BOX,
    DETAIL,
    DETAIL_LINE,
    DOWN,
    GAP,
    ICON,
    LABEL,
    PAD,
    TITLE,
    TITLE_LINE,
    Box,
    Label,
    Layout,
    Line,
    Piece,
    Point,
    boxed,
)
from dripline.drawing.text import BOLD, clean, width
from dripline.language.durations import say_duration
from dripline.language.labels import say_events, say_reentry, say_step, say_trigger
from dripline.language.plan import Plan, StopStep

MARGIN = 16.0
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Noto Sans Armenian', 'DejaVu Sans', sans-serif"
BOTH = "@media screen{:root{color-scheme:light dark;color:CanvasText;background:Canvas}}"


def draw(plan: Plan, counts: Mapping[str, Count] | None = None, *, alone: bool = True) -> str:
    """The plan as SVG. With `counts`, by step, each step says how many stand there and how many went on.

    `alone`: as a file of its own, which follows the reader's light or dark; else as a part of a page, with the
    text's colour.
    """
    body = Layout(plan, counts).whole(_beginning(plan))
    legend = _legend(plan, body.left + body.right)
    tall = 2 * MARGIN + body.height + (legend.height + DOWN if legend.items else 0)
    wide = 2 * MARGIN + max(body.left + body.right, legend.right)
    svg = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {_n(wide)} {_n(tall)}",
            "width": _n(wide),
            "height": _n(tall),
            "role": "img",
            "aria-label": clean(plan.title),
            "font-family": FONT,
            "fill": "none",
            "stroke-linecap": "round",
            "stroke-linejoin": "round",
        },
    )
    ET.SubElement(svg, "title").text = clean(plan.title)
    ET.SubElement(svg, "desc").text = clean(describe(plan))
    if alone:
        ET.SubElement(svg, "style").text = BOTH
    _piece(svg, body, MARGIN + body.left, MARGIN)
    _piece(svg, legend, MARGIN, MARGIN + body.height + DOWN)
    ET.indent(svg, " ")
    return ET.tostring(svg, encoding="unicode") + "\n"


def describe(plan: Plan) -> str:
    """What the picture shows, in a row, for those who do not see it."""
    steps = "; ".join(say_step(step) for step in plan.steps)
    return f"Who enters: {say_trigger(plan.trigger)}, {say_reentry(plan.trigger)}. Steps: {steps}."


def _beginning(plan: Plan) -> Face:
    said = say_trigger(plan.trigger)
    event, _, condition = said.partition(" if ")
    details = [f"if {condition}"] if condition else []
    if plan.holdout:
        details.append(f"{plan.holdout:g}% are the control group")
    return Face("start", f"{event[:1].upper()}{event[1:]}", (*details, say_reentry(plan.trigger)))


def _legend(plan: Plan, room: float) -> Piece:
    """What holds at any time: the goal and the ways out, in rows as wide as the picture."""
    legend = Piece()
    faces = list(_at_any_time(plan))
    if not faces:
        return legend
    text = "At any time, wherever a lead stands:"
    legend.items.append(Label(width(text, LABEL) / 2, 10.0, 0.0, 20.0, text))
    legend.height, legend.right = 24.0, width(text, LABEL)
    in_a_row = max(1, int((room + BESIDE) // (BOX + BESIDE)))
    for start in range(0, len(faces), in_a_row):
        row = [boxed(one, round_=True) for one in faces[start : start + in_a_row]]
        for number, box in enumerate(row):
            legend.take(box, BOX / 2 + number * (BOX + BESIDE), legend.height)
        legend.height += max(box.height for box in row) + BESIDE / 2
    return legend


def _at_any_time(plan: Plan) -> Iterator[Face]:
    if plan.goal:
        on, within = plan.goal.on, plan.goal.within
        details = [f"if {on.when}" if on.when else "", f"within {say_duration(within)}" if within else ""]
        details.append(f"worth {plan.goal.value}" if plan.goal.value else "")
        yield Face("goal", f"Goal: {say_events(on)}", tuple(filter(None, details)))
    for way_out in plan.exits:
        details = [f"if {way_out.on.when}" if way_out.on.when else "", f"ends: {way_out.reason}"]
        yield Face("exit", f"Leaves on {say_events(way_out.on)}", tuple(filter(None, details)))


def _piece(svg: ET.Element, piece: Piece, x: float, y: float) -> None:
    group = ET.SubElement(svg, "g", {"transform": f"translate({_n(x)} {_n(y)})"})
    # Made pale as a whole, so that lines are not darker where they meet.
    lines = ET.SubElement(group, "g", {"stroke": "currentColor", "stroke-width": "1.5", "opacity": "0.55"})
    for item in piece.items:
        if isinstance(item, Line):
            _line(lines, item)
        elif isinstance(item, Label):
            _label(group, item)
        else:
            _box(group, item)


def _line(group: ET.Element, line: Line) -> None:
    dashes = {"stroke-dasharray": "5 4"} if line.returns else {}
    ET.SubElement(group, "path", {"d": " ".join(_corners(line.points)), **dashes})
    if line.arrow:
        (x0, y0), (x, y) = line.points[-2:]
        head = f"M{_n(x - 4)} {_n(y - 6)}L{_n(x)} {_n(y)}L{_n(x + 4)} {_n(y - 6)}"
        if y0 == y:
            back = -6 if x > x0 else 6
            head = f"M{_n(x + back)} {_n(y - 4)}L{_n(x)} {_n(y)}L{_n(x + back)} {_n(y + 4)}"
        ET.SubElement(group, "path", {"d": head})


def _corners(points: tuple[Point, ...]) -> Iterator[str]:
    """The line's data, its corners a little round."""
    yield f"M{_n(points[0][0])} {_n(points[0][1])}"
    for before, at, after in zip(points, points[1:], points[2:], strict=False):
        a, b = _toward(at, before), _toward(at, after)
        yield f"L{_n(a[0])} {_n(a[1])}Q{_n(at[0])} {_n(at[1])} {_n(b[0])} {_n(b[1])}"
    yield f"L{_n(points[-1][0])} {_n(points[-1][1])}"


def _toward(at: Point, other: Point) -> Point:
    dx, dy = other[0] - at[0], other[1] - at[1]
    long = abs(dx) + abs(dy)
    step = min(6.0, long / 2) / long if long else 0.0
    return at[0] + dx * step, at[1] + dy * step


def _label(group: ET.Element, label: Label) -> None:
    if label.width:
        ET.SubElement(
            group,
            "rect",
            {
                **_place(label.x - label.width / 2, label.y - label.height / 2, label.width, label.height),
                "rx": "10",
                "fill": "currentColor",
                "fill-opacity": "0.08",
            },
        )
    _text(group, label.text, label.x, label.y + 4, LABEL, anchor="middle")


def _box(group: ET.Element, box: Box) -> None:
    colour = COLOURS.get(box.face.icon, "currentColor")
    one = ET.SubElement(group, "g", {"data-step": clean(box.step.id)} if box.step else {})
    said = ". ".join((box.face.title, *box.face.details))
    ET.SubElement(one, "title").text = clean(said + (f" ({box.step.id})" if box.step else ""))
    ET.SubElement(
        one,
        "rect",
        {
            **_place(box.x, box.y, box.width, box.height),
            "rx": _n(min(box.height / 2, 20.0) if box.round else 8.0),
            "stroke": colour,
            "stroke-width": "1.5",
            "stroke-opacity": "0.8",
            "fill": colour,
            "fill-opacity": "0.07",
        },
    )
    scale = ICON / 24
    ET.SubElement(
        one,
        "path",
        {
            "d": PATHS[box.face.icon],
            "transform": f"translate({_n(box.x + PAD)} {_n(box.y + PAD - 2)}) scale({scale:.3f})",
            "stroke": colour,
            "stroke-width": "2",
        },
    )
    y = box.y + PAD
    for text in box.title:
        _text(one, text, box.x + PAD + ICON + 6, y + 13, TITLE, weight="600")
        y += TITLE_LINE
    y += GAP if box.details else 0.0
    for text in box.details:
        _text(one, text, box.x + PAD, y + 12, DETAIL, soft=True)
        y += DETAIL_LINE
    if box.count is not None:
        _count(one, box, y + 4)


def _count(group: ET.Element, box: Box, y: float) -> None:
    assert box.count is not None
    x = box.x + PAD
    if box.count.here:
        text = f"{box.count.here:,} here"
        wide = width(text, DETAIL * BOLD) + 16
        ET.SubElement(group, "rect", {**_place(x, y, wide, DETAIL_LINE + 4), "rx": "10", "fill": "#2f62c9"})
        _text(group, text, x + 8, y + 14, DETAIL, weight="600", fill="#ffffff")
        x += wide + 8
    gone = "ended" if isinstance(box.step, StopStep) else "passed"
    _text(group, f"{box.count.passed:,} {gone}", x, y + 14, DETAIL, soft=True)


def _text(
    group: ET.Element,
    text: str,
    x: float,
    y: float,
    size: float,
    *,
    weight: str = "",
    fill: str = "currentColor",
    soft: bool = False,
    anchor: str = "",
) -> None:
    given = {"x": _n(x), "y": _n(y), "font-size": _n(size), "fill": fill}
    given |= {"font-weight": weight} if weight else {}
    given |= {"fill-opacity": "0.75"} if soft else {}
    given |= {"text-anchor": anchor} if anchor else {}
    ET.SubElement(group, "text", given).text = text


def _place(x: float, y: float, wide: float, tall: float) -> dict[str, str]:
    return {"x": _n(x), "y": _n(y), "width": _n(wide), "height": _n(tall)}


def _n(number: float) -> str:
    """A number as short as it can be: the same on every machine."""
    return f"{round(number, 1) + 0.0:.1f}".removesuffix(".0")
