"""The table with one row per quantizer (utility, leakage, r_Q), and the cells that it shares with other tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from quantleak.report import digits, words
from quantleak.report.grid import Cell, Column, Row, Table, estimate, name, value
from quantleak.report.names import in_words

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, QuantizerResult, Worst

RESOLVED = 2.0
"""Below this resolution z the best quantized model cannot be distinguished from its closest competitor."""


def summary(result: AuditRecord, short: bool = False) -> Table:
    """One row per quantizer: bits, utility, the worst attack, its difference to the original's, r_Q and its control.

    The leakage is the share of members that the worst attack finds at the smallest false-positive rate that the
    examples support, or its AUC where they support none; the title of its column says which, or, where quantizers
    differ, each cell does. A `short` table has room for specs only, not for words, and no interval of differences.
    """
    common = len({row.worst.fpr for row in result.quantizers}) == 1
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="Bits"),
        Column(title=utility_title(result)),
        Column(title=leakage_title(result)),
        Column(title="Against the original"),
        Column(title="r_Q"),
        Column(title="Distinct models"),
    )
    rows = [_row(row, mark(result, row.spec), common, short) for row in result.quantizers]
    return Table(caption="Utility, leakage and privacy score of each quantizer", columns=columns, rows=tuple(rows))


def _row(result: QuantizerResult, mark: str, common: bool, short: bool) -> Row:
    resolution = result.rate.resolution
    against = estimate(result.versus_original.get("worst"), difference_of(result.worst))
    cells = (
        name(result.spec) if short else named(result.spec),
        value(result.effective_bits, digits.bits),
        estimate(result.utility, digits.score),
        leakage(result.worst, common),
        replace(against, limits="") if short else against,
        value(
            result.rate.value,
            digits.significant,
            note="" if resolution is None else f"z = {digits.resolution(resolution)}",
        ),
        value(result.rate.elements, digits.count),
    )
    return Row(cells=cells, mark=mark)


def difference_of(worst: Worst) -> digits.Format:
    """How a difference of two leakages is written."""
    return digits.signed if worst.fpr is None else digits.points


def leakage_title(result: AuditRecord) -> str:
    """What the leakage of all quantizers is; where they differ, only that it is one."""
    rates = {row.worst.fpr for row in result.quantizers}
    return words.leakage(next(iter(rates))) if len(rates) == 1 else "Leakage"


def mark(result: AuditRecord, spec: str) -> str:
    """What sets the row of the recommended quantizer apart; an unclear recommendation is a candidate only."""
    if spec != result.recommended.quantizer:
        return ""
    return "recommended" if result.recommended.clear else "candidate"


def utility_title(result: AuditRecord) -> str:
    """The metric of utility, the same for all quantizers of an audit."""
    return words.metric(result.quantizers[0].utility.metric) if result.quantizers else "Utility"


def named(spec: str) -> Cell:
    """The cell with a quantizer in words, its spec beside them."""
    said = in_words(spec)
    return name(said, "" if said == spec else f"({spec})")


def leakage(worst: Worst, common: bool = True) -> Cell:
    """The cell of the worst attack; without a common measure it names its own."""
    cell = estimate(worst, digits.score if worst.fpr is None else digits.percent)
    return cell if common else replace(cell, note=f"({words.leakage(worst.fpr)})")


def unresolved(result: AuditRecord) -> str:
    """A sentence on the quantizers whose r_Q is not resolved, empty if there are none."""
    rates = [row.rate for row in result.quantizers if row.rate.resolution is not None]
    below = [rate for rate in rates if rate.resolution is not None and rate.resolution < RESOLVED]
    if not below:
        return ""
    sizes = sorted({rate.n_validation for rate in below if rate.n_validation is not None})
    at = f" at N = {' or '.join(map(digits.count, sizes))} validation examples" if sizes else ""
    return f"z < 2: r_Q is not resolved{at} ({len(below)} of {len(rates)} quantizers)."
