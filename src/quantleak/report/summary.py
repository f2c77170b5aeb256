"""The table with one row per quantizer (utility, leakage, theory), and the cells that it shares with other tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from scipy import stats

from quantleak.report import digits, words
from quantleak.report.grid import UNFIT, Cell, Column, Row, Table, estimate, name, value
from quantleak.report.names import in_words

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, QuantizerResult, RateSummary, Worst, WorstClass

RESOLVED = 2.0
"""Below this resolution z the best quantized model cannot be distinguished from its closest competitor."""
FEWEST_RANKED = 4
"""Quantizers from which on the agreement of two rankings is judged."""


def summary(result: AuditRecord) -> Table:
    """One row per quantizer: bits, utility, the worst attack, its difference to the original's, and its worst class.

    The leakage is the share of members that the worst attack finds at the smallest false-positive rate that the
    examples support, or its AUC where they support none; the title of its column says which, or, where quantizers
    differ, each cell does.
    """
    by_class = any(row.worst_class for row in result.quantizers)
    columns = (
        *_risk_columns(result),
        *([Column(title="Worst class: members found minus false alarms")] if by_class else []),
    )
    rows = [
        Row(
            cells=(named(row.spec), *_risk(row, result), *([worst_class(row.worst_class)] if by_class else [])),
            mark=mark(result, row.spec),
        )
        for row in result.quantizers
    ]
    return Table(caption="Utility and leakage of each quantizer", columns=columns, rows=tuple(rows))


def theory(result: AuditRecord) -> Table:
    """One row per quantizer: r_Q, and what else ranks quantizers without an attack."""
    columns = (Column(title="Quantizer", numeric=False), *THEORY)
    rows = [
        Row(cells=(named(row.spec), *_theory(row)), mark=mark(result, row.spec))
        for row in result.quantizers
        if not row.is_baseline
    ]
    return Table(caption="Scores that need no attack", columns=columns, rows=tuple(rows))


def short(result: AuditRecord) -> Table:
    """Both in one table for a terminal: specs for words, no intervals of differences, no classes."""
    rows = []
    for row in result.quantizers:
        bits, utility, leaks, against = _risk(row, result)
        rate, *others = _theory(row)
        plain = replace(rate, text="z < 2" if is_unresolved(row.rate) else rate.text, note="")
        cells = (name(row.spec), bits, utility, leaks, replace(against, limits=""), plain, *others)
        rows.append(Row(cells=cells, mark=mark(result, row.spec)))
    return Table(caption="", columns=(*_risk_columns(result), *THEORY), rows=tuple(rows))


THEORY = (Column(title="r_Q"), Column(title="Fidelity"), Column(title="Distinct models"))


def _risk_columns(result: AuditRecord) -> tuple[Column, ...]:
    return (
        Column(title="Quantizer", numeric=False),
        Column(title="Bits"),
        Column(title=utility_title(result)),
        Column(title=leakage_title(result)),
        Column(title="Against the original"),
    )


def _risk(row: QuantizerResult, result: AuditRecord) -> tuple[Cell, Cell, Cell, Cell]:
    common = len({each.worst.fpr for each in result.quantizers}) == 1
    return (
        value(row.effective_bits, digits.bits),
        estimate(row.utility, digits.score),
        leakage(row.worst, common),
        estimate(row.versus_original.get("worst"), difference_of(row.worst)),
    )


def _theory(row: QuantizerResult) -> tuple[Cell, Cell, Cell]:
    fidelity = value(row.fidelity.value, digits.score)
    return resolved(row.rate), fidelity, value(row.rate.elements, digits.count)


def worst_class(worst: WorstClass | None) -> Cell:
    """The cell of the class of which most is found beyond its false alarms; the table of classes has the intervals."""
    if worst is None:
        return Cell(text=digits.MISSING)
    return replace(estimate(worst, digits.points), limits="", note=worst.name)


def resolved(rate: RateSummary) -> Cell:
    """The cell of r_Q; a value that is not resolved is not shown, for it would suggest a ranking."""
    if rate.resolution is None:
        return value(rate.value, digits.significant)
    note = f"z = {digits.resolution(rate.resolution)}"
    if is_unresolved(rate):
        return Cell(text="unresolved", note=note)
    return value(rate.value, digits.significant, note=note)


def is_unresolved(rate: RateSummary) -> bool:
    """Whether a rate is known whose best quantized model is not distinguished from its closest competitor."""
    return rate.resolution is not None and rate.resolution < RESOLVED


def is_resolved(rate: RateSummary) -> bool:
    """Whether the best quantized model is distinguished from its closest competitor."""
    return rate.resolution is not None and not is_unresolved(rate)


def difference_of(worst: Worst) -> digits.Format:
    """How a difference of two leakages is written."""
    return digits.signed if worst.fpr is None else digits.points


def leakage_title(result: AuditRecord) -> str:
    """What the leakage of all quantizers is; where they differ, only that it is one."""
    rates = {row.worst.fpr for row in result.quantizers}
    return words.leakage(next(iter(rates))) if len(rates) == 1 else "Leakage"


def mark(result: AuditRecord, spec: str) -> str:
    """What sets the row of the recommended quantizer apart; above the risk limit it is the least leaking only."""
    if spec == result.recommended.quantizer:
        return "recommended" if result.recommended.outcome == "ship" else UNFIT
    return UNFIT if spec == result.recommended.least_leaking else ""


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
    which = "all" if len(below) == len(rates) else f"{len(below)} of {len(rates)}"
    return f"r_Q of {which} quantizers is not resolved (z < 2){at}: do not rank by it."


def disagreement(result: AuditRecord) -> str:
    """A sentence where resolved r_Q and the strongest attack rank quantizers in opposite order; empty elsewhere."""
    rows = [row for row in result.quantizers if is_resolved(row.rate) and row.rate.value is not None]
    pairs = [(row.rate.value, -row.worst.value) for row in rows if row.worst.value is not None]
    if len(pairs) < FEWEST_RANKED:
        return ""
    rates, security = zip(*pairs, strict=True)
    found = float(stats.spearmanr(rates, security).statistic)
    if not found < 0:
        return ""
    return (
        f"Theory and attack disagree: r_Q ranks these {len(pairs)} quantizers against the strongest attack (Spearman "
        f"{digits.score(found)}). Trust the attack, which shows what is found; r_Q rests on assumptions that this "
        "training need not meet."
    )
