"""The figure of leakage against utility: one point per quantizer with intervals both ways, and a name beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt
from markupsafe import Markup

from quantleak.report.figures import colours
from quantleak.report.figures.labels import Anchor, Box, Placed, place
from quantleak.report.figures.points import Point, Points
from quantleak.report.figures.svg import drawn, quiet_axes
from quantleak.report.text import printable

LONGEST_LABEL = 30
LETTER = 0.58
"""Width of a letter of the interface font in its size, on average and rounded up."""

DESCRIPTION = "Leakage against utility, one point per quantizer; the table has the same numbers."


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a figure is, in pixels; the plot itself, without axes."""

    name: str
    width: float
    height: float
    font: float


WIDE = Size(name="wide", width=470.0, height=405.0, font=12.0)
NARROW = Size(name="narrow", width=282.0, height=340.0, font=11.0)


def leakage_svg(shown: Points, size: Size = WIDE) -> Markup:
    """The figure as inline SVG that follows the colours of the page around it, light or dark."""
    return drawn(leakage_chart(shown, size).to_dict(validate=False), DESCRIPTION)


def leakage_chart(shown: Points, size: Size = WIDE) -> alt.LayerChart:
    """The figure as an Altair chart: chance, Pareto front, intervals, points, and a name beside each point."""
    axes = Axes(shown=shown, frame=frame(shown, size))
    marks = [mark for layer in (chance, front, intervals, dots, names) for mark in layer(axes)]
    chart: alt.LayerChart = alt.layer(*marks).configure_view(stroke=None).configure_axis(**quiet_axes(size.font))
    return chart.properties(width=size.width, height=size.height, background="transparent")


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

    def labels(self, points: Sequence[Point], chance: float) -> list[Placed]:
        """Places for the names of all points, off the bars and off the word at the line of a guess."""
        anchors = [
            Anchor(
                x=self.right(point.utility.value),
                y=self.down(point.leakage.value),
                width=len(label(point)) * LETTER * self.size.font + 2,
                height=self.size.font * 1.15,
            )
            for point in points
        ]
        area = Box(left=2.0, top=2.0, right=self.size.width - 2, bottom=self.size.height - 2)
        bars = [bar for point in points for bar in self.bars(point)]
        return place(anchors, [*bars, self.guess(chance)], area)


def frame(shown: Points, size: Size) -> Frame:
    """Axes that hold all intervals and the leakage of a guess, with some air around them; shares begin at zero."""
    utilities = [end for point in shown.points for end in (point.utility.low, point.utility.high)]
    leaks = [end for point in shown.points for end in (point.leakage.low, point.leakage.high)]
    low, high = _air([*leaks, shown.chance], 0.06)
    return Frame(x=_air(utilities, 0.06), y=(0.0 if shown.shares else low, high), size=size)


def label(point: Point) -> str:
    """The name of a point as drawn: of a long one the beginning, and nothing that a drawing cannot hold."""
    text = printable(point.label)
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _air(values: list[float], share: float) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = share * (high - low) or 0.01 * max(abs(high), 1.0)
    return low - margin, high + margin


@dataclass(frozen=True, kw_only=True)
class Axes:
    """The two axes of a figure, as encodings of any field."""

    shown: Points
    frame: Frame

    def x(self, field: str) -> alt.X:
        """Utility, from left to right."""
        scale = alt.Scale(domain=list(self.frame.x), nice=False, zero=False)
        axis = alt.Axis(title=f"{self.shown.utility_title} (right is better)", tickCount=5, grid=False)
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    def y(self, field: str) -> alt.Y:
        """Leakage, upwards."""
        scale = alt.Scale(domain=list(self.frame.y), nice=False, zero=False)
        title = f"{self.shown.leakage_title} (lower is better)"
        return alt.Y(f"{field}:Q", scale=scale, axis=alt.Axis(title=title, tickCount=6, format=self._format()))

    def _format(self) -> str:
        if not self.shown.shares:
            return ".2f"
        return ".0%" if self.frame.y[1] > 0.06 else ".1%"


def rows(points: Sequence[Point]) -> list[dict[str, Any]]:
    """The points as data of a chart: `utility`, `utility_low`, ..., `leakage_high`, and what sets them apart."""
    return [
        {
            "quantizer": point.label,
            **{f"utility{end}": value for end, value in _ends(point.utility)},
            **{f"leakage{end}": value for end, value in _ends(point.leakage)},
            "kind": point.kind,
            "shape": "beyond" if point.beyond else point.kind,
            "chosen": point.chosen,
            "front": point.front,
        }
        for point in points
    ]


