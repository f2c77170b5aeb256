"""Whether r_Q and free scores rank round-to-nearest at different widths as the strongest attack does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from quantleak.studies.common.ranking import mean, spearman
from quantleak.studies.common.ranking import resampled as over_models
from quantleak.studies.common.strongest import strongest
from quantleak.studies.common.true_negatives import true_negatives
from quantleak.studies.vision.findings.measured import Measured
from quantleak.studies.vision.findings.resampling import limits
from quantleak.studies.vision.jobs import ADAPTIVE, NONE, STRONGEST

SIGNS = {"r_q": 1.0, "cramer": 1.0, "fidelity": -1.0, "elements": -1.0, "true_negatives": -1.0}
"""By score, 1 where larger means more private."""


def scores(one: Measured, resamples: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What every score says of the quantizers that have an r_Q, and how it ranks them beside the strongest attack.

    Returns:
        One row for each quantizer: the mean over models of every score, the median resolution `z` of r_Q, and `mis`,
        the MIS bound of the strongest attack with quantized shadows, with its interval. And one row for each score:
        Spearman's correlation with `mis`, with an interval over models; a score that is equal for all quantizers ranks
        none, and has none.
    """
    block, seed = one.trained.quantized.block, one.plan.settings.seed
    specs = [spec for spec in block.rates if spec in one.rows]
    values: dict[str, np.ndarray] = {
        name: np.array([[model[name].value for model in block.rates[spec]] for spec in specs]).T
        for name in ("r_q", "cramer")
    }
    r_q = [[model["r_q"] for model in block.rates[spec]] for spec in specs]
    values["elements"] = np.array([[rate.elements for rate in models] for models in r_q], dtype=np.float64).T
    places = [one.place(spec) for spec in specs]
    values["fidelity"] = block.fidelity[:, places]
    signals = block.pool if block.pool.ndim == 3 else block.pool.mean(-1)
    values["true_negatives"] = np.stack([true_negatives(signals[:, p], one.plan.member) for p in places], axis=1)
    security = {spec: strongest(_accuracies(one, spec), resamples, seed) for spec in specs}
    table = pd.DataFrame({"data": one.name, "quantizer": specs, "width": [one.rows[spec].width for spec in specs]})
    table["head"] = [one.rows[spec].option for spec in specs]
    for name, each in values.items():
        table[name] = mean(each, 0)
    table["z"] = [float(np.nanmedian([rate.z for rate in models])) for models in r_q]
    bounds = [limits(security[spec].resampled, one.plan.settings.level) for spec in specs]
    table["mis"] = [security[spec].value for spec in specs]
    table["mis_low"], table["mis_high"] = zip(*bounds, strict=True)
    table["strongest"] = [" / ".join(dict.fromkeys(security[spec].chosen)) for spec in specs]
    again = np.stack([security[spec].resampled for spec in specs], axis=1)
    rows: list[dict[str, Any]] = []
    for name, sign in SIGNS.items():
        agreement = float(spearman(sign * table[name].to_numpy(), table["mis"].to_numpy()))
        low = high = np.nan
        if not np.isnan(agreement):
            drawn = np.nan_to_num(spearman(sign * over_models(values[name], mean, resamples, seed), again))
            low, high = limits(drawn, one.plan.settings.level)
        rows.append({"data": one.name, "score": name, "spearman": agreement, "low": low, "high": high})
    return table, pd.DataFrame(rows)


def _accuracies(one: Measured, spec: str) -> dict[str, np.ndarray]:
    """By attack with quantized shadows, balanced accuracy of every target at a threshold from other targets."""
    end = "/balanced_accuracy"
    found = {key.removesuffix(end): v for key, v in one.outputs[spec].columns.items() if key.endswith(end)}
    open_to = {key: values for key, values in found.items() if key.partition("/")[2] in (ADAPTIVE, NONE)}
    return {key.replace("/", ", "): v for key, v in open_to.items() if not key.startswith(STRONGEST)}
