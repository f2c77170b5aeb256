"""The bootstrap over targets and examples, for functions of several figures of the same targets and examples."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from quantleak.attacks import Crossed

AT_ONCE = 200


def resampled(figures: Mapping[str, Crossed], resamples: int, seed: int) -> dict[str, np.ndarray]:
    r"""Figures of targets and examples drawn again, the same draw for all of them.

    .. math:: \theta^* = \sum_t w_t \theta_t + c \sum_i (v_i - 1)\, \bar\psi_i

    with w the shares of the targets and v the counts of the groups of examples in one draw with replacement, and
    psi-bar the mean influence of a group over targets. To first order this is the figure of the drawn sample, without a
    new ROC curve for each. The spread between targets already holds the noise of single targets on single examples,
    which plain resampling both ways would count three times; c takes it out of the second part, so that the variance is
    that of :class:`~quantleak.attacks.evaluation.crossed.Crossed`.

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
    mean = np.stack([one.influence.mean(axis=0) for one in figures.values()])  # [figures, G]
    targets, groups = values.shape[1], mean.shape[1]
    scale = np.sqrt(targets / max(targets - 1, 1))  # an unbiased variance of few targets
    kept = np.array([_shared(one) for one in figures.values()])
    random = np.random.default_rng(seed)
    drawn = np.empty((len(figures), resamples))
    for start in range(0, resamples, AT_ONCE):
        some = min(AT_ONCE, resamples - start)
        weights = random.multinomial(targets, np.full(targets, 1 / targets), size=some) / targets
        weights = 1 / targets + scale * (weights - 1 / targets)
        counts = random.multinomial(groups, np.full(groups, 1 / groups), size=some)
        drawn[:, start : start + some] = values @ weights.T + kept[:, None] * (mean @ (counts - 1.0).T)
    return dict(zip(figures, drawn, strict=True))


def _shared(figure: Crossed) -> float:
    """The factor c: which part of the deviation over examples is common to the targets."""
    by_example = float(np.square(figure.influence.mean(axis=0)).sum())
    return float(np.sqrt(figure.variances()[1] / by_example)) if by_example > 0 else 0.0


def limits(drawn: np.ndarray, level: float) -> tuple[float, float]:
    """The percentile interval of one figure."""
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
