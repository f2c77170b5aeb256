"""Ours: how many models every score needs before its ranking stays."""

from __future__ import annotations

import altair as alt
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, FONT, INK, cell_name, finished, layered, room_for
from quantleak.studies.synthetic.figures.agreement import in_words
from quantleak.studies.synthetic.findings import Findings
from quantleak.studies.synthetic.jobs import Synthetic

MEDIAN = "median"
ROW, COLUMN = 19.0, 58.0


def needed(study: Synthetic, findings: Findings) -> Figure:
    """The figure."""
    frame = findings.needed.assign(median=findings.needed.groupby("score")["models"].transform("median"))
    frame = frame.sort_values(["median", "score", "sigma", "k_modes"], kind="stable", ignore_index=True)
    return Figure(
        name="needed",
        title="How many models does every score need?",
        caption=(
            "The fewest models from which a score's ranking keeps, on average over random subsets, a Spearman "
            "correlation of 0.95 with its own ranking of all models; by distribution, and the median of them. A "
            "stronger colour is more. A ranking that settles at once need not be right. Competitors were searched for "
            f"the first {min(study.searched_models, study.models)} models only, which makes those scores look settled "
            "sooner. The paper names 15 to 20 models for mean r_Q."
        ),
        frame=frame,
        chart=finished(_drawn(study, frame)),
        shown=_wide(frame),
    )


def _wide(frame: pd.DataFrame) -> pd.DataFrame:
    """For the page: a row a score, a column a distribution."""
    order = dict.fromkeys(zip(frame["score"], frame["median"], strict=True))
    wide = frame.pivot(index=["score", "median"], columns=["sigma", "k_modes"], values="models").loc[list(order)]
    cells = wide.columns.to_frame(index=False)
    names = [cell_name(int(modes), float(sigma)) for modes, sigma in zip(cells["k_modes"], cells["sigma"], strict=True)]
    return wide.set_axis(names, axis=1).reset_index()


def _drawn(study: Synthetic, frame: pd.DataFrame) -> alt.LayerChart:
    names = list(dict.fromkeys(frame["score"]))
    cells = frame.assign(column=[f"{s:g} / {k}" for s, k in zip(frame["sigma"], frame["k_modes"], strict=True)])
    medians = frame.drop_duplicates("score").assign(column=MEDIAN, models=lambda found: found["median"])
    together = pd.concat([medians, cells], ignore_index=True)
    together = together.assign(name=[in_words(score) for score in together["score"]])
    base = alt.Chart(rows(together[["name", "column", "models"]]))
    columns = [MEDIAN, *(f"{d.sigma:g} / {d.modes}" for d in study.distributions)]
    x_axis = alt.Axis(title="σ / modes", orient="top", labelAngle=0, domain=False, ticks=False)
    x = alt.X("column:N", sort=columns, axis=x_axis)
    words = [in_words(name) for name in names]
    y_axis = alt.Axis(title=None, domain=False, ticks=False, labelFontSize=FONT, minExtent=room_for(words))
    y = alt.Y("name:N", sort=words, axis=y_axis)
    shade = alt.Scale(type="log", domain=[1, max(2, study.models)], range=[0.03, 0.5])
    marks = [
        base.mark_rect(color=BLUE).encode(x=x, y=y, opacity=alt.Opacity("models:Q", scale=shade, legend=None)),
        base.mark_text(fontSize=FONT, color=INK).encode(x=x, y=y, text=alt.Text("models:Q", format="~r")),
    ]
    return layered(marks, alt.Step(COLUMN), alt.Step(ROW))
