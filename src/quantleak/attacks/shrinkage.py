"""How much to trust an example's own variance: a prior for variances, estimated from all examples at once.

Source: [Smyth2004] G. Smyth, *Linear Models and Empirical Bayes Methods for Assessing Differential Expression*,
Statistical Applications in Genetics and Molecular Biology 3(1), section 6.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import optimize, special

FEWEST, MOST = 2.0, 1e6
_trigamma = partial(special.zeta, 2.0)  # polygamma(1, x), without the checks that cost thirty times the function


@dataclass(frozen=True, kw_only=True, slots=True)
class VariancePrior:
    """A scaled inverse chi-squared prior of variances: as if `count` more observations had variance `variance`."""

    count: float
    variance: float

    def shrink(self, squares: np.ndarray, freedom: np.ndarray) -> np.ndarray:
        """Posterior variances (count * variance + squares) / (count + freedom), the shape of the arguments."""
        return np.asarray((self.count * self.variance + squares) / (self.count + freedom))


def estimate_prior(squares: np.ndarray, freedom: np.ndarray) -> VariancePrior:
    r"""Fit the prior to sums of squares by the mean and variance of their logarithms.

    With sample variances $s_i^2$ on $d_i$ degrees of freedom, $e_i = \ln s_i^2 - \psi(d_i/2) + \ln(d_i/2)$ has mean
    $\ln s_0^2 - \psi(d_0/2) + \ln(d_0/2)$ and variance $\psi'(d_i/2) + \psi'(d_0/2)$: the typical variance counts, not
    the largest. Differences from [Smyth2004]: (1) $d_0$ is at least 2, because signals of quantized models repeat and
    zero variances must not stay zero; (2) zeros count as 1e-5 of the median, as in the limma package; (3) where the
    variances scatter no more than chance makes them, $d_0 = 10^6$ and $s_0^2$ is their pooled value.

    Args:
        squares: [rows] sums of squared deviations.
        freedom: [rows] degrees of freedom; rows with none are left out, and there is one with some.
    """
    seen = freedom > 0
    squares, freedom = squares[seen], freedom[seen]
    variances, pooled = squares / freedom, float(squares.sum() / freedom.sum())
    typical = float(np.median(variances))
    if typical == 0.0:
        return VariancePrior(count=FEWEST, variance=pooled)
    logs = np.log(np.maximum(variances, 1e-5 * typical)) - special.digamma(freedom / 2) + np.log(freedom / 2)
    count = _inverse_trigamma(float(logs.var() - _trigamma(freedom / 2).mean()))
    if count == MOST:
        return VariancePrior(count=MOST, variance=pooled)
    log_variance = logs.mean() + special.digamma(count / 2) - np.log(count / 2)
    return VariancePrior(count=count, variance=float(np.exp(log_variance)))


def _inverse_trigamma(excess: float) -> float:
    """The count d in [2, 1e6] with trigamma(d / 2) = excess, or the nearer end."""
    ends = [float(_trigamma(end / 2)) for end in (FEWEST, MOST)]
    if excess >= ends[0] or excess <= ends[1]:
        return FEWEST if excess >= ends[0] else MOST
    root = optimize.brentq(lambda log_d: _trigamma(np.exp(log_d) / 2) - excess, *np.log([FEWEST, MOST]))
    return float(np.exp(root))
