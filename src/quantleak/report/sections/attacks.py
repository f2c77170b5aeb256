"""Every attack on every quantizer, what a flag of the strongest means for one example, and the attacks' conventions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from quantleak.report import digits
from quantleak.report.grid import Cell, Column, Row, Table, estimate, name, value
from quantleak.report.names import shadows
from quantleak.report.section import Section, Terms
from quantleak.report.summary import mark, named

if TYPE_CHECKING:
    from quantleak.results import AttackResult, AuditRecord, Estimate, QuantizerResult

BALANCED = "Balanced accuracy"
TERMS = {
    "AUC": "the chance that a member scores above a non-member; 0.5 is guessing.",
    "TPR at 1% FPR": "the share of members found by an attacker whose false alarms are 1% of the non-members; guessing "
    "finds 1%.",
    "Positive predictive value": "how likely an example that the attack calls a member is one, where 1%, 10% or 50% of "
    "all examples are members.",
    "Balanced accuracy": "with a threshold chosen on other data than those that judge it; 50% is guessing.",
    "MIS bound": "twice the error left to that threshold, an upper bound on Membership Inference Security; 1 is "
    "guessing, and no attack can prove that another does not do better.",
}
SHADOWS = Markup(
    "<b>Shadows</b>: adaptive, transfer and recalibrated as above. <b>None</b>: the attack needs no shadows."
)
PER_EXAMPLE = (
    "The rates of false alarms above are shares of all non-members: some examples may be called members far more often "
    "than others. Here each example has a p-value of its own, from the models that were not trained on it, and the "
    "false-positive rate that this claims holds for every example. There is no figure where the rate achieved on "
    "non-members that were not used misses the claimed one by more than a factor of 1.5."
)


def section(result: AuditRecord) -> Section:
    """The section."""
    by_example = per_example(result)
    return Section(
        title="All attacks",
        body=(
            Terms(items=(*explained(TERMS), SHADOWS)),
            *remarks(result),
            table(result),
            predictive_values(result),
            PER_EXAMPLE if by_example else None,
            by_example,
            conventions(attack for row in result.quantizers for attack in row.attacks),
        ),
    )


def explained(terms: Iterable[str]) -> list[Markup]:
    """Some of the terms, each with its explanation."""
    return [Markup("<b>{}</b>: {}").format(term, TERMS[term]) for term in terms]


def table(result: AuditRecord) -> Table:
    """One row for each quantizer, attack and mode; an attack that could not run says why."""
    rates = _rates(result)
    names = tuple(Column(title=title, numeric=False) for title in ("Quantizer", "Attack", "Shadows"))
    rows = tuple(
        Row(
            cells=(named(row.spec), name(attack.name), name(shadows(attack)), *measured(attack, rates)),
            reason=attack.reason or "",
            opens=attack is row.attacks[0],
        )
        for row in result.quantizers
        for attack in row.attacks
    )
    return Table(caption="Every attack on every quantizer", columns=(*names, *measures(rates)), rows=rows, tall=True)


def measures(rates: Sequence[str]) -> tuple[Column, ...]:
    """The columns of what is measured of an attack, its true-positive rate at each of some false-positive rates."""
    return (
        Column(title="AUC"),
        *(Column(title=f"TPR at {digits.rate(float(rate))} FPR") for rate in rates),
        Column(title=BALANCED),
        Column(title="MIS bound"),
    )


def measured(attack: AttackResult, rates: Sequence[str]) -> tuple[Cell, ...]:
    """The cells below these columns; none for an attack that could not run."""
    if attack.reason is not None:
        return ()
    return (
        estimate(attack.auc, digits.score),
        *(estimate(attack.tpr.get(rate), digits.percent) for rate in rates),
        estimate(attack.balanced_accuracy, digits.percent),
        estimate(attack.mis_bound, digits.score),
    )


def false_positive_rates(attacks: Iterable[AttackResult]) -> list[str]:
    """All false-positive rates of some attacks, as they are written in the result, ascending."""
    return sorted({rate for attack in attacks for rate in attack.tpr}, key=float)


def _rates(result: AuditRecord) -> list[str]:
    return false_positive_rates(attack for row in result.quantizers for attack in row.attacks)


def remarks(result: AuditRecord) -> list[str]:
    """Sentences on what is missing and why: true-positive rates, and intervals."""
    found = [attack for row in result.quantizers for attack in row.attacks]
    sentences = []
    for rate in false_positive_rates(found):
        numbers = [attack.tpr[rate] for attack in found if rate in attack.tpr]
        missing = [number for number in numbers if number.value is None]
        some = "" if len(missing) == len(numbers) else " of some attacks"
        if missing:
            sentences.append(f"No TPR at {digits.rate(float(rate))} FPR{some}: {_reasons(missing)}.")
    numbers = [number for attack in found for number in _numbers(attack)] + [row.worst for row in result.quantizers]
    bare = [number for number in numbers if number.value is not None and number.low is None]
    return [*sentences, f"Numbers without an interval: {_reasons(bare)}."] if bare else sentences


def _numbers(attack: AttackResult) -> list[Estimate]:
    return [attack.auc, *attack.tpr.values(), attack.balanced_accuracy, attack.mis_bound]


def _reasons(numbers: Sequence[Estimate]) -> str:
    """The distinct reasons, at most three of them."""
    reasons = list(dict.fromkeys(number.reason.rstrip(".") for number in numbers if number.reason))
    more = f"; and {len(reasons) - 3} other reasons" if len(reasons) > 3 else ""
    return "; ".join(reasons[:3]) + more if reasons else "no reason was recorded"


def predictive_values(result: AuditRecord) -> Table | None:
    """One row per quantizer and supported rate, values of the strongest attack; None without any."""
    rows = [
        Row(
            cells=(
                named(row.spec),
                name(digits.rate(float(rate))),
                *(estimate(priors[prior], digits.percent) for prior in sorted(priors, key=float)),
            ),
            mark=mark(result, row.spec),
        )
        for row in result.quantizers
        for rate, priors in _predictive(row).items()
        if any(number.value is not None for number in priors.values())
    ]
    if not rows:
        return None
    known = {prior for row in result.quantizers for a in row.attacks for priors in a.ppv.values() for prior in priors}
    columns = (
        Column(title="Quantizer", numeric=False),
        Column(title="FPR"),
        *(Column(title=f"{digits.rate(float(prior))} are members") for prior in sorted(known, key=float)),
    )
    caption = "How likely an example that the strongest attack calls a member is one"
    return Table(caption=caption, columns=columns, rows=tuple(rows))


def _predictive(row: QuantizerResult) -> dict[str, dict[str, Estimate]]:
    """The positive predictive values of the strongest attack, by false-positive rate, ascending, and prior."""
    worst = row.worst
    same = (a for a in row.attacks if (a.name, a.mode, a.via) == (worst.name, worst.mode, worst.via))
    strongest = next(same, None)
    return {} if strongest is None else {rate: strongest.ppv[rate] for rate in sorted(strongest.ppv, key=float)}


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
    return Table(caption=caption, columns=columns, rows=tuple(rows), tall=True) if rows else None


def conventions(attacks: Iterable[AttackResult]) -> Table:
    """The conventions of each attack, once."""
    found: dict[str, str] = {}
    for attack in attacks:
        found[attack.name] = digits.plain(attack.convention) if attack.convention else found.get(attack.name, "")
    columns = (Column(title="Attack", numeric=False), Column(title="Conventions", numeric=False, wraps=True))
    rows = [Row(cells=(name(attack), name(text or "none"))) for attack, text in found.items()]
    return Table(caption="Conventions of the attacks", columns=columns, rows=tuple(rows))
