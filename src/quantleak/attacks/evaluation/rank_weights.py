"""Weights over ranks of non-members that turn a step curve into the ROC at exactly a given false positive rate.

With n0 non-members in descending order the threshold at rank k has, averaged over samples, the false positive rate
k / (n0 + 1). Linear interpolation at rank alpha (n0 + 1) is therefore right for a straight ROC; a ROC is concave, so
that the interpolated value is too low by about c / n0. A random half of the non-members doubles that bias, and twice
the whole minus the half removes it. The expectation over all halves has a closed form: nothing is drawn.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import special


@lru_cache(maxsize=1024)
def rank_weights(non_members: int, alpha: float) -> np.ndarray:
    r"""Weights c_k of the estimator $\sum_k c_k \mathrm{TPR}_k$ of the ROC at exactly alpha, k = 0 .. n0 + 1.

    $\mathrm{TPR}_k$ is the share of members above the k-th non-member; 0 at k = 0, and 1 at k = n0 + 1. The weights are
    $2 w - w'$: w interpolates between the two ranks next to alpha (n0 + 1), w' is the distribution of the same
    interpolated rank in a random half of the non-members, as ranks of the whole. They sum to 1; some are negative.

    Args:
        non_members: n0, at least 1.
        alpha: False positive rate in [0, 1].

    Returns:
        [n0 + 2] float64, not to be written to.

    Example:
        >>> rank_weights(4, 0.4).round(3).tolist()  # rank 2 of 5; rank 1.2 in halves of two
        [0.0, -0.4, 1.7, -0.2, -0.1, 0.0]
    """
    weights = np.asarray(2 * interpolating_weights(non_members, alpha) - _of_halves(non_members, alpha))
    weights.setflags(write=False)
    return weights


def interpolating_weights(count: int, alpha: float) -> np.ndarray:
    """Weights of the two ranks next to alpha (n0 + 1), as those of `rank_weights` without its correction."""
    rank = min(max(alpha * (count + 1), 0.0), count + 1.0)
    below = min(int(rank), count)
    weights = np.zeros(count + 2)
    weights[below], weights[below + 1] = 1 - (rank - below), rank - below
    return weights


def _of_halves(count: int, alpha: float) -> np.ndarray:
    """Distribution over ranks of the whole of the interpolated rank in a random half, drawn without replacement."""
    half = count // 2
    within = interpolating_weights(half, alpha)
    weights = np.zeros(count + 2)
    weights[0], weights[-1] = within[0], within[-1]
    rank = np.arange(1, count + 1)
    for place in (np.flatnonzero(within[1:-1]) + 1).tolist():
        # Negative hypergeometric: place - 1 of the half lie above rank k, half - place below it.
        above, below = _log_choose(rank - 1, place - 1), _log_choose(count - rank, half - place)
        weights[1:-1] += within[place] * np.exp(above + below - _log_choose(np.array(count), half))
    return weights


def _log_choose(among: np.ndarray, chosen: int) -> np.ndarray:
    possible = np.maximum(among, chosen)
    log = special.gammaln(possible + 1) - special.gammaln(chosen + 1) - special.gammaln(possible - chosen + 1)
    return np.where(among >= chosen, log, -np.inf)
