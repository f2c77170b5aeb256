"""Differences of figures of which only value and interval are known, and verdicts on many differences at once.

Sources: [Zou2008] G. Zou, A. Donner, *Construction of confidence limits about effect measures: a general approach*,
Statistics in Medicine 27 (MOVER; Newcombe's square-and-add is its case of two proportions). [Holm1979] S. Holm, *A
simple sequentially rejective multiple test procedure*, Scandinavian Journal of Statistics 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats

from quantleak.results import Estimate


def mover(first: Estimate, second: Estimate) -> Estimate:
    r"""`second - first` of two independent estimates, by squaring and adding the arms of their intervals.

    $d = b - a$, limits $d - \sqrt{(b - l_b)^2 + (u_a - a)^2}$ and $d + \sqrt{(u_b - b)^2 + (a - l_a)^2}$; source:
    [Zou2008], eq. (5). Estimates that rise and fall together have a shorter interval than this one.

    Example:
        >>> mover(Estimate(value=0.2, low=0.1, high=0.3), Estimate(value=0.5, low=0.4, high=0.6)).text()
        '0.300 [0.159, 0.441]'
    """
    missing = first.reason if first.value is None else second.reason if second.value is None else None
    if first.value is None or second.value is None:
        return Estimate(value=None, reason=missing or "one of the two has no value")
    difference = second.value - first.value
    if None in (first.low, first.high, second.low, second.high):
        return Estimate(value=difference, reason="one of the two has no interval")
    below = math.hypot(second.value - _end(second.low), _end(first.high) - first.value)
    above = math.hypot(_end(second.high) - second.value, first.value - _end(first.low))
    return Estimate(value=difference, low=difference - below, high=difference + above)


def _end(limit: float | None) -> float:
    return math.nan if limit is None else limit


def p_value(difference: Estimate, level: float) -> float | None:
    """Two-sided p-value of no difference, from the arm of the interval that points to zero; None without one.

    Takes the arm for `norm.ppf((1 + level) / 2)` standard errors: the approximation by which an interval is also
    widened to another level.

    Example:
        >>> round(p_value(Estimate(value=1.96, low=0.0, high=3.92), 0.95), 3)
        0.05
    """
    if difference.value is None or difference.low is None or difference.high is None:
        return None
    arm = difference.value - difference.low if difference.value > 0 else difference.high - difference.value
    if difference.value == 0 or not arm > 0:
        return 1.0 if difference.value == 0 else 0.0
    errors = abs(difference.value) / arm * stats.norm.ppf((1 + level) / 2)
    return float(2 * stats.norm.sf(errors))


def holm(p_values: Sequence[float | None], error: float) -> list[bool]:
    """Which hypotheses are rejected so that any is rejected wrongly with probability at most `error`; None never is.

    Equals `statsmodels.stats.multitest.multipletests(p_values, error, "holm")`. Source: [Holm1979].

    Example:
        >>> holm([0.03, 0.01, None, 0.04], 0.05)
        [False, True, False, False]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    rejected = [False] * len(p_values)
    for left, (p, place) in zip(range(len(known), 0, -1), known, strict=True):
        if p > error / left:
            break
        rejected[place] = True
    return rejected
