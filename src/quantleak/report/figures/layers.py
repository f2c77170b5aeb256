"""The marks of the figure, one function a layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import altair as alt

from quantleak.report.figures import colours
from quantleak.report.figures.frame import Frame, shown
from quantleak.report.figures.labels import Placed
from quantleak.report.figures.points import Drawing, Point


@dataclass(frozen=True, kw_only=True)
class Axes:
    """The two axes of a figure, as encodings of any field."""

    drawing: Drawing
    frame: Frame

    def x(self, field: str) -> alt.X:
        """Utility, from left to right."""
        scale = alt.Scale(domain=list(self.frame.x), nice=False, zero=False)
        axis = alt.Axis(title=f"{self.drawing.utility_title} (right is better)", tickCount=5, grid=False)
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    def y(self, field: str) -> alt.Y:
        """Leakage, upwards."""
        scale = alt.Scale(domain=list(self.frame.y), nice=False, zero=False)
        title = f"{self.drawing.leakage_title} (lower is better)"
        return alt.Y(f"{field}:Q", scale=scale, axis=alt.Axis(title=title, tickCount=6, format=self._format()))

    def _format(self) -> str:
        if not self.drawing.shares:
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
    data = alt.Data(values=[{"leakage": axes.drawing.chance, "text": "guessing"}])
    base = alt.Chart(data).encode(y=axes.y("leakage"))
    text = base.mark_text(align="right", dy=9, fontSize=size.font - 1.5, color=colours.INK, opacity=0.7)
    return [
        base.mark_rule(color=colours.INK, strokeDash=[1, 3], opacity=0.7),
        text.encode(x=alt.value(size.width), text="text:N"),
    ]


def front(axes: Axes) -> list[alt.Chart]:
    """A dashed line of steps along the Pareto front: the least leakage of any point with as much utility or more."""
    data = alt.Data(values=[row for row in rows(axes.drawing.points) if row["front"]])
    line = alt.Chart(data).mark_line(
        interpolate="step-before", strokeDash=[5, 3], strokeWidth=1.4, color=colours.INK, opacity=0.45
    )
    return [line.encode(x=axes.x("utility"), y=axes.y("leakage"))]


def intervals(axes: Axes) -> list[alt.Chart]:
    """A bar along each interval."""
    base = alt.Chart(alt.Data(values=rows(axes.drawing.points))).mark_rule(strokeWidth=1.3, opacity=0.45)
    return [
        base.encode(x=axes.x("utility_low"), x2="utility_high:Q", y=axes.y("leakage"), color=_colour()),
        base.encode(x=axes.x("utility"), y=axes.y("leakage_low"), y2="leakage_high:Q", color=_colour()),
    ]


def dots(axes: Axes) -> list[alt.Chart]:
    """The points; the original is an open diamond, so that what coincides with it shows, the recommended has a ring."""
    made = rows(axes.drawing.points)

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
    points = axes.drawing.points
    pairs = list(zip(points, axes.frame.labels(points, axes.drawing.chance), strict=True))
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
    return {"x": (box.left + box.right) / 2, "y": (box.top + box.bottom) / 2, "text": shown(point.label)}


def _pixels() -> dict[str, Any]:
    return {"x": alt.X("x:Q", scale=None, axis=None), "y": alt.Y("y:Q", scale=None, axis=None)}


def _colour() -> Any:
    return alt.condition("datum.kind == 'original'", alt.value(colours.ORIGINAL), alt.value(colours.QUANTIZER))


def _ends(span: Any) -> list[tuple[str, float]]:
    return [("" if name == "value" else f"_{name}", value) for name, value in asdict(span).items()]
