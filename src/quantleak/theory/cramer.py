"""The Cramer rate: the exact exponent of which r_Q is the second-order version, by Chernoff's exponents."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from quantleak.theory.gaps import Gaps, gaps
from quantleak.theory.pair import SAFE
from quantleak.theory.rate import Rate, make_rate

STEPS = 200
"""Far more than needed: Newton takes about six, bisection over the whole float64 range fewer than this."""


def chernoff_exponent(differences: Tensor) -> Tensor:
    r""":math:`I = -\log \inf_{s \ge 0} \frac1N \sum_i e^{-s D_i}` for each row.

    Args:
        differences: float64 [rows, N], finite or plus infinity.

    Returns:
        float64 [rows], nats: infinite if all of a row is positive, `-ln(share of zeros)` if it is nonnegative with
        some zeros, 0 if its mean is at most 0; plus infinities drop out of the sum but count in N.
    """
    result = torch.zeros_like(differences[:, 0])
    lowest, highest = differences.amin(1), differences.amax(1)
    finite = torch.isfinite(highest)
    differences = _of_ordinary_size(differences, torch.maximum(lowest.abs(), highest.abs()))
    for row in (~finite).nonzero().flatten().tolist():
        kept = differences[row][torch.isfinite(differences[row])]
        share = len(kept) / differences.shape[1]
        result[row] = chernoff_exponent(kept[None])[0] - math.log(share) if share else math.inf
    mean = differences.mean(1)
    zeros = (differences == 0).double().mean(1)
    result = torch.where(finite & (lowest >= 0), -torch.log(zeros), result)
    inner = (finite & (lowest < 0) & (mean > 0)).nonzero().flatten()
    if len(inner):
        result[inner] = _interior_exponent(differences[inner])
    return result


def _of_ordinary_size(differences: Tensor, largest: Tensor) -> Tensor:
    """Rows whose squares would leave the range of float64, times a power of two, which changes no exponent."""
    size = np.frexp(torch.where(torch.isfinite(largest), largest, 1).numpy())[1]
    if (abs(size) <= SAFE).all():
        return differences
    size = np.where(abs(size) > SAFE, size, 0)
    return torch.from_numpy(np.ldexp(differences.numpy(), -size[:, None]))


def _interior_exponent(differences: Tensor) -> Tensor:
    """The exponent where the minimum is attained: positive mean, some values negative.

    `psi(s) = log E exp(-s D)` is convex and its minimum is the root of the tilted mean `-psi'(s)`. Newton's steps start
    at the Gaussian solution `s = mean / variance` and stay inside a bracket; a step that leaves it is replaced by
    doubling or bisection. Any s gives `I >= -psi(s)`, so the largest value seen is kept.
    """
    below = torch.zeros_like(differences[:, 0])
    above = torch.full_like(below, torch.inf)
    s = differences.mean(1) / differences.var(1, correction=0)
    best = torch.zeros_like(below)
    for _ in range(STEPS):
        psi, mean, variance = _tilted(differences, s)
        best = torch.maximum(best, -psi)
        # psi is off by about mean^2 / (2 variance) at this s.
        if bool((mean.square() <= 1e-14 * variance * best).all()):
            break
        below, above = torch.where(mean > 0, s, below), torch.where(mean > 0, above, s)
        newton = s + mean / variance
        fallback = torch.where(torch.isinf(above), 2 * s, (below + above) / 2)
        s = torch.where((newton > below) & (newton < above) & (newton < 8 * s), newton, fallback)
    return best


def _tilted(differences: Tensor, s: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """`log E exp(-s D)`, and mean and variance of D under the tilted weights `exp(-s D)`; each [rows]."""
    exponent = differences * -s[:, None]
    largest = exponent.amax(1)
    weight = exponent.sub_(largest[:, None]).exp_()
    total = weight.sum(1)
    psi = largest + torch.log(total / differences.shape[1])
    weight.mul_(differences)
    mean = weight.sum(1) / total
    variance = weight.mul_(differences).sum(1) / total - mean.square()
    return psi, mean, variance


BATCH = 2**17
"""Differences handled at a time; about a megabyte in float64."""


class Exponents:
    r"""Chernoff's exponents of all competitors, computed only where they matter.

    .. math:: I_k = -\log \inf_{s \ge 0} E\, e^{-s D_k}

    Each starts with a lower bound that costs nothing. With `b = delta_k - min D_k`, Bennett's inequality gives, for any
    variable of mean `delta_k` and variance `sigma_k^2` whose values are at least `delta_k - b`,

    .. math::
        I_k \ge \frac{\sigma_k^2}{b^2} h\!\left(\frac{b \delta_k}{\sigma_k^2}\right),
        \qquad h(u) = (1 + u) \ln(1 + u) - u.

    The empirical differences are such a variable, so a competitor whose bound exceeds an exponent already known
    cannot be the minimum.

    Attributes:
        lower: Lower bounds [R]; the exact exponents where `solved`.
        solved: Whether the exact exponent is known [R].
    """

    def __init__(self, measured: Gaps) -> None:
        self.measured = measured
        self.lower = bennett_bound(measured)
        # All differences positive: unbounded. Mean 0: nothing to gain from any s.
        self.solved = (measured.lowest > 0) | (measured.delta == 0)

    def solve(self, which: Tensor) -> None:
        """Compute the exact exponents at these positions."""
        at_once = max(1, BATCH // self.measured.losses.shape[1])
        for some in which.split(at_once):
            self.lower[some] = chernoff_exponent(self.measured.differences(some))
            self.solved[some] = True

    def solve_smallest(self, below: float) -> bool:
        """Solve some of the unsolved, those with the smallest lower bounds, if these are under `below`.

        Returns:
            Whether there were any.
        """
        open_ = (~self.solved & (self.lower < below)).nonzero().flatten()
        if not len(open_):
            return False
        at_once = max(1, BATCH // self.measured.losses.shape[1])
        self.solve(open_[self.lower[open_].argsort()[:at_once]])
        return True

    def smallest(self) -> int:
        """Position of the smallest exponent."""
        # The competitor that is closest to second order nearly always decides, or prunes nearly all others.
        guess = self.measured.signal_to_noise.argmin()
        if not self.solved[guess]:
            self.solve(guess[None])
        known = float(self.lower[self.solved].min())
        while self.solve_smallest(below=known):
            known = float(self.lower[self.solved].min())
        return int(torch.where(self.solved, self.lower, torch.inf).argmin())


def bennett_bound(measured: Gaps) -> Tensor:
    """The lower bounds of `Exponents` [R]; infinite or 0 where the exponent is known to be."""
    delta, lowest, ratio = measured.delta, measured.lowest, measured.signal_to_noise
    # In units of sigma_k, in which no loss is too large or too small to be squared: delta and b.
    signal = ratio.sqrt()
    reach = signal * (1 - lowest / delta)
    u = reach * signal
    # For small u the difference cancels; u^2 / (2 + 2u/3) is Bernstein's bound, which lies below h.
    h = torch.where(u > 1e-3, (1 + u) * torch.log1p(u) - u, u.square() / (2 + 2 * u / 3))
    bound = h / reach.square() * (1 - 1e-9)  # less a margin for rounding
    # A loss of infinity drops out of the expectation, which leaves at most the share of the others.
    bound = torch.where(measured.infinite > 0, -torch.log1p(-measured.infinite), bound)
    bound = torch.where(torch.isfinite(bound), bound, 0)
    return torch.where(lowest > 0, torch.inf, torch.where(delta == 0, 0, bound))


def cramer_rate(losses: object) -> Rate:
    r"""The Cramer rate of a quantizer from the elements of one training run.

    .. math:: C = \min_{k \ge 2} I_k, \qquad I_k = -\log \inf_{s \ge 0} \frac1N \sum_z e^{-s D_k(z)}

    with `D_k` the differences between the losses of element k and those of the best element: Chernoff's exponent of
    the event that k looks better than the best. For Gaussian differences it equals r_Q. Source: [Aubinais2025]_,
    Theorem 3.1, whose infimum over the complement of an orthant contracts to this minimum.

    All differences of every competitor positive: infinite. Differences at least 0 with some zeros: `-ln(share of
    zeros)`. Equal means: 0. Fewer than two distinct rows, or one validation example: undefined (NaN). Infinite losses
    of a competitor contribute `exp(-s * inf) = 0`.

    Args:
        losses: Table [K, N] in nats, as for `privacy_rate`.

    Raises:
        InputError: If `losses` is not a table, or holds NaN or minus infinity.

    Example:
        >>> round(float(cramer_rate([[0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, -1.0]])), 6)  # -ln(2 sqrt(3/4 * 1/4))
        0.143841
    """
    return cramer_rate_of(Exponents(gaps(losses)))


def cramer_rate_of(exponents: Exponents) -> Rate:
    """`cramer_rate` of a measured table."""
    if exponents.measured.undefined:
        return make_rate(exponents.measured, math.nan, None)
    k = exponents.smallest()
    return make_rate(exponents.measured, float(exponents.lower[k]), k)
