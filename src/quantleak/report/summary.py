"""The table of one row a quantizer: what it keeps, what it leaks, what theory says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from quantleak.report import digits, words
from quantleak.report.grid import Cell, Column, Row, Table, estimate, name, value

if TYPE_CHECKING:
    from quantleak.result import AuditResult, QuantizerResult, Worst

RESOLVED = 2.0
"""Below this resolution z the best element cannot be told from its closest rival."""


def summary(result: AuditResult) -> Table:
    """One row a quantizer: bits, utility, the worst attack, r_Q with its resolution and number of elements.

    The leakage is the true-positive rate of the worst attack at the smallest false-positive rate that the examples
    support, or the AUC where they support none; the title of its column says which, or, where quantizers differ,
    each cell does. Without a supported rate the column with the AUC is left out, as it would repeat the leakage.
    """
    rates = {row.worst.fpr for row in result.quantizers}
    common = len(rates) == 1
    title = f"Worst {words.leakage(next(iter(rates)))}" if common else "Worst attack"
    with_auc = rates != {None}
    columns = [
        Column(title="Quantizer", numeric=False),
        Column(title="Bits"),
        Column(title=utility_title(result)),
        Column(title=title),
        *([Column(title="AUC")] if with_auc else []),
        Column(title="r_Q"),
        Column(title="z"),
        Column(title="Elements"),
    ]
    rows = [_row(row, mark(result, row.spec), common, with_auc) for row in result.quantizers]
    return Table(
        caption="Utility, leakage and privacy score of each quantizer", columns=tuple(columns), rows=tuple(rows)
    )


def _row(result: QuantizerResult, mark: str, common: bool, with_auc: bool) -> Row:
    cells = [
        named(result.spec),
        value(result.effective_bits, digits.bits),
        estimate(result.utility, digits.score),
        leakage(result.worst, common),
        *([value(result.worst.auc.value, digits.score)] if with_auc else []),
        value(result.rate.value, digits.significant),
        value(result.rate.resolution, digits.resolution),
        value(result.rate.elements, digits.count),
    ]
    return Row(cells=tuple(cells), mark=mark)


def mark(result: AuditResult, spec: str) -> str:
    """What sets the row of the recommended quantizer apart; an unclear recommendation is a candidate only."""
    if spec != result.recommended.quantizer:
        return ""
    return "recommended" if result.recommended.clear else "candidate"


def utility_title(result: AuditResult) -> str:
    """The metric of utility, the same for all quantizers of an audit."""
    return words.metric(result.quantizers[0].utility.metric) if result.quantizers else "Utility"


def named(spec: str) -> Cell:
    """The cell with a quantizer's spec; the original says that it is."""
    return name(spec, "(original)" if spec == words.ORIGINAL else "")


def leakage(worst: Worst, common: bool = True) -> Cell:
    """The cell of the worst attack; without a common measure it names its own."""
    cell = estimate(worst, digits.score if worst.fpr is None else digits.percent)
    return cell if common else replace(cell, note=f"({words.leakage(worst.fpr)})")


def unresolved(result: AuditResult) -> str:
    """A sentence on the quantizers whose r_Q is not resolved, empty if there are none."""
    rates = [row.rate for row in result.quantizers if row.rate.resolution is not None]
    below = [rate for rate in rates if rate.resolution is not None and rate.resolution < RESOLVED]
    if not below:
        return ""
    sizes = sorted({rate.n_validation for rate in below if rate.n_validation is not None})
    at = f" at N = {' or '.join(map(digits.count, sizes))} validation examples" if sizes else ""
    return f"z < 2: r_Q is not resolved{at} ({len(below)} of {len(rates)} quantizers)."
