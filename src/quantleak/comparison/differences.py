"""The figures of one quantizer against those of another, of the same audit or of two: differences with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import stats

from quantleak.attacks import Crossed
from quantleak.auditing.recommend import difference
from quantleak.comparison.intervals import mover
from quantleak.results import METRIC_NAMES, AuditRecord, Estimate, QuantizerResult, finite_estimate
from quantleak.theory.over_models import order_statistic_median

Method = Literal["paired", "through the original", "independent"]
Unit = Literal["score", "share", "rate"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One figure on both sides.

    Attributes:
        measure: What is compared.
        unit: What kind of number it is: a `score` (AUC, accuracy), a `share` (TPR) or a privacy `rate`.
        first: The figure of the first side.
        second: That of the second.
        difference: `second - first`.
        method: How its interval was made.
    """

    measure: str
    unit: Unit
    first: Estimate
    second: Estimate
    difference: Estimate
    method: Method


@dataclass(frozen=True, kw_only=True, eq=False)
class Side:
    """One quantizer of one audit.

    Attributes:
        audit: The audit.
        spec: The quantizer.
        worst: Its worst attack's headline in every target, if it was kept.
    """

    audit: AuditRecord
    spec: str
    worst: Crossed | None = field(default=None, repr=False)

    @property
    def result(self) -> QuantizerResult:
        """The figures."""
        return self.audit[self.spec]

    @property
    def level(self) -> float:
        """Confidence level of the intervals."""
        return float(self.audit.settings.get("level", 0.95))


def differences_of(first: Side, second: Side) -> list[Difference]:
    """Utility, worst leakage, AUC of the worst attack and r_Q, `second - first`.

    Two quantizers of one audit share models and examples, and what these have in common cancels where it can: worst
    leakage target by target, r_Q model by model (the median of the differences, which need not be the
    difference of the medians), utility through the differences from the original.
    Two audits are taken for independent; if they share data, their intervals are too long rather than too short.
    """
    one, two = first.result, second.result
    if first.audit.id == second.audit.id and first.spec == second.spec:
        return _same(one)
    rows = [_utility(first, second), _leakage(first, second)]
    # Where neither supports a rate, the leakage is this AUC.
    if one.worst.fpr is not None or two.worst.fpr is not None:
        auc = mover(one.worst.auc, two.worst.auc)
        rows.append(_row("AUC of the worst attack", "score", one.worst.auc, two.worst.auc, auc))
    return [*rows, _rate(first, second)]


def _same(one: QuantizerResult) -> list[Difference]:
    """A quantizer beside itself: every difference is 0, for certain."""
    worst = one.worst
    measures: list[tuple[str, Unit, Estimate]] = [
        (METRIC_NAMES.get(one.utility.metric, one.utility.metric), "score", one.utility),
        (f"worst {_measure(worst.fpr)}", "score" if worst.fpr is None else "share", worst),
    ]
    if worst.fpr is not None:
        measures.append(("AUC of the worst attack", "score", worst.auc))
    measures.append(("r_Q", "rate", one.rate))
    nothing = Estimate(value=0.0, low=0.0, high=0.0)
    return [
        _row(name, unit, figure, figure, nothing if figure.value is not None else figure, "paired")
        for name, unit, figure in measures
    ]


def _row(
    measure: str, unit: Unit, one: Estimate, two: Estimate, found: Estimate, method: Method = "independent"
) -> Difference:
    return Difference(measure=measure, unit=unit, first=one, second=two, difference=found, method=method)


def _utility(first: Side, second: Side) -> Difference:
    one, two = first.result.utility, second.result.utility
    measure = METRIC_NAMES.get(one.metric, one.metric)
    if (through := _through_original(first, second, "utility")) is not None:
        return _row(measure, "score", one, two, through, "through the original")
    return _row(measure, "score", one, two, mover(one, two))


def _leakage(first: Side, second: Side) -> Difference:
    one, two = first.result.worst, second.result.worst
    unit: Unit = "score" if one.fpr is None else "share"
    if one.fpr != two.fpr:
        said = " and ".join(_measure(fpr) for fpr in (one.fpr, two.fpr))
        return _row("worst leakage", unit, one, two, Estimate(value=None, reason=f"not comparable: {said}"))
    measure = f"worst {_measure(one.fpr)}"
    if (paired := _by_target(first, second)) is not None:
        return _row(measure, unit, one, two, paired, "paired")
    if (through := _through_original(first, second, "worst")) is not None:
        return _row(measure, unit, one, two, through, "through the original")
    return _row(measure, unit, one, two, mover(one, two))


def _rate(first: Side, second: Side) -> Difference:
    one, two = first.result.rate, second.result.rate
    if one.value is not None and two.value is not None and one.n_validation != two.n_validation:
        said = f"not comparable: N = {one.n_validation} and {two.n_validation} validation examples"
        return _row("r_Q", "rate", one, two, Estimate(value=None, reason=said))
    if (paired := _by_model(first, second)) is not None:
        return _row("r_Q", "rate", one, two, paired, "paired")
    return _row("r_Q", "rate", one, two, mover(*(_over_validation_sets(side) for side in (first, second))))


def _measure(fpr: float | None) -> str:
    return "AUC" if fpr is None else f"TPR at {100 * fpr:g}% FPR"


def _over_validation_sets(side: Side) -> Estimate:
    """The median r_Q with an interval that holds for another validation set too.

    The audit's own interval is over models, given its validation set, which two audits do not share. delta / sigma has
    the standard error 1 / sqrt(N), so r_Q = (delta / sigma)^2 / 2 has sqrt(2 r_Q / N); that all models err together is
    the worst case.
    """
    rate = side.result.rate
    if rate.value is None or rate.low is None or rate.high is None or not rate.n_validation:
        return Estimate(value=rate.value, low=rate.low, high=rate.high, reason=rate.reason)
    arm = float(stats.norm.ppf((1 + side.level) / 2)) * math.sqrt(2 * rate.value / rate.n_validation)
    low, high = math.hypot(rate.value - rate.low, arm), math.hypot(rate.high - rate.value, arm)
    return Estimate(value=rate.value, low=max(0.0, rate.value - low), high=rate.value + high)


def _by_target(first: Side, second: Side) -> Estimate | None:
    if first.audit.id != second.audit.id or first.worst is None or second.worst is None:
        return None
    return difference(second.worst, first.worst, first.level)


def _through_original(first: Side, second: Side, name: str) -> Estimate | None:
    """The difference of two paired differences from the same original, in which most of the noise is gone already."""
    if first.audit.id != second.audit.id:
        return None
    zero = Estimate(value=0.0, low=0.0, high=0.0)
    one, two = (
        zero if side.result.is_baseline else side.result.versus_original.get(name, Estimate(value=None))
        for side in (first, second)
    )
    return None if one.value is None or two.value is None else mover(one, two)


def _by_model(first: Side, second: Side) -> Estimate | None:
    """Median over the models of one audit of the differences of r_Q, with its order-statistic interval."""
    table = first.audit.models
    if first.audit.id != second.audit.id or "r_q" not in table:
        return None
    by_model = table.pivot(index="model", columns="quantizer", values="r_q")
    pairs = (by_model[second.spec] - by_model[first.spec]).to_numpy(np.float64)
    if not len(pairs) or not np.isfinite(pairs).all():
        return None
    found = order_statistic_median(pairs, first.level)
    return finite_estimate(found.value, found.low, found.high, found.reason)
