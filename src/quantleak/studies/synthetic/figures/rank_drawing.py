"""How Figure 1 is drawn: ranks by number of models, the correlation of rankings, and who is taken for whom."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import altair as alt
import pandas as pd

from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, FONT, INK, finished, grid, layered, short
from quantleak.studies.synthetic.figures.subsets import PLACES, Ranked

STABLE = 0.95
PANEL, PANEL_HEIGHT, SQUARE = 168.0, 118.0, 205.0


def drawing(frame: pd.DataFrame, found: Ranked) -> alt.VConcatChart:
    """The frame of the figure, its three parts distinguished by `part`."""
    # Shares are shaded more strongly where no number stands on them.
    both: alt.VConcatChart = alt.vconcat(_panels(frame, found), _below(frame), spacing=26)
    made: alt.VConcatChart = finished(both.resolve_scale(opacity="independent"))
    return made


def _panels(frame: pd.DataFrame, found: Ranked) -> alt.ConcatChart:
    shares = frame[(frame["part"] == "share of subsets") & (frame["value"] > 0)]
    edges = _edges(found.sizes)
    shares = shares.assign(
        left=[edges[found.sizes.index(int(size))][0] for size in shares["models"]],
        right=[edges[found.sizes.index(int(size))][1] for size in shares["models"]],
        top=shares["rank"] - 0.5,
        bottom=shares["rank"] + 0.5,
    )
    made = [
        _panel(shares[shares["quantizer"] == spec], spec, place, (edges[0][0], edges[-1][1]))
        for place, spec in enumerate(found.order())
    ]
    return grid(made, 4)


def _edges(sizes: list[int]) -> list[tuple[float, float]]:
    """Where the band of each size begins and ends: halfway, on a logarithmic axis, to its neighbours."""
    middles = [(a * b) ** 0.5 for a, b in pairwise(sizes)]
    first, last = sizes[0] ** 2 / middles[0], sizes[-1] ** 2 / middles[-1]
    return list(zip([first, *middles], [*middles, last], strict=True))


def _panel(shares: pd.DataFrame, spec: str, place: int, ends: tuple[float, float]) -> alt.LayerChart:
    x_axis = alt.Axis(title="models (log)" if place >= 4 else None, values=[1, 3, 10, 30, 100, 300], grid=False)
    scale = alt.Scale(type="log", domain=list(ends), nice=False)
    y_axis = alt.Axis(title="rank" if place % 4 == 0 else None, values=list(PLACES), format="d", grid=False)
    up: dict[str, Any] = {"axis": y_axis, "scale": alt.Scale(domain=[0.5, 8.5], reverse=True, nice=False, zero=False)}
    cells = (
        alt.Chart(rows(shares[["left", "right", "top", "bottom", "value"]]))
        .mark_rect(color=BLUE)
        .encode(
            x=alt.X("left:Q", scale=scale, axis=x_axis),
            x2="right:Q",
            y=alt.Y("top:Q", **up),
            y2="bottom:Q",
            opacity=alt.Opacity("value:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 1]), legend=None),
        )
    )
    final = alt.Chart(pd.DataFrame([{"rank": place + 1}])).mark_rule(strokeDash=[3, 3], color=INK, opacity=0.7)
    title = alt.Title(short(spec), subtitle=f"rank {place + 1} by all models")
    return layered([cells, final.encode(y=alt.Y("rank:Q", **up))], PANEL, PANEL_HEIGHT, title)


def _below(frame: pd.DataFrame) -> alt.HConcatChart:
    matrices = frame[frame["part"] == "confusion"]
    made = [_matrix(matrices[matrices["models"] == size], int(size)) for size in matrices["models"].unique()]
    return alt.hconcat(_correlation(frame[frame["part"] == "spearman"]), *made, spacing=26)


def _correlation(curve: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(rows(curve))
    x = alt.X(
        "models:Q",
        scale=alt.Scale(type="log", nice=False, domain=[1, int(curve["models"].max())]),
        axis=alt.Axis(title="models (log)", values=[1, 3, 10, 30, 100, 300]),
    )
    y_scale = alt.Scale(domain=[min(0.0, float(curve["low"].min())), 1.0], nice=False)
    y = alt.Y(
        "value:Q", scale=y_scale, axis=alt.Axis(title="Spearman with the ranking by all", tickCount=6, format=".1f")
    )
    line = alt.Chart(pd.DataFrame([{"y": STABLE, "text": f"{STABLE:g}"}]))
    level = alt.Y("y:Q", scale=y_scale)
    marks = [
        base.mark_area(color=BLUE, opacity=0.2).encode(x=x, y=alt.Y("low:Q", scale=y_scale), y2="high:Q"),
        base.mark_line(color=BLUE, strokeWidth=2).encode(x=x, y=y),
        line.mark_rule(strokeDash=[3, 3], color=INK, opacity=0.7).encode(y=level),
        line.mark_text(align="left", baseline="top", dx=3, dy=3, fontSize=FONT, color=INK).encode(
            x=alt.value(0), y=level, text="text:N"
        ),
    ]
    title = alt.Title("Correlation of rankings", subtitle="mean, and 90% of subsets")
    return layered(marks, SQUARE + 20, SQUARE, title)


def _matrix(matrix: pd.DataFrame, size: int) -> alt.LayerChart:
    drawn = matrix[matrix["value"] > 0]
    base = alt.Chart(rows(drawn.assign(percent=(100 * drawn["value"]).round().astype(int))))
    all_ranks = alt.Scale(domain=list(PLACES))
    x = alt.X("rank:O", scale=all_ranks, axis=alt.Axis(title=f"rank by {size} models", labelAngle=0))
    y = alt.Y("rank_by_all:O", scale=all_ranks, axis=alt.Axis(title="rank by all models"))
    opacity = alt.Opacity("value:Q", scale=alt.Scale(domain=[0, 1], range=[0.04, 0.6]), legend=None)
    marks = [
        base.mark_rect(color=BLUE).encode(x=x, y=y, opacity=opacity),
        base.transform_filter("datum.percent > 0")
        .mark_text(fontSize=FONT - 1, color=INK)
        .encode(x=x, y=y, text="percent:Q"),
    ]
    title = alt.Title(f"{size} models against all", subtitle="per cent of subsets")
    return layered(marks, SQUARE, SQUARE, title)
