"""What to know before the numbers of an audit are trusted: one place for all warnings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quantleak.report import digits, words
from quantleak.report.names import listed
from quantleak.report.verdict import no_better
from quantleak.results import Caution

if TYPE_CHECKING:
    from quantleak.results import AuditRecord, QuantizerResult

FEW_TARGETS = 16
"""Models; half of them report, and intervals over fewer than 8 targets are long and rough."""
FEW_EXAMPLES = 100
"""Non-members of one target; with fewer no false-positive rate below 2% is ever supported."""
LEARNED, GAP = 0.95, 0.02
"""Training utility from which on a model fits its training examples; how far it must lie above the test utility."""
SKEWED = 3.0
"""Skewness of a target that is called a heavy tail."""


def cautions(result: AuditRecord) -> list[Caution]:
    """Everything that a reader should know about data, training, targets and rates; empty if nothing stands out."""
    original = next(row for row in result.quantizers if row.is_baseline)
    parts = (_data(result), _utility(result, original), _targets(result), _rates(result))
    return [caution for part in parts for caution in part]


def _data(result: AuditRecord) -> Iterator[Caution]:
    data = result.data
    for note in data.get("notes") or ():
        yield Caution(kind="data", text=f"How the data were read: {str(note).rstrip('.')}.")
    repeated, removed, conflicts = (
        int(data.get(name) or 0) for name in ("repeated", "duplicates_removed", "conflicts")
    )
    if repeated or removed:
        handled = [f"{digits.count(repeated)} repeated rows are kept in one group with the first"] if repeated else []
        handled += [f"{digits.count(removed)} were removed"] if removed else []
        conflict = (
            f" {digits.count(conflicts)} of them have another target than the first row like them." if conflicts else ""
        )
        yield Caution(kind="data", text=f"Rows occur more than once: {listed(handled)}.{conflict}")
    spread = data.get("target_spread") or {}
    skewness, logarithm = spread.get("skewness"), spread.get("skewness_of_logarithm")
    if skewness is not None and abs(skewness) >= SKEWED:
        text = f"The target has a heavy tail (skewness {skewness:.1f}): a few examples decide R2 and the loss."
        if logarithm is not None and abs(logarithm) < abs(skewness) / 2:
            text += f" Its logarithm has a skewness of {logarithm:.1f}: audit the logarithm of the target instead."
        yield Caution(kind="data", text=text)


def _utility(result: AuditRecord, original: QuantizerResult) -> Iterator[Caution]:
    utility, training = original.utility, original.training
    metric = words.metric(utility.metric)
    if utility.metric == "r2":
        bad = [row for row in result.quantizers if row.utility.value is not None and row.utility.value < 0]
        if bad:
            which = "of the original and of" if bad[0].is_baseline else "of"
            names = listed([row.spec for row in bad if not row.is_baseline]) if len(bad) > bad[0].is_baseline else ""
            subject = f"{which} {names}" if names else "of the original"
            yield Caution(
                kind="utility",
                text=f"R2 {subject} is below 0: these models are useless, predicting the mean is better.",
            )
    if utility.is_guessing:
        yield Caution(kind="utility", text=f"The original models predict no better than guessing: {no_better(utility)}")
    if utility.value is None or training.value is None:
        return
    if training.value < LEARNED and training.value - utility.value < GAP:
        yield Caution(
            kind="underfitted",
            text=f"The original models may be trained too little: {metric} is {digits.score(training.value)} on their "
            f"own training examples and {digits.score(utility.value)} on the test part. Such models leak little; "
            "longer training may leak more.",
        )


def _targets(result: AuditRecord) -> Iterator[Caution]:
    models, non_members = result.n.get("models", 0), result.n.get("non_members")
    if 1 < models < FEW_TARGETS:
        yield Caution(
            kind="few targets",
            text=f"Few target models: {models // 2} of {models} report, so that intervals are long and rough. Use at "
            f"least {FEW_TARGETS} models, better 64.",
        )
    if non_members is not None and non_members < FEW_EXAMPLES:
        yield Caution(
            kind="few examples",
            text=f"Few examples: each model has {digits.count(non_members)} non-members, so that low false-positive "
            "rates, where an attack does most harm, cannot be measured.",
        )


def _rates(result: AuditRecord) -> Iterator[Caution]:
    """Which false-positive rates are unsupported, and so why the headline's rate is what it is."""
    original = next(row for row in result.quantizers if row.is_baseline)
    attack = next((a for a in original.attacks if a.reason is None and a.tpr), None)
    if attack is None:
        return
    missing = [rate for rate, number in attack.tpr.items() if number.value is None]
    if not missing:
        return
    non_members = result.n.get("non_members")
    few = "" if non_members is None else f": each model has {digits.count(non_members)} non-members"
    headline = (
        "the headline is an AUC"
        if original.worst.fpr is None
        else f"the headline is at {digits.rate(original.worst.fpr)}, the smallest rate that can be measured"
    )
    rates = listed([digits.rate(float(rate)) for rate in missing])
    yield Caution(
        kind="rates",
        text=f"Members found at {rates} false alarms cannot be measured{few}. So {headline}. Compare audits at equal "
        "rates only.",
    )
