"""Figure 1: how the ranking by r_Q settles as models are added."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.figure import rows
from quantleak.studies.common.style import BLUE, FONT, INK, cell_name, finished, grid, layered, short
from quantleak.studies.synthetic.figures.by_distribution import of, wide
from quantleak.studies.synthetic.figures.subsets import CONFUSED, PLACES, SUBSETS, Ranked, ranked
from quantleak.studies.synthetic.findings import PAPER, Findings
from quantleak.studies.synthetic.jobs import Synthetic, Tables
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED
from quantleak.studies.synthetic.jobs.settings import Distribution


def rank_stability(study: Synthetic, tables: Tables, findings: Findings) -> Figure:
    """The figure, for sigma 2 and 8 modes, or the first distribution of a study without them."""
    d = next((d for d in study.distributions if (d.modes, d.sigma) == (8, 2.0)), study.distributions[0])
    found = ranked(wide(of(tables.models, d), "r_q"))
    parts = [
        _shares(found),
        _curve(findings, d),
        *(_confusion(found, size) for size in CONFUSED if size < study.models),
    ]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return Figure(
        name="fig1",
        title=f"Figure 1. How many models does a stable ranking need? {cell_name(d.modes, d.sigma)}",
        caption=(
            f"Random subsets of the {study.models} models, {SUBSETS} of each size, rank the quantizers by mean r_Q; "
            "rank 1 is the most private. Above: one panel per quantizer, the stronger the colour the more subsets give "
            "it that rank; the dashed line is its rank by all models. Below: the correlation of a subset's ranking "
            "with that of all models, mean and 90% of the subsets, and which rank subsets of 20 and of 50 models give "
            "to the quantizer that has a rank by all. The paper shows the same for 300 models and calls the ranking "
            "stable after 15 to 20."
        ),
        frame=frame,
        chart=drawing(frame, found),
        shown=_by_size(frame),
    )


def _shares(found: Ranked) -> pd.DataFrame:
    """Share of subsets in which a quantizer has a rank; ties fall to the better one."""
    counted = (np.floor(found.subsets)[..., None] == np.array(PLACES)).mean(1)  # [sizes, 8, ranks]
    index = pd.MultiIndex.from_product([found.sizes, QUANTIZED, PLACES], names=["models", "quantizer", "rank"])
    return pd.DataFrame({"value": counted.ravel()}, index=index).reset_index().assign(part="share of subsets")


def _curve(findings: Findings, d: Distribution) -> pd.DataFrame:
    curve = of(findings.stability[findings.stability["score"] == PAPER], d)
    return curve[["models", "spearman", "low", "high"]].rename(columns={"spearman": "value"}).assign(part="spearman")


def _confusion(found: Ranked, size: int) -> pd.DataFrame:
    """Share of subsets that give a rank to the quantizer of a rank by all models."""
    subsets = np.floor(found.subsets[found.sizes.index(size)])  # [subsets, 8]
    order = np.argsort(found.all, kind="stable")
    counted = (subsets[:, order, None] == np.array(PLACES)).mean(0)  # [rank by all, rank]
    index = pd.MultiIndex.from_product([PLACES, PLACES], names=["rank_by_all", "rank"])
    frame = pd.DataFrame({"value": counted.ravel(), "quantizer": np.repeat(found.order(), len(PLACES))}, index=index)
    return frame.reset_index().assign(part="confusion", models=size)


def _by_size(frame: pd.DataFrame) -> pd.DataFrame:
    """For the page: how often subsets of a size give a quantizer its rank by all, and how far rankings correlate."""
    shares = frame[frame["part"] == "share of subsets"]
    last = shares[(shares["models"] == shares["models"].max()) & (shares["value"] > 0)].drop_duplicates("quantizer")
    by_all = shares.merge(last[["quantizer", "rank"]], on=["quantizer", "rank"])
    kept = by_all.pivot(index="models", columns="quantizer", values="value")[list(QUANTIZED)]
    curve = frame[frame["part"] == "spearman"].set_index("models")["value"].rename("Spearman with all")
    return kept.add_prefix("rank kept: ").join(curve).reset_index()


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
