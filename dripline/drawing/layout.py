"""Where everything stands: steps downwards, ways side by side under the step that they leave, meeting again.

A piece is drawn around a spine: the vertical line at x = 0 by which a lead comes in at the top and goes on at
the bottom. Pieces know how far they reach to either side, so that nothing overlaps whatever is within them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dripline.drawing.faces import Count, Face, face
from dripline.drawing.text import BOLD, width, wrap
from dripline.drawing.ways import Way, ends, ways
from dripline.language.labels import say_step
from dripline.language.plan import Plan, Step

TITLE, DETAIL, LABEL = 13.5, 12.0, 11.5
"""Sizes of the texts, in pixels."""
BOX = 240.0
"""How wide a step is."""
PAD, ICON, DOWN, BESIDE, BUS = 11.0, 20.0, 26.0, 18.0, 16.0
TITLE_LINE, GAP, DETAIL_LINE = 18.0, 3.0, 16.0

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A step, or another thing in a box. `x` and `y` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    face: Face
    title: tuple[str, ...]
    details: tuple[str, ...]
    step: Step | None = None
    count: Count | None = None
    round: bool = False


@dataclass(frozen=True)
class Line:
    """A way, from point to point at right angles."""

    points: tuple[Point, ...]
    arrow: bool = False
    returns: bool = False


@dataclass(frozen=True)
class Label:
    """The name of a way. `x` and `y` are the middle."""

    x: float
    y: float
    width: float
    height: float
    text: str


Item = Box | Line | Label


@dataclass
class Piece:
    """Things around a spine, from y = 0 downwards."""

    left: float = 0.0
    right: float = 0.0
    height: float = 0.0
    open: bool = True
    """Whether a lead can go on at the bottom."""
    items: list[Item] = field(default_factory=list)

    def take(self, other: Piece, dx: float, dy: float) -> None:
        """Take over the things of another piece, moved."""
        self.items += [moved(item, dx, dy) for item in other.items]
        self.left = max(self.left, other.left - dx)
        self.right = max(self.right, other.right + dx)


def moved(item: Item, dx: float, dy: float) -> Item:
    """The thing at another place."""
    if isinstance(item, Line):
        return replace(item, points=tuple((x + dx, y + dy) for x, y in item.points))
    return replace(item, x=item.x + dx, y=item.y + dy)


def boxed(
    shown: Face, step: Step | None = None, count: Count | None = None, *, round_: bool = False
) -> Piece:
    """A box of its own, upon the spine."""
    room = BOX - 2 * PAD - ICON - 6
    title = wrap(shown.title, TITLE * BOLD, room, 4)
    details = [line for text in shown.details for line in wrap(text, DETAIL, BOX - 2 * PAD, 3)]
    counted = DETAIL_LINE + 8 if count is not None else 0
    height = 2 * PAD + len(title) * TITLE_LINE + len(details) * DETAIL_LINE + counted
    height += GAP if details else 0
    box = Box(-BOX / 2, 0.0, BOX, height, shown, tuple(title), tuple(details), step, count, round_)
    return Piece(BOX / 2, BOX / 2, height, True, [box])


class Layout:
    """Lays a plan out, each of its steps once."""

    def __init__(self, plan: Plan, counts: Mapping[str, Count] | None) -> None:
        self._plan = plan
        self._counts = counts
        self._placed: set[str] = set()

    def whole(self, beginning: Face) -> Piece:
        """Everything, from who enters to the end."""
        piece = Piece()
        under(piece, boxed(beginning, round_=True))
        if self._plan.steps:
            under(piece, self._row(self._plan.steps[0].id, ()))
        if piece.open:
            under(piece, boxed(Face("flag", "End: finished"), round_=True))
        for step in self._plan.steps:  # what only a jump leads to, or nothing at all
            if step.id not in self._placed:
                piece.open = False
                under(piece, self._row(step.id, ()))
        piece.open = False
        return piece

    def _row(self, first: str | None, meet: tuple[str | None, ...]) -> Piece:
        """Steps one under another, until where the ways of the last of `meet` come together."""
        row = Piece()
        at = first
        while at is not None and not (meet and at == meet[-1]):
            if at in self._placed or at in meet:
                under(row, _reference(self._plan.by_id[at]))
                row.open = False
                break
            step = self._plan.by_id[at]
            self._placed.add(at)
            under(row, self._step(step, meet))
            if not row.open:
                break
            at = step.next
        return row

    def _step(self, step: Step, meet: tuple[str | None, ...]) -> Piece:
        count = self._counts.get(step.id, Count()) if self._counts is not None else None
        box = boxed(face(step, self._plan), step, count, round_=ends(step))
        found = ways(step)
        if ends(step):
            box.open = False
        elif len(found) == 1 and not found[0].label:  # a block: its steps just follow
            under(box, self._row(found[0].to, (*meet, step.next)))
        elif found:
            box = self._fork(box, step, found, meet)
        return box

    def _fork(self, box: Piece, step: Step, found: Iterable[Way], meet: tuple[str | None, ...]) -> Piece:
        lanes = [
            (way, _lane(way, self._row(way.to, (*meet, step.id if way.returns else step.next))))
            for way in found
        ]
        with_steps = [lane for lane in lanes if len(lane[1].items) > 1]
        if len(with_steps) == 1 and not with_steps[0][0].returns:  # the others are rails on its right
            lanes = with_steps + [lane for lane in lanes if lane is not with_steps[0]]
        return fork(box, lanes)


def _reference(step: Step) -> Piece:
    """Instead of a step that stands elsewhere."""
    return boxed(Face("enter", f"on to “{say_step(step)}”"), round_=True)


def _lane(way: Way, row: Piece) -> Piece:
    """A way's name, and under it its steps."""
    wide = width(way.label, LABEL) + 16
    lane = Piece(wide / 2, wide / 2, 20.0, True, [Label(0.0, 10.0, wide, 20.0, way.label)])
    under(lane, row)
    return lane


