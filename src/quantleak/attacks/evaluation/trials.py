"""Intervals that stay open where the data do not vary, and the exact one of a single target's TPR.

Sources: [Wilson1927] E. Wilson, *Probable Inference, the Law of Succession, and Statistical Inference*, JASA 22.
[Newcombe2006] R. Newcombe, *Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part
2*, Statistics in Medicine 25, method 5, with the variance of [Hanley1982] J. Hanley, B. McNeil, *The meaning and use of
the area under a receiver operating characteristic (ROC) curve*, Radiology 143. Nobody found, or members and non-members
wholly apart: the estimated variance is 0, yet nothing is certain. Both take every (target, example) for an independent
trial, so that they are a lower bound of what is uncertain.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize, special

from quantleak.attacks.evaluation.roc import Roc
from quantleak.results.estimate import Interval

FEWEST = 5
"""Members, and non-members, that an interval of the AUC needs: with fewer even separated scores say next to nothing."""


def wilson(value: float, trials: int, level: float) -> Interval:
    """Score interval of a proportion: all p with (value - p)^2 <= z^2 p (1 - p) / trials. Source: [Wilson1927].

    Equals `scipy.stats.binomtest(k, n).proportion_ci(level, method="wilson")` where value = k / n.

    Example:
        >>> [round(limit, 4) for limit in wilson(0.0, 10, 0.95)]
        [0.0, 0.2775]
    """
    z = float(special.ndtri((1 + level) / 2))
    centre = (value + z * z / (2 * trials)) / (1 + z * z / trials)
    arm = z * np.sqrt(value * (1 - value) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    return max(0.0, float(centre - arm)), min(1.0, float(centre + arm))


def auc_limits(value: float, members: int, non_members: int, scale: float, level: float) -> Interval:
    r"""Score interval of an AUC A: all A with (value - A)^2 <= z^2 scale V(A), V the variance at exponential scores.

    $V(A) = \frac{A (1 - A)}{n_1 n_0} [1 + (n - 1) (\frac{1 - A}{2 - A} + \frac{A}{1 + A})]$, n the mean of n1 and n0.
    Source: [Newcombe2006], method 5.

    Args:
        value: The AUC.
        members: n1 of one target.
        non_members: n0 of one target.
        scale: `Roc.untied` over the number of targets.
        level: Of confidence.

    Example:
        >>> [round(limit, 3) for limit in auc_limits(1.0, 10, 10, 1.0, 0.95)]
        [0.8, 1.0]
    """
    z = float(special.ndtri((1 + level) / 2))
    mean = (members + non_members) / 2

    def excess(auc: float) -> float:
        variance = 1 + (mean - 1) * ((1 - auc) / (2 - auc) + auc / (1 + auc))
        variance *= auc * (1 - auc) / (members * non_members) * scale
        return (value - auc) ** 2 - z * z * variance

    if scale == 0:
        return value, value
    nearest = 1e-9  # next to the value the variance wins, at 0 and 1 it vanishes
    return _root(excess, 0.0, value - nearest), _root(excess, 1.0, value + nearest)


def _root(excess: Callable[[float], float], end: float, near: float) -> float:
    """Where `excess` changes sign between the end of the range and a point next to the value; the end if nowhere."""
    if not 0 < near < 1 or excess(end) <= 0 or excess(near) >= 0:
        return end
    return float(optimize.brentq(excess, end, near))


def one_target_tpr(curve: Roc, alpha: float, level: float) -> Interval:
    r"""Interval of one target's true positive rate at exactly alpha, with the threshold as uncertain as it is.

    The threshold of the population's false positive rate alpha lies below K of the sample's n0 non-members, K binomial
    with (n0, alpha). Given K = k it lies between the k-th and the next; the members above these two give
    Clopper-Pearson's Beta limits. The limits are the quantiles of the two mixtures over K. (A Clopper-Pearson interval
    given the threshold of the sample covers 62% at d = 1, alpha = 1%, n0 = 500.)

    Args:
        curve: Of the target.
        alpha: False positive rate.
        level: Of confidence.
    """
    count, members = curve.non_members, curve.members
    above = np.arange(count + 1)
    log_choose = -np.log(count + 1) - special.betaln(above + 1, count - above + 1)
    weight = np.exp(log_choose + special.xlogy(above, alpha) + special.xlog1py(count - above, -alpha))
    likely = weight > 1e-12
    above, weight = above[likely], weight[likely] / weight[likely].sum()
    hits = curve.shares_by_rank() * members
    fewer, more = hits[above], np.minimum(hits[above + 1], members)
    tail = (1 - level) / 2
    tiny = np.finfo(np.float64).tiny
    low = _quantile(lambda p: float(weight @ special.betainc(np.maximum(fewer, tiny), members - fewer + 1, p)), tail)
    high = _quantile(lambda p: float(weight @ special.betainc(more + 1, np.maximum(members - more, tiny), p)), 1 - tail)
    return low, high


def _quantile(distribution: Callable[[float], float], at: float) -> float:
    if distribution(0.0) >= at:
        return 0.0
    return 1.0 if distribution(1.0) <= at else float(optimize.brentq(lambda p: distribution(p) - at, 0.0, 1.0))
