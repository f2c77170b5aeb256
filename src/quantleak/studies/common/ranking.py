"""How a score ranks the quantizers: agreement with an attack, and how many models a stable ranking needs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

Floats = np.ndarray
Summarise = Callable[[Floats, int], Floats]
TRIMMED = 0.1

_EPSILON = np.finfo(np.float64).tiny


def mean(values: Floats, axis: int) -> Floats:
    """Plain mean, undefined values left out: the paper's average; NaN without any."""
    return _defined(np.mean, np.nanmean, values, axis)


def median(values: Floats, axis: int) -> Floats:
    """Median, undefined values left out; NaN without any."""
    return _defined(np.median, np.nanmedian, values, axis)


def trimmed(values: Floats, axis: int) -> Floats:
    """Mean without the smallest and the largest tenth."""
    return np.asarray(stats.trim_mean(values, TRIMMED, axis=axis))


def geometric(values: Floats, axis: int) -> Floats:
    """Mean logarithm; for positive scores."""
    return mean(np.log(np.maximum(values, _EPSILON)), axis)


def _defined(plain: Callable[..., Floats], leaving_out: Callable[..., Floats], values: Floats, axis: int) -> Floats:
    """The plain function where nothing is undefined: it costs a fraction."""
    found = np.asarray(plain(values, axis=axis))
    if not np.isnan(found).any():
        return found
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "(Mean of empty|All-NaN) slice", RuntimeWarning)
        return np.asarray(leaving_out(values, axis=axis))


SUMMARIES: Mapping[str, Summarise] = {"mean": mean, "median": median, "trimmed": trimmed, "geometric": geometric}


def spearman(one: Floats, other: Floats) -> Floats:
    """Spearman's correlation along the last axis, the axes before broadcast; equals `scipy.stats.spearmanr` of each.

    NaN where one of the two is constant.
    """
    first, second = (_centred(stats.rankdata(values, axis=-1)) for values in (one, other))
    scale = np.sqrt((first**2).sum(-1) * (second**2).sum(-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((first * second).sum(-1) / scale)


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean(-1, keepdims=True))


def resampled(values: Floats, summarise: Summarise, resamples: int, seed: int = 0) -> Floats:
    """Summaries `[resamples, quantizers]` of models drawn again from values `[models, quantizers]`."""
    drawn = np.random.default_rng(seed).integers(len(values), size=(resamples, len(values)))
    return _over(values, drawn, summarise)


def _over(values: Floats, rows: Floats, summarise: Summarise) -> Floats:
    """Summaries `[sets, quantizers]` of some sets of rows `[sets, models]` of values `[models, quantizers]`."""
    # The models last in memory, where a reduction is several times faster than over strides of eight numbers.
    return summarise(np.ascontiguousarray(values.T)[:, rows], -1).T


def sizes_up_to(models: int) -> list[int]:
    """Numbers of models at which stability is looked at: every one at first, then in steps of about a tenth.

    Example:
        >>> sizes_up_to(30)
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 17, 20, 23, 26, 30]
    """
    sizes = [1]
    while sizes[-1] < models:
        sizes.append(min(models, max(sizes[-1] + 1, round(sizes[-1] * 1.12 + 0.5))))
    return sizes


@dataclass(frozen=True, kw_only=True, eq=False)
class Stability:
    """Spearman between the ranking of some models and that of all.

    Attributes:
        sizes: Numbers of models.
        correlation: `[sizes, subsets]`.
    """

    sizes: list[int]
    correlation: Floats

    def needed(self, level: float = 0.95) -> int:
        """Fewest models from which the mean correlation stays at `level` or above."""
        above = self.correlation.mean(1) >= level
        last_below = np.flatnonzero(~above)
        return self.sizes[min(len(self.sizes) - 1, 0 if not len(last_below) else int(last_below[-1]) + 1)]


def stability(values: Floats, summarise: Summarise, subsets: int = 100, seed: int = 0) -> Stability:
    """Stability of a ranking over random subsets of the models.

    Args:
        values: `[models, quantizers]`, larger = more private.
        summarise: From the values of some models to one value per quantizer.
        subsets: Random subsets for each number of models, as in the paper's Figure 1.
        seed: Draws them; equal seeds draw the same models.
    """
    sizes = sizes_up_to(len(values))
    orders = np.argsort(np.random.default_rng(seed).random((subsets, len(values))), axis=1)
    some = np.stack([_over(values, orders[:, :size], summarise) for size in sizes])  # [sizes, subsets, quantizers]
    return Stability(sizes=sizes, correlation=spearman(some, summarise(values, 0)))
