"""The figure: worst-case leakage against utility, a point a quantizer, with intervals both ways."""

from __future__ import annotations

from typing import Any

import altair as alt
import vl_convert

from quantleak.report import colours, layers
from quantleak.report.frame import Size, frame
from quantleak.report.points import Drawing
from quantleak.report.svg import themed

WIDE = Size(name="wide", width=470.0, height=405.0, font=12.0)
NARROW = Size(name="narrow", width=282.0, height=340.0, font=11.0)

DESCRIPTION = "Leakage against utility, one point a quantizer; the table has the same numbers."


def leakage_svg(drawing: Drawing, size: Size = WIDE) -> str:
    """The figure as inline SVG that follows the colours of the page around it, light or dark."""
    return themed(vl_convert.vegalite_to_svg(leakage_chart(drawing, size).to_dict()), DESCRIPTION)


def leakage_chart(drawing: Drawing, size: Size = WIDE) -> alt.LayerChart:
    """The figure as an Altair chart: chance, Pareto front, intervals, points, and a name beside each point."""
    axes = layers.Axes(drawing=drawing, frame=frame(drawing, size))
    order = (layers.chance, layers.front, layers.intervals, layers.dots, layers.names)
    marks = [mark for layer in order for mark in layer(axes)]
    chart: alt.LayerChart = alt.layer(*marks).configure_view(stroke=None).configure_axis(**_axis_style(size.font))
    return chart.properties(width=size.width, height=size.height, background="transparent")


def _axis_style(font: float) -> dict[str, Any]:
    """Quiet axes: everything in the colour of text, lines faint."""
    inks = {f"{part}Color": colours.INK for part in ("domain", "tick", "grid", "label", "title")}
    faint = {"domainOpacity": 0.35, "tickOpacity": 0.35, "gridOpacity": 0.09, "labelOpacity": 0.8, "titleOpacity": 0.9}
    fonts = {"labelFontSize": font - 1, "titleFontSize": font, "titleFontWeight": "normal", "titlePadding": 8}
    return {**inks, **faint, **fonts, "tickSize": 4, "labelPadding": 4}
