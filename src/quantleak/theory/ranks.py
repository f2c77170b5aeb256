"""Which quantizer is more private: ranks of median rates, and how sure each pair is on the same models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from quantleak.arrays import plain
from quantleak.errors import InputError
from quantleak.theory.over_models import Floats, median


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Ranks of quantizers by median rate; rank 1 = largest median = most private.

    Attributes:
        rank: Rank of each quantizer's median [quantizers]; equal medians share the average of their ranks; NaN without
            any defined rate.
        low: Lower end of the interval: 1 more than the number of quantizers that are surely more private.
        high: Upper end: as many less than there are quantizers as are surely less private.
    """

    rank: Floats
    low: Floats
    high: Floats


def ranks(values: ArrayLike, level: float = 0.95) -> Ranks:
    """Rank quantizers by their median rate over models.

    The interval of a rank comes from sign tests against each of the others on the same models, at an error of
    `1 - level` for all others together (Bonferroni): no assumption on the tails of the rates, which a bootstrap of
    means needs. So few models leave every rank open, as they should. Undefined rates (NaN) are left out.

    Args:
        values: Rates [models, quantizers].
        level: Confidence level, between 0 and 1.

    Raises:
        InputError: If `values` has not two axes or no models.

    Example:
        >>> ranks([[1.0, 3.0], [2.0, 4.0], [3.0, 5.0]]).rank
        array([2., 1.])
    """
    table = plain(values, "values").astype(np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise InputError(
            f"values must be rates [models, quantizers] with at least one of each, got shape {table.shape}."
        )
    medians = np.array([median(column[~np.isnan(column)]) for column in table.T])
    rank = np.asarray(stats.rankdata(-medians, nan_policy="omit"))
    defined = np.flatnonzero(~np.isnan(rank))
    low, high = np.full(len(rank), np.nan), np.full(len(rank), np.nan)
    error = (1 - level) / 2 / max(1, len(defined) - 1)
    for one in defined:
        others = [_signs(table[:, one], table[:, other]) for other in defined if other != one]
        above = sum(_p_value(less, more) <= error for more, less in others)
        below = sum(_p_value(more, less) <= error for more, less in others)
        low[one], high[one] = min(1 + above, rank[one]), max(len(defined) - below, rank[one])
    return Ranks(rank=rank, low=low, high=high)


def confidence_more_private(a: ArrayLike, b: ArrayLike) -> float:
    r"""How sure it is that quantizer a has the larger rate than b in more than half of all models.

    .. math:: 1 - P(X \ge w), \qquad X \sim \mathrm{Binomial}(m, 1/2)

    with a's rate the larger in w > m / 2 of the m models where the two differ: 1 less the p-value of the one-sided sign
    test. The confidence in b is 1 less that in a; 1/2 says that nothing is known. Models where either rate is
    undefined (NaN) are left out.

    Args:
        a: Rates [models] of one quantizer.
        b: Rates [models] of the other, in the same order of models.

    Raises:
        InputError: If the two differ in length or share no model with defined rates.

    Example:
        >>> confidence_more_private([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
        0.875
    """
    first, second = (plain(values, name).astype(np.float64) for values, name in ((a, "a"), (b, "b")))
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError(
            f"a and b must hold one rate for each of the same models, got shapes {first.shape} and {second.shape}."
        )
    if (np.isnan(first) | np.isnan(second)).all():
        raise InputError("No model has a defined rate under both quantizers; there is nothing to compare.")
    more, less = _signs(first, second)
    p = _p_value(max(more, less), min(more, less))
    return 1 - p if more > less else p if more < less else 0.5


def _signs(a: Floats, b: Floats) -> tuple[int, int]:
    """In how many models a's rate is the larger, and in how many b's; neither where they are equal or undefined."""
    return int((a > b).sum()), int((a < b).sum())


def _p_value(more: int, less: int) -> float:
    """Of the one-sided sign test that `more` is not the rule."""
    return float(stats.binom.sf(more - 1, more + less, 0.5))