def under(upper: Piece, lower: Piece) -> None:
    """Put a piece under another, joined by an arrow where a lead can go on."""
    if not lower.items:
        return
    gap = DOWN if upper.items else 0.0
    if upper.items and upper.open:
        upper.items.append(Line(((0.0, upper.height), (0.0, upper.height + gap)), arrow=True))
    upper.take(lower, 0.0, upper.height + gap)
    upper.height += gap + lower.height
    upper.open = lower.open


def fork(box: Piece, lanes: list[tuple[Way, Piece]]) -> Piece:
    """Ways side by side under their step; those by which a lead can go on meet at the bottom."""
    places = _places(lanes)
    top = box.height + 2 * BUS
    tallest = max(lane.height for _, lane in lanes)
    meets = top + tallest + BUS
    on = [(x, lane) for x, (way, lane) in zip(places, lanes, strict=True) if lane.open and not way.returns]
    made = Piece(box.left, box.right, meets + BUS / 2, bool(on), list(box.items))
    for x, (way, lane) in zip(places, lanes, strict=True):
        made.items.append(_path((0.0, box.height), (0.0, box.height + BUS), (x, box.height + BUS), (x, top)))
        made.take(lane, x, top)
        if way.returns and lane.open:
            made.items.append(_back(made, box, x, top + lane.height))
    for x, lane in on:
        made.items.append(_path((x, top + lane.height), (x, meets), (0.0, meets), (0.0, made.height)))
    return made


def _places(lanes: list[tuple[Way, Piece]]) -> list[float]:
    """Where each lane's spine is, seen from the step's."""
    spines, at = [], 0.0
    for _, lane in lanes:
        spines.append(at + lane.left)
        at += lane.left + lane.right + BESIDE
    straight = [number for number, (way, _) in enumerate(lanes) if way.straight]
    steps = [number for number, (_, lane) in enumerate(lanes) if len(lane.items) > 1]
    below = straight or (steps if len(steps) == 1 else [0, -1])
    middle = (spines[below[0]] + spines[below[-1]]) / 2
    return [spine - middle for spine in spines]


def _back(made: Piece, box: Piece, x: float, bottom: float) -> Line:
    """The way back from the bottom of a lane to its step, around everything on the left."""
    made.left += BESIDE
    edge, low, high = -made.left + 4, bottom + BUS / 2, box.height / 2
    points = ((x, bottom), (x, low), (edge, low), (edge, high), (-box.left, high))
    return Line(points, arrow=True, returns=True)


def _path(*points: Point) -> Line:
    """A line without the points that it does not turn at."""
    kept = [points[0]]
    for number, point in enumerate(points[1:-1], 1):
        if point != kept[-1] and not (kept[-1][0] == point[0] == points[number + 1][0]):
            kept.append(point)
    return Line((*kept, points[-1]))
