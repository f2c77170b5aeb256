"""Which attack was the worst on each quantizer, and how its leakage and utility differ from the original's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from quantleak.report import digits, words
from quantleak.report.grid import Column, Row, Table, estimate, name
from quantleak.report.names import shadows
from quantleak.report.section import Section
from quantleak.report.summary import difference_of, leakage, leakage_title, mark, named, utility_title

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, QuantizerResult

LEAD = (
    "Differences are paired: both sides are measured on the same models and examples, and what these have in common "
    "cancels. The original is the same model before quantization (the full-precision baseline)."
)


def section(result: AuditRecord) -> Section:
    """The section."""
    return Section(
        title="Against the original, and which attack was worst", body=(LEAD, worst(result), other_metrics(result))
    )


def worst(result: AuditRecord) -> Table:
    """Which attack is the worst of each quantizer, and the differences to the original, paired."""
    common = len({row.worst.fpr for row in result.quantizers}) == 1
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="Worst attack", numeric=False),
        Column(title="Shadows", numeric=False),
        Column(title=leakage_title(result)),
        Column(title="AUC"),
        Column(title="Against the original"),
        Column(title=f"{utility_title(result)} against the original"),
    )
    rows = [_row(row, mark(result, row.spec), common) for row in result.quantizers]
    return Table(caption="Worst attack, and differences to the original", columns=columns, rows=tuple(rows))


def _row(row: QuantizerResult, marked: str, common: bool) -> Row:
    leaked = leakage(row.worst, common)
    cells = (
        named(row.spec),
        name(row.worst.name),
        name(shadows(row.worst)),
        leaked if row.worst.value is not None else replace(leaked, note=row.worst.reason or ""),
        estimate(row.worst.auc, digits.score),
        estimate(row.versus_original.get("worst"), difference_of(row.worst)),
        estimate(row.versus_original.get("utility"), digits.signed),
    )
    return Row(cells=cells, mark=marked)


def other_metrics(result: AuditRecord) -> Table | None:
    """The other metrics of utility, such as Spearman's correlation beside R2; None if there are none."""
    metrics = list(dict.fromkeys(metric for row in result.quantizers for metric in row.utility.also))
    if not metrics:
        return None
    columns = (Column(title="Quantizer", numeric=False), *(Column(title=words.metric(metric)) for metric in metrics))
    rows = [
        Row(
            cells=(named(row.spec), *(estimate(row.utility.also.get(metric), digits.score) for metric in metrics)),
            mark=mark(result, row.spec),
        )
        for row in result.quantizers
    ]
    return Table(caption="Other measures of utility", columns=columns, rows=tuple(rows))
