"""The bootstrap over targets and examples, for functions of several figures of the same targets and examples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quantleak.attacks import Crossed

AT_ONCE = 200


def resampled(figures: Mapping[str, Crossed], resamples: int, seed: int) -> dict[str, np.ndarray]:
    r"""Figures of targets and examples drawn again, the same draw for all of them.

    .. math:: \theta^* = \sum_t w_t \big(\theta_t + \sum_i (v_i - 1)\, \psi_{ti}\big)

    with w the shares of the targets and v the counts of the groups of examples in one draw with replacement, psi the
    influences. To first order this is the figure of the drawn sample, without a new ROC curve for each.

    Args:
        figures: By name, values `[T]` and influences `[T, G]`, T and G alike in all.
        resamples: How many.
        seed: Draws them.

    Returns:
        By name, `[resamples]`.
    """
    if not figures:
        return {}
    values = np.stack([one.values for one in figures.values()])  # [figures, T]
    influence = np.concatenate([one.influence for one in figures.values()])  # [figures T, G]
    count, targets = values.shape
    groups = influence.shape[1]
    random = np.random.default_rng(seed)
    drawn = np.empty((count, resamples))
    for start in range(0, resamples, AT_ONCE):
        some = min(AT_ONCE, resamples - start)
        weights = random.multinomial(targets, np.full(targets, 1 / targets), size=some) / targets
        counts = random.multinomial(groups, np.full(groups, 1 / groups), size=some)
        moved = (influence @ (counts - 1.0).T).reshape(count, targets, some)
        drawn[:, start : start + some] = np.einsum("rt,ftr->fr", weights, values[..., None] + moved)
    return dict(zip(figures, drawn, strict=True))


def limits(drawn: np.ndarray, level: float) -> tuple[float, float]:
    """The percentile interval of one figure."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
