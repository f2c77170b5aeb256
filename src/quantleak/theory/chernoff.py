"""Chernoff's exponent of empirical distributions, many at once."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from quantleak.theory.pair import SAFE

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
