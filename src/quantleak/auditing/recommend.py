"""Which quantizer to ship: chosen on one half of the targets, its figures shown on the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantleak.attacks import Crossed
from quantleak.quantizers import BASELINE
from quantleak.report import digits, verdict
from quantleak.report.names import in_words
from quantleak.report.verdict import Measures
from quantleak.results import Estimate, Exposure, Recommendation, Utility, WorstClass, finite
from quantleak.results.records import NOT_TESTED, Outcome


@dataclass(frozen=True, kw_only=True, eq=False)
class Contender:
    """What the choice looks at.

    Attributes:
        spec: The quantizer.
        bits: Effective bits.
        utility: Mean over models.
        selection_high: Upper limit of the worst attack's headline on the half of the targets that chooses.
        figure: That headline on the other half, with its interval.
        worst_class: The class of which most is found beyond guessing, chosen and measured likewise.
        exposure: Of training examples.
        leakage: The headline of every target, and what each example adds to it, for paired differences.
    """

    spec: str
    bits: float
    utility: Utility
    selection_high: float
    figure: Estimate
    leakage: Crossed
    worst_class: WorstClass | None = None
    exposure: Exposure = NOT_TESTED


def recommend(contenders: Mapping[str, Contender], measures: Measures) -> Recommendation:
    """The quantizer with the lowest upper limit of leakage among those that keep the utility; ties: fewer bits.

    None is recommended for shipping where its absolute risk is above the limit: where the upper limit of its leakage,
    overall or in the worst class, lies more than `risk_limit` above guessing, or is not known. Where the strongest
    attack on the original, overall and in the worst class, cannot be distinguished from guessing there is nothing to
    choose by; where the original itself predicts no better than guessing there is nothing to ship. The choice is clear
    only if the paired intervals of its differences from the original and from all others that keep the utility, on the
    half of the targets that did not choose, lie below 0.

    Args:
        contenders: By spec, the full-precision baseline among them.
        measures: What risk and utility are, and their limits.
    """
    original = contenders[BASELINE]
    if original.utility.value is None:
        reason = f"The original models have no {measures.metric} on the test part."
        return _nothing("none", "No recommendation.", reason, "")
    if _is_guessing(original, measures):
        return _nothing("nothing to choose", *verdict.nothing_to_choose(original.figure, measures))
    if original.utility.is_guessing:
        return _useless(original, measures)
    quantizers = [c for c in contenders.values() if c is not original]
    usable = [c for c in quantizers if _loss(c, original) <= measures.utility_loss]
    if not usable:
        return _none_usable(quantizers, original, measures)
    first, *others = sorted(usable, key=lambda c: (c.selection_high, c.bits))
    versus = {other.spec: difference(first.leakage, other.leakage, measures.level) for other in (original, *others)}
    above = verdict.above_limit(first.figure, first.worst_class, measures)
    dear = [c.spec for c in quantizers if c not in usable and c.leakage.mean < first.leakage.mean]
    sentences = [
        measures.risk(first.figure, original.figure),
        *above,
        measures.kept(float(first.utility), float(original.utility)),
        *([measures.too_dear(dear)] if dear else []),
    ]
    gap = versus[BASELINE].high
    alike = gap is None or gap >= 0
    metric = measures.metric if dear else ""
    headline = verdict.headline(first.spec, versus, metric)
    if above:
        only_class = verdict.above_limit(first.figure, None, measures) == []
        worst = first.worst_class.name if first.worst_class is not None and only_class else None
        headline = verdict.too_risky(first.spec, metric, worst)
    outcome: Outcome = "too risky" if above else "no gain" if alike else "ship"
    return Recommendation(
        quantizer=None if above else first.spec,
        least_leaking=first.spec,
        outcome=outcome,
        reason=" ".join(sentences),
        whom=_whom(first, measures),
        clear=not above and all(gap.high is not None and gap.high < 0 for gap in versus.values()),
        headline=headline,
        sure=verdict.sure(versus, measures),
        versus=versus,
    )


def _is_guessing(original: Contender, measures: Measures) -> bool:
    """Whether neither the attack's figure nor the worst class's lies above what guessing achieves, beyond doubt."""
    low = original.figure.low
    within = original.worst_class
    return low is not None and low <= measures.chance and (within is None or within.low is None or within.low <= 0)


def _loss(contender: Contender, original: Contender) -> float:
    """How much utility is lost; infinite where it is not known."""
    lost = float(original.utility) - float(contender.utility)
    return lost if math.isfinite(lost) else math.inf


def _whom(contender: Contender, measures: Measures) -> str:
    worst = contender.worst_class
    classes = [] if worst is None else [verdict.of_class(worst, digits.rate(measures.level))]
    return " ".join([*classes, verdict.of_records(contender.exposure)])


def _useless(original: Contender, measures: Measures) -> Recommendation:
    """The original predicts nothing, and what it leaks nevertheless."""
    opening = "No recommendation: the original models predict no better than guessing."
    leaks = f"{measures.achieved(original.figure)}, in the original."
    limits = "That says nothing about models that have learned: improve the data or the training, then audit again."
    return _nothing("useless", opening, f"{verdict.no_better(original.utility)} {leaks} {limits}", "")


def _none_usable(quantizers: Sequence[Contender], original: Contender, measures: Measures) -> Recommendation:
    """Nothing to ship, and how far the best one is from it."""
    reason = (
        f"{measures.achieved(original.figure)}, in the original. No quantizer keeps {measures.metric} within "
        f"{measures.utility_loss:g} of the original's {digits.score(float(original.utility))}"
    )
    measured = [c for c in quantizers if c.utility.value is not None]
    if measured:
        closest = max(measured, key=lambda c: float(c.utility))
        reason += f"; the closest, {in_words(closest.spec)}, has {digits.score(float(closest.utility))}"
    sure = (
        "Judged by means over models; the table has the intervals. Allow a larger loss (--utility-loss) to see which "
        "quantizer leaks least."
    )
    return _nothing("none usable", f"Ship none of these: each costs too much {measures.metric}.", f"{reason}.", sure)


def _nothing(outcome: Outcome, headline: str, reason: str, sure: str) -> Recommendation:
    return Recommendation(quantizer=None, outcome=outcome, reason=reason, clear=False, headline=headline, sure=sure)


def difference(one: Crossed, two: Crossed, level: float) -> Estimate:
    """`one - two` on the same targets and examples, with the interval of the paired difference."""
    found = (one - two).estimate(level)
    if found.value is None or not math.isfinite(found.value):
        return Estimate(value=None, reason="one of the two has no value")
    return Estimate(value=found.value, low=finite(found.low), high=finite(found.high), reason=found.reason)
