"""The figure: worst-case leakage against utility, a point a quantizer, with intervals both ways."""

from __future__ import annotations

import altair as alt
import vl_convert

from quantleak.report.figures import layers
from quantleak.report.figures.frame import Size, frame
from quantleak.report.figures.points import Drawing
from quantleak.report.figures.svg import quiet_axes, themed

WIDE = Size(name="wide", width=470.0, height=405.0, font=12.0)
NARROW = Size(name="narrow", width=282.0, height=340.0, font=11.0)

DESCRIPTION = "Leakage against utility, one point a quantizer; the table has the same numbers."


def leakage_svg(drawing: Drawing, size: Size = WIDE) -> str:
    """The figure as inline SVG that follows the colours of the page around it, light or dark."""
    return themed(vl_convert.vegalite_to_svg(leakage_chart(drawing, size).to_dict(validate=False)), DESCRIPTION)


def leakage_chart(drawing: Drawing, size: Size = WIDE) -> alt.LayerChart:
    """The figure as an Altair chart: chance, Pareto front, intervals, points, and a name beside each point."""
    axes = layers.Axes(drawing=drawing, frame=frame(drawing, size))
    order = (layers.chance, layers.front, layers.intervals, layers.dots, layers.names)
    marks = [mark for layer in order for mark in layer(axes)]
    chart: alt.LayerChart = alt.layer(*marks).configure_view(stroke=None).configure_axis(**quiet_axes(size.font))
    return chart.properties(width=size.width, height=size.height, background="transparent")
