"""The Membership Inference Security of a learner as a record, and what follows for any attack."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np


@dataclass(frozen=True, kw_only=True, eq=False)
class ExactMis:
    r"""Membership Inference Security of a learner at n, :math:`1 - TV(\mathrm{law}(\hat\theta, z_1), \cdot \times P)`.

    Attributes:
        value: MIS in [0, 1]; 1 = perfectly private.
        low: Lower limit; equals `value` where it was enumerated.
        high: Upper limit.
        leak: 1 - MIS, the total variation distance, with full relative precision where it is tiny (enumeration).
        n: Number of training examples.
        method: "enumeration" is exact to rounding; "sampling" has a value and an interval, see `Sampling`.
        ties: How an empirical-risk minimiser breaks ties; None for other learners.
        p_1: P(theta_hat = theta_bar_1), the best element; None for other learners.
        chosen: P(theta_hat = theta_bar_k) [K].
        probabilities: P [z].
        deviation: P(theta_hat = k, z_1 = z) - P(theta_hat = k) P(z) [K, z].
    """

    value: float
    low: float
    high: float
    leak: float
    n: int
    method: Literal["enumeration", "sampling"]
    ties: str | None = None
    p_1: float | None = None
    chosen: np.ndarray = field(repr=False)
    probabilities: np.ndarray = field(repr=False)
    deviation: np.ndarray = field(repr=False)

    def __float__(self) -> float:
        return self.value

    @property
    def exponent(self) -> float:
        """`-ln(1 - MIS) / n` in nats per example; infinite where nothing leaks."""
        return -math.log(self.leak) / self.n if self.leak > 0 else math.inf

    @property
    def product(self) -> np.ndarray:
        """The law of the parameters and a fresh example, law(theta_hat) x P [K, z]."""
        return np.asarray(self.chosen[:, None] * self.probabilities)

    @property
    def joint(self) -> np.ndarray:
        """The law of the parameters and a training example [K, z]."""
        return np.asarray(np.maximum(self.product + self.deviation, 0.0))

    @property
    def bayes_score(self) -> np.ndarray:
        """The strongest attack: log-likelihood ratio of member against non-member [K, z], threshold 0, nats."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(self.joint) - np.log(self.product)
        return np.where(self.product > 0, ratio, 0.0)


def enumerated(*, n: int, chosen: np.ndarray, probabilities: np.ndarray, deviation: np.ndarray) -> ExactMis:
    """The record of an exact joint law."""
    leak = float(np.abs(deviation).sum()) / 2
    return ExactMis(
        value=1 - leak,
        low=1 - leak,
        high=1 - leak,
        leak=leak,
        n=n,
        method="enumeration",
        chosen=chosen,
        probabilities=probabilities,
        deviation=deviation,
    )
