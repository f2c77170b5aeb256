"""Quantized networks beside weaker float ones of the same accuracy: noise on the weights, training stopped early."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from quantleak.attacks import Crossed
from quantleak.auditing.measures.equal_utility import Point, at_equal_utility
from quantleak.quantizers import BASELINE
from quantleak.studies.vision.findings.measured import Measured
from quantleak.studies.vision.findings.mismatch import METRIC
from quantleak.studies.vision.jobs import ADAPTIVE, HEAD, NOISE, ONLINE, WIDTH, stopped_name

NOISE_CONTROL, STOPPED_CONTROL = "noise on the weights", "training stopped early"
LABELS = ("data", "quantizer", "part", "method", "width", "head", "control")
FIGURES = ("leakage", "control_leakage", "difference", "difference_low", "difference_high", "at", "reason")
COLUMNS = [*LABELS, *FIGURES]
STILL_BETTER = {
    NOISE_CONTROL: "the largest noise still keeps more accuracy",
    STOPPED_CONTROL: "the earliest epoch that was looked at already had more accuracy",
}


def controls(one: Measured) -> pd.DataFrame:
    """One row for each quantizer and control.

    Columns: `leakage`, the quantizer's TPR at 1% FPR under adaptive online LiRA; `control_leakage`, the control's where
    its accuracy is the same; `difference` of the two with its interval, which also holds for what is uncertain of the
    accuracy; `at`, the size of the noise or the epoch; a `reason` where there is no difference.
    """
    rows: list[dict[str, Any]] = []
    for control, points in (
        (NOISE_CONTROL, _noise(one)),
        (STOPPED_CONTROL, _stopped(one)),
    ):
        for spec, row in one.rows.items():
            leakage = one.leakage(spec, ONLINE, ADAPTIVE, METRIC)
            if row.part not in (WIDTH, HEAD) or leakage is None or len(points) < 2:
                continue
            found = at_equal_utility(one.utility[spec].crossed, leakage, points, one.plan.settings.level)
            at = np.nan if found.factor is None else found.factor
            labels = {"data": one.name, "quantizer": spec, "part": row.part, "method": row.method, "width": row.width}
            rows.append(
                {
                    **labels,
                    "head": row.option,
                    "control": control,
                    "leakage": leakage.mean,
                    "control_leakage": found.noise.value,
                    "difference": found.value,
                    "difference_low": found.low,
                    "difference_high": found.high,
                    "at": at if control == NOISE_CONTROL else (1 - at) * one.plan.settings.epochs,
                    "reason": "" if found.value is not None else STILL_BETTER[control],
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def _noise(one: Measured) -> list[Point]:
    """From the original to the largest noise."""
    named = {row.spec: float(row.option) for row in one.rows.values() if row.part == NOISE}
    return _points(one, {BASELINE: 0.0} | named)


def _stopped(one: Measured) -> list[Point]:
    """From the original back to the earliest epoch; sizes are the shares of training that are left out."""
    epochs = one.plan.settings.epochs
    return _points(one, {BASELINE: 0.0} | {stopped_name(epoch): 1 - epoch / epochs for epoch in one.stopped_at})


def _points(one: Measured, sizes: dict[str, float]) -> list[Point]:
    found: list[Point] = []
    for name, size in sizes.items():
        leakage: Crossed | None = one.leakage(name, ONLINE, ADAPTIVE, METRIC)
        if leakage is not None:
            found.append(Point(factor=size, utility=one.utility[name].crossed, leakage=leakage))
    return found
