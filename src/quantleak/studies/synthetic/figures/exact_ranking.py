"""Ours: how well the scores rank quantizers where the security of every one is known exactly."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, GREEN, ORANGE, finished, layered
from quantleak.studies.synthetic.jobs import Tables

SCORES = {
    "r_q": ("r_Q", "circle", ORANGE),
    "cramer": ("Cramér rate", "diamond", BLUE),
    "fewer elements": ("fewer elements", "square", GREEN),
}
TRUTHS = {
    "leak": "the best quantized model is chosen",
    "leak_quantized": "trained, then quantized",
}
WIDTH, HEIGHT = 300.0, 190.0


def exact_ranking(tables: Tables) -> Figure | None:
    """The figure; None where the exact problems were left out."""
    if not tables.exact:
        return None
    frame = tables.exact["ranking"]
    return Figure(
        name="exact_ranking",
        title="Which score ranks quantizers as exact security does?",
        caption=(
            "Linear classifiers of two weights in small worlds in which everything can be listed: Spearman's "
            "correlation over quantizers between a score of the whole population and the exact security, the mean "
            "over worlds with its 95% interval, by the number n of training examples. Left: the learner picks the "
            "best of the quantized models, as the theory assumes. Right: it picks the best unquantized model, which "
            "is then quantized, as in practice. The paper has no exact values."
        ),
        frame=frame,
        chart=finished(_drawn(frame)),
    )


def _drawn(frame: pd.DataFrame) -> alt.HConcatChart:
    panels = [_panel(frame[frame["truth"] == truth], title) for truth, title in TRUTHS.items()]
    made: alt.HConcatChart = alt.hconcat(*panels, spacing=26)
    return made


def _panel(frame: pd.DataFrame, title: str) -> alt.LayerChart:
    names, shapes, paints = (list(part) for part in zip(*SCORES.values(), strict=True))
    base = alt.Chart(rows(frame.assign(name=[SCORES[score][0] for score in frame["score"]])))
    x = alt.X("n:O", axis=alt.Axis(title="n, training examples", labelAngle=0, grid=False))
    aside = alt.XOffset("name:N", sort=names)
    scale = alt.Scale(domain=[min(0.0, float(frame["low"].min())), 1.0], nice=False)
    y_axis = alt.Axis(title="Spearman with exact security", tickCount=6, format=".1f")
    colour = alt.Color("name:N", scale=alt.Scale(domain=names, range=paints), title=None)
    shape = alt.Shape("name:N", scale=alt.Scale(domain=names, range=shapes), title=None)
    marks = [
        base.mark_rule(strokeWidth=1.4, opacity=0.6).encode(
            x=x, xOffset=aside, y=alt.Y("low:Q", scale=scale, axis=y_axis), y2="high:Q", color=colour
        ),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x=x, xOffset=aside, y=alt.Y("spearman:Q", scale=scale, axis=y_axis), color=colour, shape=shape
        ),
    ]
    return layered(marks, WIDTH, HEIGHT, alt.Title(title))
