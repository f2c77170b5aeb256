"""How much of what quantization seems to protect is the mismatch of an attacker whose shadows are not quantized."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from quantleak.attacks import Crossed
from quantleak.quantizers import BASELINE
from quantleak.results import Estimate
from quantleak.studies.vision.findings.measured import Measured
from quantleak.studies.vision.findings.resampling import limits, resampled
from quantleak.studies.vision.jobs import ADAPTIVE, FPR, ONLINE, STRONGEST, TRANSFER

METRIC = f"tpr@{FPR:g}"
NO_DROP = "the float-shadow attacker does not certainly find less in the quantized networks than in the originals"


def gaps(one: Measured, resamples: int) -> pd.DataFrame:
    """One row for each quantizer that every attack was run on, and for online LiRA and the strongest attack.

    Columns: `original`, `transfer`, `adaptive` (TPR at 1% FPR), `difference` = adaptive - transfer and `drop` =
    original - transfer with their intervals, and `share` = difference / drop with the interval of a paired bootstrap
    over targets and examples; where the lower limit of the drop is not above 0, no share but a `reason`.
    """
    rows: list[dict[str, Any]] = []
    for attack in (ONLINE, STRONGEST):
        figures = _figures(one, attack)
        drawn = resampled(
            {f"{spec}|{mode}": figure for (spec, mode), figure in figures.items()}, resamples, one.plan.settings.seed
        )
        for spec, row in one.rows.items():
            if (spec, TRANSFER) not in figures or spec == BASELINE:
                continue
            found = _gap(figures, drawn, spec, one.plan.settings.level)
            labels = {"data": one.name, "quantizer": spec, "part": row.part, "method": row.method}
            rows.append({**labels, "width": row.width, "head": row.option, "attack": attack, **found})
    return pd.DataFrame(rows)


def _figures(one: Measured, attack: str) -> dict[tuple[str, str], Crossed]:
    """By quantizer and mode, where the examples support the rate."""
    found: dict[tuple[str, str], Crossed] = {}
    for spec, row in one.rows.items():
        for mode in (TRANSFER, ADAPTIVE) if row.whole else ():
            figure = one.leakage(spec, attack, mode, METRIC)
            if figure is not None:
                found[spec, mode] = figure
    return found


def _gap(
    figures: dict[tuple[str, str], Crossed], drawn: dict[str, np.ndarray], spec: str, level: float
) -> dict[str, Any]:
    original, transfer, adaptive = (figures[key] for key in ((BASELINE, TRANSFER), (spec, TRANSFER), (spec, ADAPTIVE)))
    difference, drop = (adaptive - transfer).estimate(level), (original - transfer).estimate(level)
    found: dict[str, Any] = {"original": original.mean, TRANSFER: transfer.mean, ADAPTIVE: adaptive.mean}
    found |= _columns("difference", difference) | _columns("drop", drop)
    if drop.low is None or drop.low <= 0:
        return found | {"share": np.nan, "share_low": np.nan, "share_high": np.nan, "reason": NO_DROP}
    before, away, near = (
        drawn[f"{name}|{mode}"] for name, mode in ((BASELINE, TRANSFER), (spec, TRANSFER), (spec, ADAPTIVE))
    )
    low, high = limits((near - away) / (before - away), level)
    share = (adaptive.mean - transfer.mean) / (original.mean - transfer.mean)
    return found | {"share": share, "share_low": low, "share_high": high, "reason": ""}


def _columns(name: str, estimate: Estimate) -> dict[str, Any]:
    return {
        name: estimate.value,
        f"{name}_low": np.nan if estimate.low is None else estimate.low,
        f"{name}_high": np.nan if estimate.high is None else estimate.high,
    }
