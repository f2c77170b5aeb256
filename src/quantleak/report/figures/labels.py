"""Names beside points without covering one another: each goes to the best of many places around its point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ANGLES = np.linspace(0, 2 * np.pi, 24, endpoint=False)
DISTANCES = (11.0, 18.0, 28.0, 40.0, 54.0, 72.0, 94.0, 120.0)
PASSES = 8
RADIUS = 7.0
LEADER_FROM = 14.0
"""Names further than this from their points get a line to it."""

OUTSIDE, NAME, POINT, BAR = 60.0, 30.0, 8.0, 3.0
"""What a square pixel costs outside the area, over another name, over a point, over anything else."""

LINE_ON_NAME, LINE_ON_POINT = 60.0, 15.0
"""What each of the steps along the line from a point to its name costs over another name, over another point."""

STEPS = np.array([0.2, 0.35, 0.5, 0.65, 0.8, 0.95])


@dataclass(frozen=True, kw_only=True)
class Box:
    """A rectangle in pixels; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """The place in the rectangle that is closest to a place."""
        return min(max(x, self.left), self.right), min(max(y, self.top), self.bottom)


@dataclass(frozen=True, kw_only=True)
class Anchor:
    """A point that wants a name of some size beside it, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where a name goes; `led` if it is so far from its point that a line must lead there."""

    box: Box
    led: bool


def place(anchors: Sequence[Anchor], obstacles: Sequence[Box], area: Box) -> list[Placed]:
    """Places for all names: one after the other, then each again, given the others, until nothing moves.

    Deterministic. What costs: distance, leaving `area`, names over names, over points or over `obstacles`, and lines
    across names or points. Every name finds a place, in the worst case one over another.
    """
    searches = [_Search.of(index, anchors, obstacles, area) for index in range(len(anchors))]
    # The most crowded choose first, while there is room.
    order = sorted(range(len(anchors)), key=lambda index: searches[index].room)
    chosen: dict[int, int] = {}
    for _ in range(PASSES):
        before = dict(chosen)
        for index in order:
            others = [searches[other].boxes[pick] for other, pick in chosen.items() if other != index]
            chosen[index] = searches[index].best(np.array(others).reshape(-1, 4))
        if chosen == before:
            break
    return [searches[index].placed(chosen[index]) for index in range(len(anchors))]


@dataclass(frozen=True, kw_only=True, eq=False)
class _Search:
    """All places for one name: boxes `[C, 4]`, steps of the lines to them `[C, S, 2]`, costs without other names."""

    boxes: Floats
    steps: Floats
    led: npt.NDArray[np.bool_]
    alone: Floats
    room: float

    @classmethod
    def of(cls, index: int, anchors: Sequence[Anchor], obstacles: Sequence[Box], area: Box) -> _Search:
        anchor = anchors[index]
        boxes, distances = _candidates(anchor)
        led = distances > LEADER_FROM
        steps = _steps(anchor, boxes)
        points = np.array([[a.x - RADIUS, a.y - RADIUS, a.x + RADIUS, a.y + RADIUS] for a in anchors])
        others = np.delete(points, index, axis=0)
        bars = np.array([astuple(bar) for bar in obstacles]).reshape(-1, 4)
        size = anchor.width * anchor.height
        outside = size - _overlap(boxes, np.array([astuple(area)]))[:, 0]
        alone = (
            distances + OUTSIDE * outside + POINT * _overlap(boxes, points).sum(1) + BAR * _overlap(boxes, bars).sum(1)
        )
        alone += LINE_ON_POINT * led * _hits(steps, others)
        room = np.minimum(100.0, np.hypot(*(_middles(others) - [anchor.x, anchor.y]).T)).sum()
        return cls(boxes=boxes, steps=steps, led=led, alone=alone, room=float(room))

    def best(self, names: Floats) -> int:
        """The cheapest place among other names `[M, 4]`."""
        together = NAME * _overlap(self.boxes, names).sum(1) + LINE_ON_NAME * self.led * _hits(self.steps, names)
        return int(np.argmin(self.alone + together))

    def placed(self, pick: int) -> Placed:
        left, top, right, bottom = map(float, self.boxes[pick])
        return Placed(box=Box(left=left, top=top, right=right, bottom=bottom), led=bool(self.led[pick]))


def _candidates(anchor: Anchor) -> tuple[Floats, Floats]:
    """Boxes `[C, 4]` around a point and their distances `[C]`; a box shows the point the side that faces it."""
    distances = np.repeat(DISTANCES, len(ANGLES))
    direction = np.tile(np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1), (len(DISTANCES), 1))
    half = np.array([anchor.width, anchor.height]) / 2
    # Beside the point a name is level with it; above and below it may stand off to one side.
    lean = np.clip(1.6 * direction, -1, 1)
    middle = np.array([anchor.x, anchor.y]) + distances[:, None] * direction + half * lean
    return np.concatenate([middle - half, middle + half], axis=1), distances


def _steps(anchor: Anchor, boxes: Floats) -> Floats:
    start = np.array([anchor.x, anchor.y])
    end = np.clip(start, boxes[:, :2], boxes[:, 2:])
    return np.asarray(start + STEPS[None, :, None] * (end - start)[:, None, :])


def _overlap(one: Floats, two: Floats) -> Floats:
    """The areas `[C, M]` that two sets of rectangles share."""
    corner = np.minimum(one[:, None, 2:], two[None, :, 2:]) - np.maximum(one[:, None, :2], two[None, :, :2])
    return np.asarray(np.maximum(corner, 0).prod(2))


def _hits(steps: Floats, boxes: Floats) -> Floats:
    """How many steps of each line `[C]` lie in any of some rectangles."""
    at = steps[:, :, None, :]
    inside = np.all((at > boxes[None, None, :, :2]) & (at < boxes[None, None, :, 2:]), axis=3)
    return np.asarray(np.any(inside, axis=2).sum(axis=1), dtype=np.float64)


def _middles(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2)
