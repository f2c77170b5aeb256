"""Whether the scores of perceptrons rank quantizers as the strongest attack on them does, at every N."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from quantleak.studies.common.ranking import mean, spearman
from quantleak.studies.common.strongest import strongest
from quantleak.studies.synthetic.jobs import CELL, Synthetic
from quantleak.studies.synthetic.jobs.fresh import QUANTIZED

RATES = ("r_q", "cramer")
SIGNS = {"fidelity": -1.0, "true_negatives": -1.0, "elements": -1.0}
"""What else ranks quantizers, and the sign that makes it larger = more private."""


def perceptrons(study: Synthetic, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Agreement of every score with the strongest attack.

    Args:
        study: What was run.
        tables: `rates`, `scores` and `attacks` of the perceptrons; see `Tables`.

    Returns:
        `mis`: one row for each (distribution, quantizer): `mis` of the strongest attack and which it was. `agreement`:
        one row for each (distribution, score, N): `spearman`; scores that need no N have none. A score that is equal
        for all quantizers ranks none: its correlation counts as 0.
    """
    mis, agreement = [], []
    for cell, attacks in tables["attacks"].groupby(CELL, sort=False):
        labels = dict(zip(CELL, cell, strict=True))
        found = {
            spec: strongest({str(name): part["accuracy"].to_numpy() for name, part in rows.groupby("attack")}, 20)
            for spec, rows in attacks.groupby("quantizer", sort=False)
        }
        mis += [
            {**labels, "quantizer": spec, "mis": one.value, "chosen": " / ".join(dict.fromkeys(one.chosen))}
            for spec, one in found.items()
        ]
        security = np.array([found[spec].value for spec in QUANTIZED])
        rates = _of(tables["rates"], labels)
        for (size,), at in rates.groupby(["n_validation"]):
            for name in RATES:
                ranked = mean(at.pivot(index="model", columns="quantizer", values=name)[list(QUANTIZED)].to_numpy(), 0)
                row = {**labels, "score": name, "n_validation": size, "spearman": _agreement(ranked, security)}
                agreement.append(row | {"z": float(at["z"].median())})
        scores = _of(tables["scores"], labels)
        for name, sign in SIGNS.items():
            values = scores[scores["score"] == name].set_index("quantizer")["value"][list(QUANTIZED)].to_numpy()
            agreement.append({**labels, "score": name, "spearman": _agreement(sign * values, security)})
    return {"mis": pd.DataFrame(mis), "agreement": pd.DataFrame(agreement)}


def _of(frame: pd.DataFrame, labels: Mapping[str, object]) -> pd.DataFrame:
    return frame[np.logical_and.reduce([frame[name] == value for name, value in labels.items()])]


def _agreement(score: np.ndarray, security: np.ndarray) -> float:
    return float(np.nan_to_num(spearman(score, security)))
