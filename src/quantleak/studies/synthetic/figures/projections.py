"""Figure 8: what the data look like."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, ORANGE, cell_name, finished, grid
from quantleak.studies.synthetic.figures.by_distribution import of
from quantleak.studies.synthetic.jobs import Synthetic
from quantleak.studies.synthetic.jobs.settings import Distribution, Purpose

EXAMPLES = 200
SIDE = 205.0


def projections(study: Synthetic) -> Figure:
    """The figure."""
    parts = [_projected(d) for d in study.distributions]
    frame = pd.concat([points for points, _ in parts], ignore_index=True)
    explained = pd.DataFrame([row for _, row in parts])
    return Figure(
        name="fig8",
        title="Figure 8. The data sets, on their first two principal components",
        caption=(
            f"{EXAMPLES} fresh examples x of each distribution; blue circles have label 0, orange triangles label 1. "
            "The share of the variance that the two components explain stands above each panel: the more noise and "
            "the more modes, the less of the structure two components show. The paper shows the same of its own draws."
        ),
        frame=frame,
        chart=finished(_panels(study, frame, explained)),
        shown=explained,
    )


def _projected(d: Distribution) -> tuple[pd.DataFrame, dict[str, float]]:
    drawn = d.mixture.sample(EXAMPLES, d.random(Purpose.POPULATION))
    points = drawn.features[:, : d.dimension].astype(np.float64)
    pca = PCA(n_components=2, svd_solver="full")
    first, second = pca.fit_transform(points).T
    frame = pd.DataFrame(
        {"sigma": d.sigma, "k_modes": d.modes, "first": first, "second": second, "label": drawn.labels}
    )
    shares = dict(zip(("first", "second"), map(float, pca.explained_variance_ratio_), strict=True))
    return frame.round(4), {
        "sigma": d.sigma,
        "k_modes": d.modes,
        **{f"explained by the {k}": v for k, v in shares.items()},
    }


def _panels(study: Synthetic, frame: pd.DataFrame, explained: pd.DataFrame) -> alt.ConcatChart:
    columns, made = len(study.modes), []
    for place, d in enumerate(study.distributions):
        here = of(frame, d)
        share = float(explained.iloc[place, 2:].sum())
        titles = (place >= len(study.distributions) - columns, place % columns == 0)
        made.append(
            _panel(here, alt.Title(cell_name(d.modes, d.sigma), subtitle=f"{100 * share:.0f}% of variance"), titles)
        )
    return grid(made, columns)


def _panel(frame: pd.DataFrame, title: alt.Title, titled: tuple[bool, bool]) -> alt.Chart:
    labels = [0, 1]
    made: alt.Chart = (
        alt.Chart(rows(frame))
        .mark_point(size=22, opacity=0.75, filled=True)
        .encode(
            x=alt.X("first:Q", axis=alt.Axis(title="first component" if titled[0] else None, tickCount=5)),
            y=alt.Y("second:Q", axis=alt.Axis(title="second component" if titled[1] else None, tickCount=5)),
            color=alt.Color("label:N", scale=alt.Scale(domain=labels, range=[BLUE, ORANGE]), legend=None),
            shape=alt.Shape("label:N", scale=alt.Scale(domain=labels, range=["circle", "triangle-up"]), legend=None),
        )
        .properties(width=SIDE, height=SIDE * 0.85, title=title)
    )
    return made
