"""The page of `quantleak attack`: every attack on an auditor's own scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from quantleak.report import digits
from quantleak.report.grid import Column, Row, Table, estimate, name
from quantleak.report.template import render

if TYPE_CHECKING:
    from quantleak.auditing.scores_result import ScoresResult
    from quantleak.result import AttackResult


def page(result: ScoresResult) -> str:
    """The page as HTML5: a function of the result alone, without scripts, without a request to anywhere."""
    return render("scores.html.j2", result=result, attacks=attacks(result), conventions=conventions(result))


def attacks(result: ScoresResult) -> Table:
    """One row an attack; one that could not run says why."""
    rates = list(next((attack.tpr for attack in result.attacks if attack.tpr), {}))
    columns = (
        Column(title="Attack", numeric=False),
        Column(title="AUC"),
        *(Column(title=f"TPR at {digits.rate(float(rate))} FPR") for rate in rates),
        Column(title="Balanced accuracy"),
        Column(title="MIS bound"),
    )
    rows = tuple(_row(attack, rates) for attack in result.attacks)
    return Table(caption="Every attack", columns=columns, rows=rows)


def _row(attack: AttackResult, rates: list[str]) -> Row:
    if attack.reason is not None:
        return Row(cells=(name(attack.name),), reason=attack.reason)
    numbers = (
        estimate(attack.auc, digits.score),
        *(estimate(attack.tpr[rate], digits.percent) for rate in rates),
        estimate(attack.balanced_accuracy, digits.percent),
        estimate(attack.mis_bound, digits.score),
    )
    return Row(cells=(name(attack.name), *numbers))


def conventions(result: ScoresResult) -> Table:
    """The settings of each attack."""
    columns = (Column(title="Attack", numeric=False), Column(title="Convention", numeric=False, wraps=True))
    rows = tuple(
        Row(cells=(name(attack.name), name(", ".join(f"{key}={value}" for key, value in attack.convention.items()))))
        for attack in result.attacks
        if attack.convention
    )
    return Table(caption="Conventions", columns=columns, rows=rows)
