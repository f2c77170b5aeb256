"""What two figures share: mean r_Q with its interval by distribution and quantizer, in panels of the paper's grid."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd

from quantleak.report.digits import typeset
from quantleak.studies.common.numbers import correlation as two_decimals
from quantleak.studies.common.ranking import Floats, mean, resampled, spearman
from quantleak.studies.common.scatter import Axis, panel, span
from quantleak.studies.common.style import cell_name, finished, grid
from quantleak.studies.synthetic.findings import SMALLEST
from quantleak.studies.synthetic.jobs import Synthetic, Tables
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED
from quantleak.studies.synthetic.jobs.settings import Distribution

LEVEL = 0.95
FAMILIES_IN_WORDS = (
    "Triangle: sign. Squares: ternary, with the share of weights set to zero. Circles: uniform, with their bits (b)."
)


def cells(study: Synthetic, tables: Tables) -> Iterator[tuple[Distribution, pd.DataFrame]]:
    """The rows of every distribution, in the order of the paper's grid: sigma down, modes across."""
    for d in study.distributions:
        yield d, of(tables.models, d)


def of(frame: pd.DataFrame, d: Distribution) -> pd.DataFrame:
    """The rows of one distribution."""
    return frame[(frame["k_modes"] == d.modes) & (frame["sigma"] == d.sigma)]


def wide(frame: pd.DataFrame, column: str) -> Floats:
    """A column of one distribution's rows as `[models, 8]`."""
    return np.asarray(frame.pivot(index="model", columns="quantizer", values=column)[list(QUANTIZED)].to_numpy(float))


def estimates(name: str, values: Floats, study: Synthetic) -> pd.DataFrame:
    """Mean over models of `[models, 8]` as column `name`, with percentile limits over models drawn again."""
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(resampled(values, mean, study.resamples, study.seed), [tail, 1 - tail], axis=0)
    return pd.DataFrame({name: mean(values, 0), f"{name}_low": low, f"{name}_high": high}, index=list(QUANTIZED))


def rate(frame: pd.DataFrame, study: Synthetic) -> pd.DataFrame:
    """Mean r_Q with its limits, one row per quantizer; no smaller than a logarithmic axis can show."""
    return estimates("r_q", wide(frame, "r_q"), study).clip(lower=SMALLEST)


def labelled(d: Distribution, frame: pd.DataFrame) -> pd.DataFrame:
    """Rows indexed by quantizer with the columns that say where they belong."""
    named = frame.rename_axis("quantizer").reset_index()
    named.insert(0, "k_modes", d.modes)
    named.insert(0, "sigma", d.sigma)
    return named


def panels(study: Synthetic, frame: pd.DataFrame, column: str, title: str) -> alt.ConcatChart:
    """r_Q against another column, one panel per distribution, Spearman's correlation printed in each.

    `frame` may bring a `spearman`, and its limits `spearman_low` and `spearman_high`.
    """
    columns, made = len(study.modes), []
    x_domain = span(frame, "r_q", log=True)
    for place, d in enumerate(study.distributions):
        here = of(frame, d)
        x = Axis(column="r_q", title="r_Q, nats (log)", domain=x_domain, log=True, format="~e")
        y = Axis(column=column, title=title, domain=span(here, column))
        heading = alt.Title(cell_name(d.modes, d.sigma), subtitle=correlation(here, column))
        titled = (place >= len(study.distributions) - columns, place % columns == 0)
        made.append(panel(here, x, y, heading, titled))
    return finished(grid(made, columns))


def correlation(here: pd.DataFrame, column: str) -> str:
    """Spearman's correlation of one panel in words, with its interval if the frame has it."""
    first = here.iloc[0]
    if "spearman_low" in here:
        value, low, high = (two_decimals(first[f"spearman{end}"]) for end in ("", "_low", "_high"))
        return typeset(f"Spearman {value} [{low}, {high}]")
    return typeset(f"Spearman {two_decimals(float(spearman(here['r_q'].to_numpy(), here[column].to_numpy())))}")
