"""The coordinates of a figure: from values to pixels and back, fixed before it is drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from quantleak.report.figures.labels import Anchor, Box, Placed, place
from quantleak.report.figures.points import Drawing, Point

LONGEST_LABEL = 26
LETTER = 0.58
"""Width of a letter of the interface font in its size, on average and rounded up."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a figure is, in pixels; the plot itself, without axes."""

    name: str
    width: float
    height: float
    font: float


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The ends of both axes, and the size of the plot between them."""

    x: tuple[float, float]
    y: tuple[float, float]
    size: Size

    def right(self, value: float) -> float:
        """Pixels from the left edge."""
        return (value - self.x[0]) / (self.x[1] - self.x[0]) * self.size.width

    def down(self, value: float) -> float:
        """Pixels from the upper edge."""
        return (self.y[1] - value) / (self.y[1] - self.y[0]) * self.size.height

    def bars(self, point: Point) -> list[Box]:
        """The interval bars of a point, as thin rectangles."""
        x, y = self.right(point.utility.value), self.down(point.leakage.value)
        return [
            Box(left=self.right(point.utility.low), right=self.right(point.utility.high), top=y - 1.5, bottom=y + 1.5),
            Box(left=x - 1.5, right=x + 1.5, top=self.down(point.leakage.high), bottom=self.down(point.leakage.low)),
        ]

    def guess(self, chance: float) -> Box:
        """Where the line of a guess says what it is: below its right end."""
        y = self.down(chance)
        return Box(
            left=self.size.width - 5 * self.size.font, top=y, right=self.size.width, bottom=y + 1.4 * self.size.font
        )

    def labels(self, points: Iterable[Point], chance: float) -> list[Placed]:
        """Places for the names of all points, off the bars and off the word at the line of a guess."""
        points = list(points)
        anchors = [
            Anchor(
                x=self.right(point.utility.value),
                y=self.down(point.leakage.value),
                width=len(shown(point.label)) * LETTER * self.size.font + 2,
                height=self.size.font * 1.15,
            )
            for point in points
        ]
        area = Box(left=2.0, top=2.0, right=self.size.width - 2, bottom=self.size.height - 2)
        bars = [bar for point in points for bar in self.bars(point)]
        return place(anchors, [*bars, self.guess(chance)], area)


def frame(drawing: Drawing, size: Size) -> Frame:
    """Axes that hold all intervals and the leakage of a guess, with some air around them; shares begin at zero."""
    utilities = [end for point in drawing.points for end in (point.utility.low, point.utility.high)]
    leaks = [end for point in drawing.points for end in (point.leakage.low, point.leakage.high)]
    low, high = _air([*leaks, drawing.chance], 0.06)
    return Frame(x=_air(utilities, 0.06), y=(0.0 if drawing.shares else low, high), size=size)


def shown(label: str) -> str:
    """A label as drawn: of a long one the beginning, and nothing that a drawing cannot hold."""
    label = "".join(letter if letter.isprintable() else "?" for letter in label)
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _air(values: list[float], share: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = share * (high - low) or 0.01 * max(abs(high), 1.0)
    return low - margin, high + margin
