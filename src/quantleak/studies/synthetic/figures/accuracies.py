"""Table 2: test accuracies, beside the paper's where it reports them."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from quantleak.quantizers import PAPER_A
from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, FONT, INK, cell_name, finished, layered, room_for, short
from quantleak.studies.synthetic.jobs import Synthetic, Tables
from quantleak.studies.synthetic.jobs.paper import ACCURACY_AT_SIGMA_2

ROW, COLUMN = 40.0, 74.0


def accuracies(study: Synthetic, tables: Tables) -> Figure:
    """The table, and the same drawn."""
    frame = table_2(study, tables.accuracy)
    return Figure(
        name="table2",
        title="Table 2. Test accuracy by distribution and quantizer",
        caption=(
            f"Large: the mean accuracy over {_draws(study)}, each the mean over its models. Small: plus or minus the "
            "standard deviation between draws, and at σ = 2, where the paper's table is known to us, the difference "
            "to it. A stronger colour is more accurate. Where the paper's centres lie is not known: their draw moves "
            "all quantizers together."
        ),
        frame=frame,
        chart=finished(_drawn(study, frame)),
    )


def _draws(study: Synthetic) -> str:
    return f"{study.draws} draws of the mixture's centres" if study.draws > 1 else "one draw of the mixture's centres"


def table_2(study: Synthetic, accuracy: pd.DataFrame) -> pd.DataFrame:
    """One row for each (distribution, quantizer).

    Args:
        study: Its distributions give the order.
        accuracy: One row for each (distribution, draw, quantizer).

    Returns:
        `sigma`, `k_modes`, `quantizer`, `accuracy` (mean over draws), `spread` (standard deviation between them, ddof
        1), `draws`, `paper` and `difference` (ours less the paper's).
    """
    grouped = accuracy.groupby(["sigma", "k_modes", "quantizer"])["accuracy"]
    found = grouped.agg(accuracy="mean", spread="std", draws="count")
    order = [(d.sigma, d.modes, spec) for d in study.distributions for spec in PAPER_A]
    frame = found.loc[order].reset_index()
    frame["paper"] = [_paper(*row) for row in frame[["sigma", "k_modes", "quantizer"]].itertuples(index=False)]
    return frame.assign(difference=frame["accuracy"] - frame["paper"])


def _paper(sigma: float, modes: int, spec: str) -> float:
    return ACCURACY_AT_SIGMA_2[modes][spec] if sigma == 2.0 and modes in ACCURACY_AT_SIGMA_2 else np.nan


def _drawn(study: Synthetic, frame: pd.DataFrame) -> alt.LayerChart:
    texts = frame.assign(
        distribution=[cell_name(modes, sigma) for modes, sigma in zip(frame["k_modes"], frame["sigma"], strict=True)],
        column=[short(spec) for spec in frame["quantizer"]],
        large=[f"{value:.3f}" for value in frame["accuracy"]],
        small=[_small(*row) for row in frame[["spread", "difference"]].itertuples(index=False)],
    )
    base = alt.Chart(rows(texts[["distribution", "column", "large", "small", "accuracy"]]))
    x = alt.X(
        "column:N",
        sort=[short(spec) for spec in PAPER_A],
        axis=alt.Axis(title=None, orient="top", labelAngle=0, domain=False, ticks=False, labelFontSize=FONT),
    )
    names = [cell_name(d.modes, d.sigma) for d in study.distributions]
    y_axis = alt.Axis(title=None, domain=False, ticks=False, labelFontSize=FONT, minExtent=room_for(names))
    y = alt.Y("distribution:N", sort=names, axis=y_axis)
    shade = alt.Opacity("accuracy:Q", scale=alt.Scale(domain=[0.5, 1], range=[0, 0.4]), legend=None)
    marks = [
        base.mark_rect(color=BLUE).encode(x=x, y=y, opacity=shade),
        base.mark_text(fontSize=FONT + 2, dy=-7, color=INK).encode(x=x, y=y, text="large:N"),
        base.mark_text(fontSize=FONT - 1, dy=9, color=INK, opacity=0.85).encode(x=x, y=y, text="small:N"),
    ]
    return layered(marks, alt.Step(COLUMN), alt.Step(ROW))


def _small(spread: float, difference: float) -> str:
    parts = [] if np.isnan(spread) else [f"±{spread:.3f}".replace("0.", ".")]
    return ", ".join(parts if np.isnan(difference) else [*parts, _signed(difference)])


def _signed(value: float) -> str:
    """A difference without the zero before the point.

    Example:
        >>> _signed(-0.0213), _signed(0.0004)
        ('−.021', '+.000')
    """
    return f"{value:+.3f}".replace("0.", ".", 1).replace("-", "−")
