"""The tables of all attacks, and of what was lost and won against the original."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from quantleak.report import digits, words
from quantleak.report.grid import Cell, Column, Row, Table, estimate, name
from quantleak.report.names import shadows
from quantleak.report.summary import difference, leakage, leakage_title, mark, named, utility_title

if TYPE_CHECKING:
    from quantleak.results import AttackResult, AuditRecord, Number, QuantizerResult


def attacks(result: AuditRecord) -> Table:
    """One row for each quantizer, attack and mode; an attack that could not run says why."""
    rates = false_positive_rates(result)
    columns = [
        *(Column(title=title, numeric=False) for title in ("Quantizer", "Attack", "Shadows")),
        Column(title="AUC"),
        *(Column(title=f"TPR at {digits.rate(float(rate))} FPR") for rate in rates),
        Column(title="Balanced accuracy"),
        Column(title="MIS bound"),
    ]
    rows = [
        _attack_row(row, attack, rates, first=attack is row.attacks[0])
        for row in result.quantizers
        for attack in row.attacks
    ]
    return Table(caption="Every attack on every quantizer", columns=tuple(columns), rows=tuple(rows))


def _attack_row(quantizer: QuantizerResult, attack: AttackResult, rates: list[str], first: bool) -> Row:
    names = (named(quantizer.spec), name(attack.name), name(shadows(attack)))
    if attack.reason is not None:
        return Row(cells=names, reason=attack.reason, opens=first)
    numbers = (
        estimate(attack.auc, digits.score),
        *(_share(attack.tpr.get(rate)) for rate in rates),
        estimate(attack.balanced_accuracy, digits.percent),
        estimate(attack.mis_bound, digits.score),
    )
    return Row(cells=(*names, *numbers), opens=first)


def false_positive_rates(result: AuditRecord) -> list[str]:
    """All false-positive rates of the attacks, as they are written in the result, ascending."""
    named_rates = chain.from_iterable(attack.tpr for row in result.quantizers for attack in row.attacks)
    return sorted(set(named_rates), key=float)


def remarks(result: AuditRecord) -> list[str]:
    """Sentences on what is missing and why: true-positive rates, and intervals."""
    found = list(chain.from_iterable(row.attacks for row in result.quantizers))
    sentences = []
    for rate in false_positive_rates(result):
        numbers = [attack.tpr[rate] for attack in found if rate in attack.tpr]
        missing = [number for number in numbers if number.value is None]
        some = "" if len(missing) == len(numbers) else " of some attacks"
        if missing:
            sentences.append(f"No TPR at {digits.rate(float(rate))} FPR{some}: {_reasons(missing)}.")
    bare = [n for attack in found for n in _numbers(attack) if n.value is not None and n.low is None]
    bare += [row.worst for row in result.quantizers if row.worst.value is not None and row.worst.low is None]
    return [*sentences, f"Numbers without an interval: {_reasons(bare)}."] if bare else sentences


def _numbers(attack: AttackResult) -> list[Number]:
    return [attack.auc, *attack.tpr.values(), attack.balanced_accuracy, attack.mis_bound]


def _reasons(numbers: list[Number]) -> str:
    """The distinct reasons, at most three of them."""
    reasons = list(dict.fromkeys(number.reason.rstrip(".") for number in numbers if number.reason))
    more = f"; and {len(reasons) - 3} other reasons" if len(reasons) > 3 else ""
    return "; ".join(reasons[:3]) + more if reasons else "no reason was recorded"


def _share(number: Number | None) -> Cell:
    return Cell(text=digits.MISSING) if number is None else estimate(number, digits.percent)


def worst(result: AuditRecord) -> Table:
    """Which attack is the worst of each quantizer, and the differences to the original, paired."""
    common = len({row.worst.fpr for row in result.quantizers}) == 1
    measure = leakage_title(result)
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="Worst attack", numeric=False),
        Column(title="Shadows", numeric=False),
        Column(title=measure),
        Column(title="AUC"),
        Column(title="Against the original"),
        Column(title=f"{utility_title(result)} against the original"),
    )
    rows = [_worst_row(row, mark(result, row.spec), common) for row in result.quantizers]
    return Table(caption="Worst attack, and differences to the original", columns=columns, rows=tuple(rows))


def _worst_row(row: QuantizerResult, marked: str, common: bool) -> Row:
    versus = row.versus_original
    unit = digits.signed if row.worst.fpr is None else digits.points
    cells = (
        named(row.spec),
        name(row.worst.name),
        name(shadows(row.worst)),
        replace(leakage(row.worst, common), note=row.worst.reason or "")
        if row.worst.value is None
        else leakage(row.worst, common),
        estimate(row.worst.auc, digits.score),
        difference(versus.get("worst"), unit),
        difference(versus.get("utility"), digits.signed),
    )
    return Row(cells=cells, mark=marked)


def also(result: AuditRecord) -> Table | None:
    """The other metrics of utility, such as Spearman's correlation beside R2; None if there are none."""
    metrics = list(dict.fromkeys(metric for row in result.quantizers for metric in row.utility.also))
    if not metrics:
        return None
    columns = (Column(title="Quantizer", numeric=False), *(Column(title=words.metric(metric)) for metric in metrics))
    rows = [
        Row(
            cells=(named(row.spec), *(difference(row.utility.also.get(metric), digits.score) for metric in metrics)),
            mark=mark(result, row.spec),
        )
        for row in result.quantizers
    ]
    return Table(caption="Other measures of utility", columns=columns, rows=tuple(rows))
