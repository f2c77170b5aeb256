"""Comparisons of rows of the vision study, paired by target and example: what verdicts are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from quantleak.attacks import Crossed
from quantleak.quantizers import BASELINE
from quantleak.results import Estimate
from quantleak.studies.vision.findings import LOW, METRIC, PAPERS, Findings, Measured, limits, resampled
from quantleak.studies.vision.jobs import ONLINE, WIDTH, Row


def published_rows(findings: Findings, widths: Sequence[str]) -> Iterator[tuple[Measured, Row]]:
    """The paper's methods at some widths, on every data set."""
    for one in findings.measured.values():
        for width in widths:
            for method in PAPERS:
                row = one.find(WIDTH, method, width)
                if row is not None:
                    yield one, row


def low_widths(findings: Findings) -> Iterator[tuple[Measured, str]]:
    """Every data set at 2 bits and ternary."""
    for one in findings.measured.values():
        yield from ((one, width) for width in LOW)


def by_method(one: Measured, width: str, mode: str) -> dict[str, Crossed]:
    """TPR at 1% FPR under online LiRA of the paper's methods."""
    rows = {method: one.find(WIDTH, method, width) for method in PAPERS}
    figures = {m: one.leakage(row.spec, ONLINE, mode, METRIC) for m, row in rows.items() if row is not None}
    return {method: figure for method, figure in figures.items() if figure is not None}


def difference(one: Measured, first: tuple[str, str], second: tuple[str, str]) -> Estimate | None:
    """Of the TPR at 1% FPR under online LiRA of two (row, mode), paired by target and example."""
    figures = [one.leakage(name, ONLINE, mode, METRIC) for name, mode in (first, second)]
    if figures[0] is None or figures[1] is None:
        return None
    return (figures[0] - figures[1]).estimate(one.plan.settings.level)


def ratio(findings: Findings, one: Measured, row: Row, mode: str, metric: str) -> Estimate | None:
    """A figure of a row as a share of the original's."""
    before, after = (one.leakage(name, ONLINE, mode, metric) for name in (BASELINE, row.spec))
    if before is None or after is None or before.mean <= 0:
        return None
    drawn = resampled({"before": before, "after": after}, findings.study.resamples, findings.study.seed)
    low, high = limits(drawn["after"] / np.maximum(drawn["before"], 1e-9), findings.study.level)
    return Estimate(value=after.mean / before.mean, low=low, high=high)


def value_of(estimate: Estimate) -> float:
    """The value of an estimate that has one."""
    return float(estimate)


def above(estimate: Estimate, limit: float = 0.0) -> bool:
    """Whether the interval lies above a limit."""
    return estimate.low is not None and estimate.low > limit
