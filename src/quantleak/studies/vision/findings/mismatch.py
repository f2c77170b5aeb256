"""How much of what quantization seems to protect is the mismatch of an attacker whose shadows are not quantized."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
import pandas as pd

from quantleak.attacks import Crossed
from quantleak.quantizers import BASELINE
from quantleak.results import Estimate
from quantleak.studies.vision.findings.measured import Measured
from quantleak.studies.vision.findings.resampling import limits, resampled
from quantleak.studies.vision.jobs import ADAPTIVE, FPR, ONLINE, PUBLISHED, STRONGEST, TERNARY, TRANSFER, WIDTH, Row

METRIC = f"tpr@{FPR:g}"
PAPERS = ("adaround", "brecq", "obq")
"""The paper's methods, over which a share is pooled too."""
LOW = ("2", TERNARY)
"""The widths at which it trades accuracy for privacy."""
POOLED = "all three"
NO_DROP = "the attacker with float shadows does not certainly find less in the quantized networks than in the originals"
LABELS = ("data", "quantizer", "part", "method", "width", "head", "attack", "metric")
FIGURES = ("original", TRANSFER, ADAPTIVE, "difference", "difference_low", "difference_high", "drop", "drop_low")
COLUMNS = [*LABELS, *FIGURES, "drop_high", "share", "share_low", "share_high", "reason"]


def gaps(one: Measured, resamples: int) -> pd.DataFrame:
    """One row for each quantizer that every attack was run on, attack and metric, and for the paper's methods together.

    Attacks are online LiRA, ours and under the paper's conventions, and the strongest that float, or quantized, shadows
    allow; metrics the TPR at 1% FPR and, of our LiRA, the AUC. Columns: `original`, `transfer`, `adaptive`,
    `difference` = adaptive - transfer and `drop` = original - transfer with their intervals, and `share` = difference /
    drop with the interval of a paired bootstrap over targets and examples; where the lower limit of the drop is not
    above 0, no share but a `reason`. Rows of the method `all three` have the means over the paper's methods at a width.
    """
    rows: list[dict[str, Any]] = []
    for attack, metric in ((ONLINE, METRIC), (ONLINE, "auc"), (PUBLISHED, METRIC), (STRONGEST, METRIC)):
        found = {spec: _three(one, spec, attack, metric) for spec, row in one.rows.items() if row.whole}
        rows += [
            _labels(one, one.rows[spec], attack, metric) | _gap(*three, one, resamples)
            for spec, three in found.items()
            if three is not None and spec != BASELINE
        ]
        for width in dict.fromkeys(row.width for row in one.rows.values() if row.part == WIDTH):
            mine = [row for row in (one.find(WIDTH, method, width) for method in PAPERS) if row is not None]
            threes = [three for three in (found[row.spec] for row in mine) if three is not None]
            if len(threes) == len(PAPERS):
                row = Row(spec=POOLED, part=WIDTH, method=POOLED, width=width)
                three = tuple(_mean(figures) for figures in zip(*threes, strict=True))
                rows.append(_labels(one, row, attack, metric) | _gap(three[0], three[1], three[2], one, resamples))
    return pd.DataFrame(rows, columns=COLUMNS)


def _labels(one: Measured, row: Row, attack: str, metric: str) -> dict[str, Any]:
    values = (one.name, row.spec, row.part, row.method, row.width, row.option, attack, metric)
    return dict(zip(LABELS, values, strict=True))


def _three(one: Measured, spec: str, attack: str, metric: str) -> tuple[Crossed, Crossed, Crossed] | None:
    """Of the originals, and of a quantizer under float and under quantized shadows; None where not all are known."""
    original = one.leakage(BASELINE, attack, ADAPTIVE, metric)
    transfer, adaptive = (one.leakage(spec, attack, mode, metric) for mode in (TRANSFER, ADAPTIVE))
    return None if original is None or transfer is None or adaptive is None else (original, transfer, adaptive)


def _mean(figures: Sequence[Crossed]) -> Crossed:
    """Of several figures of the same targets and examples."""
    values = reduce(add, [figure.values for figure in figures]) / len(figures)
    return Crossed(values=values, influence=reduce(add, [figure.influence for figure in figures]) / len(figures))


def _gap(original: Crossed, transfer: Crossed, adaptive: Crossed, one: Measured, resamples: int) -> dict[str, Any]:
    level = one.plan.settings.level
    away, fallen = adaptive - transfer, original - transfer
    difference, drop = away.estimate(level), fallen.estimate(level)
    found: dict[str, Any] = {"original": original.mean, TRANSFER: transfer.mean, ADAPTIVE: adaptive.mean}
    found |= _columns("difference", difference) | _columns("drop", drop)
    if drop.low is None or drop.low <= 0:
        return found | {"share": np.nan, "share_low": np.nan, "share_high": np.nan, "reason": NO_DROP}
    drawn = resampled({"difference": away, "drop": fallen}, resamples, one.plan.settings.seed)
    low, high = limits(drawn["difference"] / drawn["drop"], level)
    return found | {"share": away.mean / fallen.mean, "share_low": low, "share_high": high, "reason": ""}


def _columns(name: str, estimate: Estimate) -> dict[str, Any]:
    return {
        name: estimate.value,
        f"{name}_low": np.nan if estimate.low is None else estimate.low,
        f"{name}_high": np.nan if estimate.high is None else estimate.high,
    }