def chance(axes: Axes) -> list[alt.Chart]:
    """A dotted line at the leakage of a guess."""
    size = axes.frame.size
    data = alt.Data(values=[{"leakage": axes.shown.chance, "text": "guessing"}])
    base = alt.Chart(data).encode(y=axes.y("leakage"))
    below = axes.frame.down(axes.shown.chance) + 2 * size.font < size.height  # else it would cover the axis
    text = base.mark_text(
        align="right", dy=9 if below else -9, fontSize=size.font - 1.5, color=colours.INK, opacity=0.7
    )
    return [
        base.mark_rule(color=colours.INK, strokeDash=[1, 3], opacity=0.7),
        text.encode(x=alt.value(size.width), text="text:N"),
    ]


def front(axes: Axes) -> list[alt.Chart]:
    """A dashed line of steps along the Pareto front: the least leakage of any point with as much utility or more."""
    data = alt.Data(values=[row for row in rows(axes.shown.points) if row["front"]])
    line = alt.Chart(data).mark_line(
        interpolate="step-before", strokeDash=[5, 3], strokeWidth=1.4, color=colours.INK, opacity=0.45
    )
    return [line.encode(x=axes.x("utility"), y=axes.y("leakage"))]


def intervals(axes: Axes) -> list[alt.Chart]:
    """A bar along each interval."""
    base = alt.Chart(alt.Data(values=rows(axes.shown.points))).mark_rule(strokeWidth=1.3, opacity=0.45)
    return [
        base.encode(x=axes.x("utility_low"), x2="utility_high:Q", y=axes.y("leakage"), color=_colour()),
        base.encode(x=axes.x("utility"), y=axes.y("leakage_low"), y2="leakage_high:Q", color=_colour()),
    ]


def dots(axes: Axes) -> list[alt.Chart]:
    """The points; the original is an open diamond, so that what coincides with it shows, the recommended has a ring."""
    made = rows(axes.shown.points)

    def some(field: str, value: Any, **style: Any) -> alt.Chart:
        data = alt.Data(values=[row for row in made if row[field] == value])
        mark: alt.Chart = alt.Chart(data).mark_point(opacity=1, **style)
        made_mark: alt.Chart = mark.encode(x=axes.x("utility"), y=axes.y("leakage"))
        return made_mark

    solid: dict[str, Any] = {"filled": True, "color": colours.QUANTIZER, "stroke": colours.PAPER, "strokeWidth": 1}
    return [
        some("shape", "quantizer", **solid, shape="circle", size=76),
        some("shape", "beyond", **solid, shape="triangle-left", size=90),
        some("shape", "original", filled=False, shape="diamond", size=190, strokeWidth=2.2, color=colours.ORIGINAL),
        some("chosen", True, filled=False, shape="circle", size=250, strokeWidth=2, color=colours.CHOSEN),
    ]


def names(axes: Axes) -> list[alt.Chart]:
    """A name beside each point, with a thin line to it where they stand apart."""
    points = axes.shown.points
    pairs = list(zip(points, axes.frame.labels(points, axes.shown.chance), strict=True))
    lines = [_leader(axes.frame, point, placed) for point, placed in pairs if placed.led]
    leader = alt.Chart(alt.Data(values=lines)).mark_rule(strokeWidth=0.8, color=colours.INK, opacity=0.55)
    style: dict[str, Any] = {
        "fontSize": axes.frame.size.font,
        "align": "center",
        "baseline": "middle",
        "color": colours.INK,
    }
    texts = []
    weights: tuple[tuple[Any, bool], ...] = (("normal", False), ("bold", True))
    for weight, chosen in weights:
        data = alt.Data(values=[_name(point, placed) for point, placed in pairs if point.chosen == chosen])
        texts.append(alt.Chart(data).mark_text(**style, fontWeight=weight).encode(**_pixels(), text="text:N"))
    return [leader.encode(**_pixels(), x2="x2:Q", y2="y2:Q"), *texts]


def _leader(frame: Frame, point: Point, placed: Placed) -> dict[str, float]:
    x, y = frame.right(point.utility.value), frame.down(point.leakage.value)
    end_x, end_y = placed.box.nearest(x, y)
    return {"x": x, "y": y, "x2": end_x, "y2": end_y}


def _name(point: Point, placed: Placed) -> dict[str, Any]:
    box = placed.box
    return {"x": (box.left + box.right) / 2, "y": (box.top + box.bottom) / 2, "text": label(point)}


def _pixels() -> dict[str, Any]:
    return {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}


def _colour() -> Any:
    return alt.condition("datum.kind == 'original'", alt.value(colours.ORIGINAL), alt.value(colours.QUANTIZER))


def _ends(span: Any) -> list[tuple[str, float]]:
    return [("" if name == "value" else f"_{name}", value) for name, value in asdict(span).items()]
