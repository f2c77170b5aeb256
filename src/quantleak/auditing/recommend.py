"""Which quantizer to ship: chosen on one half of the targets, its figures shown on the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quantleak.attacks import Crossed
from quantleak.auditing.verdict import Measures, headline, sure
from quantleak.quantizers import BASELINE
from quantleak.report.names import full, in_words
from quantleak.results import Estimate, Recommendation, finite


@dataclass(frozen=True, kw_only=True, eq=False)
class Contender:
    """What the choice looks at.

    Attributes:
        spec: The quantizer.
        bits: Effective bits.
        utility: Mean over models.
        selection_high: Upper limit of the worst attack's headline on the half of the targets that chooses.
        figure: That headline on the other half, with its interval.
        leakage: The same of every target, and what each example adds to it, for paired differences.
    """

    spec: str
    bits: float
    utility: float
    selection_high: float
    figure: Estimate
    leakage: Crossed


def recommend(
    contenders: Mapping[str, Contender], metric: str, fpr: float | None, utility_loss: float, level: float
) -> Recommendation:
    """The quantizer with the lowest upper limit of leakage among those that keep the utility; ties: fewer bits.

    Where the strongest attack on the original cannot be distinguished from guessing there is nothing to choose by,
    and none is named. The choice is clear only if the paired intervals of its differences from the original and
    from all others that keep the utility, on the half of the targets that did not choose, lie below 0.

    Args:
        contenders: By spec, the full-precision baseline among them.
        metric: Name of the utility.
        fpr: The rate at which leakage is a TPR; None if it is an AUC.
        utility_loss: How much utility may be lost.
        level: Of the intervals.
    """
    original = contenders[BASELINE]
    measures = Measures(metric=metric, fpr=fpr, utility_loss=utility_loss, level=level)
    if not math.isfinite(original.utility):
        return _nothing("No recommendation.", f"The original models have no {metric} on the test part.", "")
    if measures.is_guessing(original.figure):
        return _nothing(*measures.nothing_to_choose(original.figure))
    quantizers = [c for c in contenders.values() if c is not original]
    usable = [c for c in quantizers if original.utility - c.utility <= utility_loss]
    if not usable:
        return _none_usable(quantizers, original, measures)
    first, *others = sorted(usable, key=lambda c: (c.selection_high, c.bits))
    versus = {other.spec: difference(first.leakage, other.leakage, level) for other in (original, *others)}
    leaks = measures.leakage(first.leakage.mean, original.leakage.mean)
    reason = f"{leaks}. {measures.kept(first.utility, original.utility)}."
    dear = [c.spec for c in quantizers if c not in usable and c.leakage.mean < first.leakage.mean]
    reason += f" {measures.too_dear(dear)}." if dear else ""
    return Recommendation(
        quantizer=first.spec,
        reason=reason,
        clear=all(gap.high is not None and gap.high < 0 for gap in versus.values()),
        headline=headline(first.spec, versus),
        sure=sure(versus, measures),
        versus=versus,
    )


def _none_usable(quantizers: Sequence[Contender], original: Contender, measures: Measures) -> Recommendation:
    """Nothing to ship, and how far the best one is from it."""
    reason = (
        f"No quantizer keeps {measures.metric} within {measures.utility_loss:g} of the original's "
        f"{original.utility:.3f}"
    )
    measured = [c for c in quantizers if math.isfinite(c.utility)]
    if measured:
        closest = max(measured, key=lambda c: c.utility)
        reason += f"; the closest, {in_words(closest.spec)}, has {closest.utility:.3f}"
    sure = (
        "Judged by means over models; the table has the intervals. Allow a larger loss (--utility-loss) to see which "
        f"quantizer leaks least, or ship {full(original.spec)}."
    )
    return _nothing(f"Ship none of these: each costs too much {measures.metric}.", f"{reason}.", sure)


def _nothing(headline: str, reason: str, sure: str) -> Recommendation:
    return Recommendation(quantizer=None, reason=reason, clear=False, headline=headline, sure=sure)


def difference(one: Crossed, two: Crossed, level: float) -> Estimate:
    """`one - two` on the same targets and examples, with the interval of the paired difference."""
    found = (one - two).estimate(level)
    if found.value is None or not math.isfinite(found.value):
        return Estimate(value=None, reason="one of the two has no value")
    return Estimate(value=found.value, low=finite(found.low), high=finite(found.high), reason=found.reason)
