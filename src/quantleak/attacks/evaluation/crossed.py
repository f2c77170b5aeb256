"""Means over a crossed design: every target is scored on the same examples, so that both are a sample.

The variance of such a mean is estimated as V_T + max(0, V_E - V_TE): between targets, plus what targets share because
they share their examples. V_T clusters by target, V_E by example, V_TE by (target, example), which is counted in both.
Source: [Cameron2011] A. C. Cameron, J. Gelbach, D. Miller, *Robust Inference with Multiway Clustering*, Journal of
Business & Economic Statistics 29, equation (2.11). How often these intervals cover: `benchmarks/interval_coverage.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from quantleak.results import Estimate
from quantleak.results.estimate import Interval, widest

LONGER = 1.5
"""How many times as long an arm may become on the scale of log odds, where the derivative says little far away."""

ONE_EXAMPLE = "an interval needs at least 3 examples, or groups of examples, that differ"


@dataclass(frozen=True, kw_only=True, eq=False)
class Crossed:
    """A figure of every target, and what each group of examples adds to it.

    Attributes:
        values: [T] float64, the figure of each target.
        influence: [T, G] float64, summed over the examples of each group; see `quantleak.attacks.evaluation.influence`.
    """

    values: np.ndarray
    influence: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, influence: np.ndarray, groups: np.ndarray) -> Crossed:
        """Sum influences [T, N] over groups with the codes [N] 0 .. G - 1."""
        size = int(groups.max()) + 1
        if size < groups.size:
            influence = np.stack([np.bincount(groups, weights=row, minlength=size) for row in influence])
        return cls(values=values, influence=influence)

    @property
    def mean(self) -> float:
        """The mean over targets."""
        return float(self.values.mean())

    def __sub__(self, other: Crossed) -> Crossed:
        """The difference of two figures on the same targets and examples: what both share cancels."""
        return Crossed(values=self.values - other.values, influence=self.influence - other.influence)

    def variances(self) -> tuple[float, float]:
        """V_T and max(0, V_E - V_TE); of one target nothing and V_E."""
        targets = len(self.values)
        by_example = float(np.square(self.influence.sum(axis=0)).sum()) / targets**2
        if targets == 1:
            return 0.0, by_example
        by_cell = float(np.square(self.influence).sum()) / targets**2
        return float(self.values.var(ddof=1)) / targets, max(0.0, by_example - by_cell)

    def arm(self, level: float, doubt: float = 0.0) -> float | None:
        """Half the length of the interval of the mean; None where there are too few examples.

        Both parts of the variance have Student-t quantiles of their own: T - 1 degrees of freedom between targets,
        G - 2 over groups of examples. A bias that remains counts as one more part, with a normal quantile.

        Args:
            level: Of confidence.
            doubt: Standard deviation of that bias, in units of the figure.
        """
        targets, groups = self.influence.shape
        if groups < 3:
            return None
        between, shared = self.variances()
        tail = (1 + level) / 2
        square = float(special.stdtrit(groups - 2, tail)) ** 2 * shared + (float(special.ndtri(tail)) * doubt) ** 2
        if targets > 1:
            square += float(special.stdtrit(targets - 1, tail)) ** 2 * between
        return float(np.sqrt(square))

    def estimate(self, level: float) -> Estimate:
        """The mean and its t interval, for figures without natural limits and for differences."""
        arm = self.arm(level)
        if arm is None:
            return Estimate(value=self.mean, reason=ONE_EXAMPLE)
        return Estimate(value=self.mean, low=self.mean - arm, high=self.mean + arm)

    def share(self, level: float, least: Sequence[Interval] = (), doubt: float = 0.0) -> Estimate:
        """The mean of figures between 0 and 1 (rates, AUC), and an interval within these limits.

        On each side the wider of the t interval and the t interval on the scale of log odds, which leans to the side
        where skewed figures of few targets miss; the latter at most one and a half times as long.

        Args:
            level: Of confidence.
            least: Intervals that it holds in any case; see `quantleak.attacks.evaluation.trials`.
            doubt: Standard deviation of a bias that remains.
        """
        value, arm = min(max(self.mean, 0.0), 1.0), self.arm(level, doubt)
        if arm is None:
            return Estimate(value=value, reason=ONE_EXAMPLE)
        low, high = widest([(value - arm, value + arm), *_on_log_odds(value, arm), *least])
        return Estimate(value=value, low=max(0.0, low), high=min(1.0, high))


def _on_log_odds(value: float, arm: float) -> list[Interval]:
    """The interval of value on the scale of log odds, by its derivative there; none at 0 and 1."""
    if not 0 < value < 1:
        return []
    centre, length = float(special.logit(value)), arm / (value * (1 - value))
    low, high = float(special.expit(centre - length)), float(special.expit(centre + length))
    return [(max(low, value - LONGER * arm), min(high, value + LONGER * arm))]
