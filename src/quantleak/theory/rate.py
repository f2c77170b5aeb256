"""The privacy score r_Q of a quantizer, from the losses of the distinct elements on its trajectory.

Source: [Aubinais2025]_ Aubinais, Formont, Piantanida, Gassiat: Membership Inference Risks in Quantized Models: A
Theoretical and Empirical Study, arXiv 2502.06567.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from quantleak.theory.gaps import Gaps, gaps


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A privacy rate in nats per training example; larger = more private. `float(rate)` is its value.

    Attributes:
        value: The rate: a number, infinity (unbounded) or NaN (undefined).
        reason: Why the value is not an ordinary number, else None.
        z: Resolution `sqrt(2 N value)`: how many standard errors the best element lies from its closest competitor.
            Below 2 it is not resolved at this N.
        elements: Number of distinct elements (rows).
        n_validation: N. Rates compare only at equal N.
        k_star: Row of the closest competitor, where there is one.
        best: Row of the best element.
    """

    value: float
    reason: str | None = None
    z: float
    elements: int
    n_validation: int
    k_star: int | None = None
    best: int | None = None

    def __float__(self) -> float:
        return self.value

    @property
    def resolved(self) -> bool:
        """Whether z is at least 2."""
        return self.z >= 2


def privacy_rate(losses: object) -> Rate:
    r"""The privacy score of a quantizer from the elements of one training run.

    .. math::
        r_Q = \frac{\delta_2^2}{2 \max_k (\delta_2/\delta_k)^2 \sigma_k^2}
            = \frac12 \min_{k \ge 2} \frac{\delta_k^2}{\sigma_k^2}

    with `delta_k` and `sigma_k^2` (ddof 0) the mean and variance of the differences between the losses of element k
    and those of the best element 1. Source: [Aubinais2025]_, Theorem 3.3 and Algorithm 1, in the form where `delta_2`
    has cancelled.

    1. Rows that are exactly equal are one element.
    2. Two rows with equal means: 0. All differences constant: infinite. Fewer than two distinct rows, or one validation
       example: undefined (NaN).
    3. An element with infinite losses on a share p of the examples can only be a competitor, and one with
       `delta_k^2 / sigma_k^2 = p / (1 - p)`, the limit as these losses grow. Undefined if no mean is finite.

    Args:
        losses: Per-sample losses [K, N] in nats of K elements on N validation examples: tensor, array or lists. Sums
            are taken in float64, near ties are decided by exact sums, and very small or large losses are scaled by
            powers of two, so that a rate has the digits that its losses have.

    Raises:
        InputError: If `losses` is not a table, holds NaN or minus infinity, or two losses differ by more than float64
            can hold.

    Example:
        >>> float(privacy_rate([[0.0, 1.0], [1.0, 1.0], [1.0, 4.0]]))
        0.5
    """
    return privacy_rate_of(gaps(losses))


def privacy_rate_of(measured: Gaps) -> Rate:
    """`privacy_rate` of a measured table."""
    if measured.undefined:
        return make_rate(measured, math.nan, None)
    k = int(measured.signal_to_noise.argmin())
    return make_rate(measured, float(measured.signal_to_noise[k]) / 2, k)


def make_rate(measured: Gaps, value: float, competitor: int | None) -> Rate:
    """A `Rate` with its reason and resolution; `competitor` is a position among the competitors."""
    examples = measured.losses.shape[1]
    reason = measured.undefined
    if value == math.inf:
        reason = f"unbounded: no competitor comes close to the best element on these {examples} validation examples"
    return Rate(
        value=value,
        reason=reason,
        z=math.sqrt(2 * examples * value),
        elements=measured.elements,
        n_validation=examples,
        k_star=None if competitor is None or value == math.inf else int(measured.competitors[competitor]),
        best=measured.best,
    )


def lambda_kk(losses: object) -> Tensor:
    r"""The paper's diagnostic, for k = 2, 3, ... in the order of mean loss.

    .. math:: \Lambda_{kk} = (\delta_2/\delta_k)^2 \sigma_k^2

    Its largest entry is the `sigma^2` of `r_Q = delta_2^2 / (2 sigma^2)`. Where elements tie with the best
    (`delta_2 = 0`), the ratio is 1 for those and 0 for the others. Source: [Aubinais2025]_, Algorithm 1 and Figure 10.

    Args:
        losses: Table [K, N] in nats, as for `privacy_rate`.

    Returns:
        float64 tensor [distinct rows - 1], nats squared.

    Raises:
        InputError: If `losses` is not a table, or holds NaN or minus infinity.

    Example:
        >>> lambda_kk([[0.0, 0.0], [0.0, 2.0], [0.0, 8.0]])
        tensor([1., 1.], dtype=torch.float64)
    """
    return lambda_kk_of(gaps(losses))


def lambda_kk_of(measured: Gaps) -> Tensor:
    """`lambda_kk` of a measured table."""
    delta = measured.delta
    if not len(delta):
        return delta
    if delta[0] == 0:
        return torch.where(delta == 0, measured.variance, 0)
    ratio = measured.signal_to_noise
    return torch.where(torch.isinf(ratio), 0, delta[0].square() / ratio)  # a constant difference has no variance
