"""Figure 1: how the ranking by r_Q settles as models are added."""

from __future__ import annotations

import numpy as np
import pandas as pd

from quantleak.studies.common import Figure
from quantleak.studies.common.style import cell_name
from quantleak.studies.synthetic.figures.by_distribution import of, wide
from quantleak.studies.synthetic.figures.rank_drawing import drawing
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
