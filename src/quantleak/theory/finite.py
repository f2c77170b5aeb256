"""The privacy rate at a finite number of training examples: all competitors count, not the closest alone."""

from __future__ import annotations

import math

import torch

from quantleak.theory.gaps import Gaps, gaps
from quantleak.theory.size import training_examples


def finite_rate(losses: object, n: int) -> float:
    r"""The privacy rate of a quantizer at n training examples, from the elements of one training run.

    .. math:: r_n = -\frac1n \log \sum_{k \ge 2} \exp\left(-\frac n2 \frac{\delta_k^2}{\sigma_k^2}\right)

    The union bound `1 - p_1 <= sum_k exp(-n I_k)` on the probability that an empirical-risk minimiser misses the best
    element, as a rate and to second order. As n grows only the closest competitor is left and `r_n -> r_Q`; at the n of
    a real training set all competitors that n examples cannot tell from the best count, and r_n approaches
    `-log(K - 1) / n`. So it joins what r_Q measures (how close the closest competitor is) with what it forgets (how
    many are close). It may be negative: then the bound is vacuous, and only the ranking speaks.

    Args:
        losses: Table [K, N] in nats, as for `privacy_rate`.
        n: Training examples.

    Returns:
        Nats per training example; larger = more private. Infinite where no competitor comes close, NaN with fewer
        than two distinct elements or one validation example.

    Raises:
        InputError: If n is not a positive whole number, or the losses are no table or hold NaN or minus infinity.

    Example:
        >>> from quantleak.theory import privacy_rate
        >>> finite_rate([[0.0, 1.0], [1.0, 1.0]], 1) == float(privacy_rate([[0.0, 1.0], [1.0, 1.0]]))
        True
    """
    return finite_rate_of(gaps(losses), training_examples(n))


def finite_rate_of(measured: Gaps, n: int) -> float:
    """`finite_rate` of a measured table."""
    ratio = measured.signal_to_noise
    if measured.undefined:
        return math.nan
    return -float(torch.logsumexp(-n * ratio / 2, 0)) / n
