"""Ours: which examples quantization protects, by how exposed they are in the originals."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import FONT, INK, layered
from quantleak.studies.vision.figures.drawing import (
    ATTACKER,
    BY_METHOD,
    HEIGHT,
    NAMES,
    WIDTH,
    series,
    together,
    width_name,
)
from quantleak.studies.vision.figures.selections import panel_title
from quantleak.studies.vision.findings import Findings
from quantleak.studies.vision.jobs import ADAPTIVE
from quantleak.studies.vision.jobs import WIDTH as BY_WIDTH

DASHES = {"4": [1, 0], "3": [8, 2], "2": [5, 3], "ternary": [2, 2]}


def examples(findings: Findings) -> Figure | None:
    """The figure; None where the examples support no rate of 1%."""
    if findings.examples.empty:
        return None
    every = findings.examples
    drawn = every[(every["part"] == BY_WIDTH) & (every["mode"] == ADAPTIVE) & (every["method"] != "rtn")]
    drawn = drawn.assign(series=drawn["method"].map(NAMES), bits=drawn["width"].map(width_name))
    panels = [
        _panel(drawn[(drawn["data"] == data) & (drawn["method"] == method)], panel_title(findings, data, NAMES[method]))
        for data in findings.measured
        for method in dict.fromkeys(drawn["method"])
    ]
    return Figure(
        name="examples",
        title="Which examples does quantization protect?",
        caption=(
            "Members are put into bins by the share of one half of the full-precision models that gives them away "
            "(1% false alarms, online LiRA), to the right. Up is the share of the other half that does, quantized, "
            f"to an attacker with {ATTACKER[ADAPTIVE]}. The dashed line is that other half at full precision: what "
            "lies below it is protected, and a line along the bottom protects everyone."
        ),
        frame=every,
        chart=together(panels, 3),
        shown=drawn[["data", "method", "width", "least", "most", "examples", "chosen", "before", "after"]],
    )


def _panel(frame: pd.DataFrame, title: str) -> alt.LayerChart:
    scale = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X(
        "chosen:Q", scale=scale, axis=alt.Axis(title="found in the originals, one half", format=".0%", tickCount=5)
    )
    y = alt.Y(
        "after:Q", scale=scale, axis=alt.Axis(title="found when quantized, the other half", format=".0%", tickCount=5)
    )
    widths = list(dict.fromkeys(frame["bits"]))
    dashes = [DASHES.get(width, [1, 0]) for width in dict.fromkeys(frame["width"])]
    dash = alt.StrokeDash("bits:N", scale=alt.Scale(domain=widths, range=dashes), legend=None)
    base = alt.Chart(rows(frame))
    drawn = series(BY_METHOD, list(dict.fromkeys(frame["series"])), legend=False)
    ends = frame.sort_values("chosen").groupby("bits", sort=False).tail(1)
    once = frame.drop_duplicates("chosen").sort_values("chosen")
    whole = alt.Chart(rows(once)).mark_line(strokeDash=[4, 3], color=INK, opacity=0.6, strokeWidth=1.2)
    marks = [
        whole.encode(x=x, y=alt.Y("before:Q", scale=scale)),
        base.mark_line(strokeWidth=1.6).encode(x=x, y=y, color=drawn["color"], strokeDash=dash),
        base.mark_point(filled=True, size=34, opacity=1).encode(x=x, y=y, **drawn),
        alt.Chart(rows(ends))
        .mark_text(align="left", dx=7, fontSize=FONT - 1, color=INK)
        .encode(x=x, y=y, text="bits:N"),
    ]
    return layered(marks, WIDTH * 0.8, HEIGHT * 0.85, title)
