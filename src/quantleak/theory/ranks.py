"""Which quantizer is more private: ranks and pairwise probabilities, resampled over models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from quantleak.errors import InputError

from .estimate import RESAMPLES, SEED, Floats


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """Ranks of quantizers by mean rate; rank 1 = largest mean = most private.

    Attributes:
        rank: Rank of each quantizer's mean [quantizers]; equal means share the average of their ranks; NaN without
            any defined rate.
        low: Lower end of the percentile interval over models.
        high: Upper end.
        share: Share of resamples [quantizers, quantizers] in which quantizer i has rank j + 1 (quantizers that tie hold
            their ranks in equal parts).
    """

    rank: Floats
    low: Floats
    high: Floats
    share: Floats


def ranks(values: ArrayLike, level: float = 0.95) -> Ranks:
    """Rank quantizers by their mean rate over models, with bootstrap intervals over models.

    A resample draws whole models, so that quantizers are compared on the same models. Undefined rates (NaN) are left
    out of the means.

    Args:
        values: Rates [models, quantizers].
        level: Confidence level, between 0 and 1.

    Raises:
        InputError: If `values` has not two axes or no models.

    Example:
        >>> ranks([[1.0, 3.0], [2.0, 4.0], [3.0, 5.0]]).rank
        array([2., 1.])
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise InputError(
            f"values must be rates [models, quantizers] with at least one of each, got shape {table.shape}."
        )
    means = _resampled_means(table)  # [resamples, quantizers]
    tail = (1 - level) / 2
    low, high = np.array([_quantiles(column, [tail, 1 - tail]) for column in _rank(means).T]).T
    return Ranks(rank=_rank(_means(table)[None])[0], low=low, high=high, share=_share(means))


def probability_more_private(a: ArrayLike, b: ArrayLike) -> float:
    """Bootstrap probability that the mean rate of quantizer a exceeds that of b.

    The share of resamples of models, the same models for both, in which `mean(a) > mean(b)`; equal means count half.
    Models where either rate is undefined (NaN) are left out. Near 0 or 1 the data decide; it is not the probability
    that one model is more private than another.

    Args:
        a: Rates [models] of one quantizer.
        b: Rates [models] of the other, in the same order of models.

    Raises:
        InputError: If the two differ in length or share no model with defined rates.

    Example:
        >>> probability_more_private([2.0, 3.0, 4.0], [1.0, 2.0, 3.0])
        1.0
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise InputError(
            f"a and b must hold one rate for each of the same models, got shapes {first.shape} and {second.shape}."
        )
    both = ~(np.isnan(first) | np.isnan(second))
    if not both.any():
        raise InputError("No model has a defined rate under both quantizers; there is nothing to compare.")
    mean = _resampled_means(np.stack([first[both], second[both]], axis=1))
    return float(np.mean((mean[:, 0] > mean[:, 1]) + 0.5 * (mean[:, 0] == mean[:, 1])))


def _resampled_means(table: Floats) -> Floats:
    """Column means over models drawn with replacement [resamples, quantizers]."""
    models = len(table)
    counts = (
        np.random.default_rng(SEED).multinomial(models, np.full(models, 1 / models), size=RESAMPLES).astype(np.float64)
    )
    return np.stack([_weighted_mean(counts, column) for column in table.T], axis=1)


def _weighted_mean(counts: Floats, column: Floats) -> Floats:
    """Mean of a column under each row of counts.

    Infinite where an infinite value is drawn, NaN where no defined one is.
    """
    finite, infinite = np.isfinite(column), np.isinf(column)
    weight = counts[:, finite].sum(1)
    total = (counts[:, finite] * column[finite]).sum(1)
    mean = np.divide(total, weight, out=np.full(len(counts), np.nan), where=weight > 0)
    return np.where((counts[:, infinite] > 0).any(1), np.inf, mean)


def _means(table: Floats) -> Floats:
    return np.array([_weighted_mean(np.ones((1, len(table))), column)[0] for column in table.T])


def _rank(means: Floats) -> Floats:
    """Descending ranks along the last axis; NaN stays NaN."""
    return np.asarray(stats.rankdata(-means, axis=-1, nan_policy="omit"))


def _share(means: Floats) -> Floats:
    """Share of rows in which a column holds each rank; columns that tie hold all their ranks in equal parts."""
    first = np.asarray(stats.rankdata(-means, method="min", axis=-1, nan_policy="omit"))[:, :, None]
    tied = 2 * (_rank(means)[:, :, None] - first) + 1
    place = np.arange(1, means.shape[1] + 1)
    return np.asarray(np.where((place >= first) & (place < first + tied), 1 / tied, 0).mean(0))


def _quantiles(values: Floats, levels: list[float]) -> Floats:
    """Quantiles of the values that are not NaN, NaN without any."""
    defined = values[~np.isnan(values)]
    return np.quantile(defined, levels) if len(defined) else np.full(len(levels), np.nan)
