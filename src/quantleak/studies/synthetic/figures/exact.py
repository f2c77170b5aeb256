"""Ours: the exact security of small problems beside what the rates promise."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, GREEN, INK, ORANGE, finished, grid, layered
from quantleak.studies.synthetic.jobs import Tables

WIDTH, HEIGHT = 205.0, 150.0
KINDS = {
    "exponent": ("exponent: −ln(1 − MIS) / n", "circle", [1, 0], INK),
    "slope": ("slope: the same between n and 2n", "square", [5, 3], GREEN),
    "cramer": ("Cramér rate", "diamond", [1, 0], BLUE),
    "r_q": ("r_Q", "triangle-up", [2, 2], ORANGE),
}
"""By column: what a line is called, its points, its dashes, its colour."""


def exact(tables: Tables) -> Figure | None:
    """The figure; None where the exact problems were left out."""
    if not tables.exact:
        return None
    frame = tables.exact["problems"]
    return Figure(
        name="exact",
        title="What is true, where everything is known",
        caption=(
            "Small problems in which the Membership Inference Security of an empirical-risk minimiser can be counted "
            "out, with no attack in between. How fast 1 - MIS falls with the number n of training examples: its "
            "exponent, and its slope between n and 2n, should both come down to the Cramér rate; r_Q is that rate to "
            "second order. In two problems on the same examples, 'rare win' and 'rare loss', r_Q puts the wrong one "
            "first. Where n is too large to count, MIS is sampled and its exponent left out. The paper has no exact "
            "values."
        ),
        frame=frame,
        chart=finished(_drawn(frame)),
    )


def _drawn(frame: pd.DataFrame) -> alt.ConcatChart:
    names = list(dict.fromkeys(frame["problem"]))
    last = len(names) - 3
    made = [
        _panel(frame[frame["problem"] == name], name, place >= last, place % 3 == 0) for place, name in enumerate(names)
    ]
    return grid(made, 3)


def _panel(frame: pd.DataFrame, name: str, lowest: bool, first: bool) -> alt.LayerChart:
    long = frame.melt(id_vars="n", value_vars=list(KINDS), var_name="column", value_name="value").dropna()
    long["kind"] = [KINDS[column][0] for column in long["column"]]
    kinds, shapes, dashes, paints = (list(part) for part in zip(*KINDS.values(), strict=True))
    sizes = sorted(int(n) for n in frame["n"].unique())
    x_axis = alt.Axis(title="n, training examples (log)" if lowest else None, values=sizes, format="d")
    x_scale = alt.Scale(type="log", domain=[sizes[0] * 0.9, sizes[-1] * 1.1], nice=False)
    x = alt.X("n:Q", scale=x_scale, axis=x_axis)
    top = float(np.nanmax(long["value"])) * 1.08
    y_axis = alt.Axis(title="nats" if first else None, tickCount=5)
    y = alt.Y("value:Q", scale=alt.Scale(domain=[0, top], nice=False), axis=y_axis)
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=paints), title=None)
    dash = alt.StrokeDash("kind:N", scale=alt.Scale(domain=kinds, range=dashes), legend=None)
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shapes), title=None)
    base = alt.Chart(rows(long))
    return layered(
        [
            base.mark_line(strokeWidth=1.6).encode(x=x, y=y, color=colour, strokeDash=dash),
            base.mark_point(filled=True, size=40, opacity=1).encode(x=x, y=y, color=colour, shape=shape),
        ],
        WIDTH,
        HEIGHT,
        alt.Title(name),
    )
