"""Ours: every score that was tried, by how well it ranks beside the strongest attack."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, FONT, GREEN, INK, ORANGE, finished, layered, room_for
from quantleak.studies.synthetic.findings import PAPER, PROPOSED, Findings
from quantleak.studies.synthetic.jobs import Synthetic

PAPERS_FIGURE = 0.86
KINDS = {
    "estimator": ("estimator", "circle", BLUE),
    "equal": ("r_Q at equal numbers of elements", "diamond", ORANGE),
    "control": ("free control", "square", GREEN),
}
WIDTH, STEP = 470.0, 17.0


def in_words(score: str) -> str:
    """A score's name for readers, the paper's and ours marked.

    Example:
        >>> in_words("mean r_q"), in_words("median r_q")
        ("mean r_Q (the paper's)", 'median r_Q')
    """
    mark = {PAPER: " (the paper's)", PROPOSED: " (ours)"}.get(score, "")
    return score.replace("r_q", "r_Q").replace("cramer", "Cramér rate") + mark


def agreement(study: Synthetic, findings: Findings) -> Figure:
    """The figure."""
    frame = findings.overall.sort_values("spearman", ascending=False, kind="stable").reset_index(drop=True)
    count = len(study.distributions)
    return Figure(
        name="agreement",
        title="What ranks the quantizers as the strongest attack does?",
        caption=(
            "Spearman's correlation over the eight quantizers between a score and the MIS that the strongest attack "
            f"leaves, the mean over {count} distribution{'s' if count > 1 else ''} with its 95% interval over models. "
            "An estimator is computed from the losses or outputs of quantized models; a control is free; r_Q at equal "
            f"numbers of elements takes the count out of r_Q. The paper reports {PAPERS_FIGURE:g} for mean r_Q against "
            "its discriminator (dashed line), and no control."
        ),
        frame=frame,
        chart=finished(_drawn(frame)),
    )


def _drawn(frame: pd.DataFrame) -> alt.LayerChart:
    named = frame.assign(
        name=[in_words(score) for score in frame["score"]], kind=[KINDS[kind][0] for kind in frame["kind"]]
    )
    base = alt.Chart(rows(named))
    kinds, shapes, paints = (list(column) for column in zip(*KINDS.values(), strict=True))
    names = list(named["name"])
    y_axis = alt.Axis(title=None, labelFontSize=FONT, ticks=False, grid=True, minExtent=room_for(names))
    y = alt.Y("name:N", sort=names, axis=y_axis)
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=paints), title=None)
    shape = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shapes), title=None)
    lowest = min(0.0, float(frame["low"].min()))
    scale = alt.Scale(domain=[lowest - 0.03, 1.03], nice=False)
    x_axis = alt.Axis(
        title="Spearman with the strongest attack's MIS, mean over distributions", tickCount=8, format=".1f"
    )
    paper = alt.Chart(pd.DataFrame([{"x": PAPERS_FIGURE, "text": f"the paper's {PAPERS_FIGURE:g}"}]))
    marks = [
        paper.mark_rule(strokeDash=[3, 3], color=INK, opacity=0.7).encode(x=alt.X("x:Q", scale=scale)),
        paper.mark_text(align="right", baseline="bottom", dx=-4, dy=-3, fontSize=FONT, color=INK).encode(
            x=alt.X("x:Q", scale=scale), y=alt.value(alt.expr("height")), text="text:N"
        ),
        base.mark_rule(strokeWidth=1.3, opacity=0.6).encode(
            x=alt.X("low:Q", scale=scale, axis=x_axis), x2="high:Q", y=y, color=colour
        ),
        base.mark_point(filled=True, size=55, opacity=1).encode(
            x=alt.X("spearman:Q", scale=scale, axis=x_axis), y=y, color=colour, shape=shape
        ),
    ]
    return layered(marks, WIDTH, alt.Step(STEP))
