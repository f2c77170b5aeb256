"""The page and the text of `quantleak attack`: every attack on user-supplied scores."""

from __future__ import annotations

from quantleak.report import digits
from quantleak.report.grid import Column, Row, Table, estimate, name
from quantleak.report.lines import aligned
from quantleak.report.template import render
from quantleak.results import AttackResult, Number, ScoresRecord


def page(result: ScoresRecord) -> str:
    """The page as HTML5: a function of the result alone, without scripts, without a request to anywhere."""
    return render(
        "scores.html.j2",
        result=result,
        headline=headline(result),
        notes=notes(result),
        attacks=attacks(result),
        conventions=conventions(result),
    )


def attacks(result: ScoresRecord) -> Table:
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


def conventions(result: ScoresRecord) -> Table:
    """The settings of each attack."""
    columns = (Column(title="Attack", numeric=False), Column(title="Convention", numeric=False, wraps=True))
    rows = tuple(
        Row(cells=(name(attack.name), name(", ".join(f"{key}={value}" for key, value in attack.convention.items()))))
        for attack in result.attacks
        if attack.convention
    )
    return Table(caption="Conventions", columns=columns, rows=rows)


def headline(result: ScoresRecord) -> str:
    """The strongest attack in a sentence or two."""
    worst = result.worst
    if worst.value is None:
        return f"The strongest attack, {worst.name}, has no figure: {worst.reason}."
    chance, form = (0.5, digits.score) if worst.fpr is None else (worst.fpr, digits.percent)
    shown = f"{digits.text(worst.value, form)} {digits.limits(worst, form)}".strip()
    found = f"has AUC {shown}; 0.5 is guessing."
    if worst.fpr is not None:
        found = f"finds {shown} of the members at {digits.rate(worst.fpr)} false alarms."
    guessing = worst.low is not None and worst.low <= chance
    return f"The strongest attack, {worst.name}, {found}{' It cannot be told from guessing.' if guessing else ''}"


def text(result: ScoresRecord) -> str:
    """The headline and one line an attack."""
    rates = list(next((attack.tpr for attack in result.attacks if attack.tpr), {}))
    titles = ["attack", "AUC", *(f"TPR at {digits.rate(float(rate))} FPR" for rate in rates), "MIS bound"]
    lines = [
        [attack.name, written(attack.auc, digits.score),
         *(written(attack.tpr[rate], digits.percent) for rate in rates), written(attack.mis_bound, digits.score)]
        for attack in result.attacks if attack.reason is None
    ]  # fmt: skip
    blocks = [headline(result), aligned(titles, lines), "\n".join(notes(result))]
    return "\n\n".join(block for block in blocks if block)


def notes(result: ScoresRecord) -> list[str]:
    """What could not run and why, which rates are not supported, and the remarks."""
    reasons: dict[str, list[str]] = {}
    for attack in result.attacks:
        if attack.reason is not None:
            reasons.setdefault(attack.reason.split(f"{attack.name} ", 1)[-1], []).append(attack.name)
    told = [f"Not run: {', '.join(names)}: {reason.rstrip('.')}." for reason, names in reasons.items()]
    missing = {item.reason for attack in result.attacks for item in attack.tpr.values() if item.value is None}
    told += [f"{reason}." for reason in sorted(str(reason) for reason in missing)]
    hidden = "rows" if result.n["rows"] == result.n["examples"] else ""
    sizes = ", ".join(f"{name} {count:,}" for name, count in result.n.items() if count and name != hidden)
    return [*told, *result.remarks, f"{sizes}; {digits.rate(result.settings['level'])} intervals."]


def written(number: Number, form: digits.Format) -> str:
    """A number with its interval as text."""
    return f"{digits.text(number.value, form)} {digits.limits(number, form)}".rstrip()
