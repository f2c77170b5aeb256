"""What a flag means for one example: positive predictive values, and rates that hold for every example by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantleak.report import digits
from quantleak.report.grid import Cell, Column, Row, Table, estimate, name, value
from quantleak.report.sections.attacks import false_positive_rates
from quantleak.report.summary import mark, named

if TYPE_CHECKING:
    from quantleak.results import AttackResult, AuditRecord, Number, QuantizerResult


def values(result: AuditRecord) -> Table | None:
    """One row per quantizer and supported rate, values of the strongest attack; None without any."""
    rows = []
    for quantizer in result.quantizers:
        attack = _strongest(quantizer)
        for rate in false_positive_rates(result) if attack is not None else ():
            priors = attack.ppv.get(rate, {}) if attack is not None else {}
            if any(number.value is not None for number in priors.values()):
                rows.append(_row(quantizer, rate, priors, mark(result, quantizer.spec)))
    if not rows:
        return None
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="FPR"),
        *(Column(title=f"{digits.rate(float(prior))} are members") for prior in _priors(result)),
    )
    caption = "How likely an example that the strongest attack calls a member is one (all targets)"
    return Table(caption=caption, columns=columns, rows=tuple(rows))


def per_example(result: AuditRecord) -> Table | None:
    """One row per quantizer, shadows and rate that per-example p-values claim; None where the result has none."""
    rows = [
        Row(
            cells=(
                named(quantizer.spec),
                name(item.mode),
                name(digits.rate(item.fpr)),
                estimate(item, digits.percent),
                value(item.achieved, digits.percent),
                value(item.spread, digits.percent),
                Cell(text=item.reason or ""),
            ),
            mark=mark(result, quantizer.spec),
            opens=item is quantizer.per_example[0],
        )
        for quantizer in result.quantizers
        for item in quantizer.per_example
    ]
    columns = (
        *(Column(title=title, numeric=False) for title in ("Quantizer", "Shadows", "Claimed FPR")),
        *(Column(title=title) for title in ("TPR", "Achieved FPR", "Its spread over examples")),
        Column(title="Remark", numeric=False, wraps=True),
    )
    caption = "Rates that hold for every example by itself"
    return Table(caption=caption, columns=columns, rows=tuple(rows)) if rows else None


def _strongest(row: QuantizerResult) -> AttackResult | None:
    worst = row.worst
    same = (a for a in row.attacks if (a.name, a.mode, a.via) == (worst.name, worst.mode, worst.via))
    return next(same, None)


def _priors(result: AuditRecord) -> list[str]:
    found = {prior for row in result.quantizers for a in row.attacks for priors in a.ppv.values() for prior in priors}
    return sorted(found, key=float)


def _row(quantizer: QuantizerResult, rate: str, priors: dict[str, Number], marked: str) -> Row:
    numbers = [estimate(priors[prior], digits.percent) for prior in sorted(priors, key=float)]
    return Row(cells=(named(quantizer.spec), name(digits.rate(float(rate))), *numbers), mark=marked)
