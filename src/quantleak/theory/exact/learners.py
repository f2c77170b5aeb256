"""Learners that see a training set as counts: the order of its examples does not matter to them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from quantleak.arrays import plain
from quantleak.errors import InputError
from quantleak.theory.exact.losses import ExactLosses, exact_losses


class Learner(ABC):
    """A stochastic map from counts of training examples to one of finitely many parameters."""

    @property
    @abstractmethod
    def elements(self) -> int:
        """K, the number of parameters."""

    @abstractmethod
    def law(self, counts: np.ndarray) -> np.ndarray:
        """Probability of each parameter under each training set.

        Args:
            counts: Whole numbers [rows, z]: how often each value occurs; all rows have the same sum n.

        Returns:
            float64 [rows, K], rows sum to 1.
        """


@dataclass(frozen=True, kw_only=True, eq=False)
class Erm(Learner):
    r"""The empirical-risk minimiser :math:`\hat\theta_n = \arg\min_k \sum_z c_z\, \ell(\bar\theta_k, z)`.

    Args:
        losses: Table [K, z] of numbers or an `ExactLosses`; see `exact_losses` for when two risks are equal.
        ties: "lowest" takes the first of equals, "uniform" each with the same probability.

    Raises:
        InputError: If the losses are not a table of finite numbers, or `ties` is neither.

    Example:
        >>> Erm(losses=[[0, 1], [1, 0]], ties="uniform").law(np.array([[2, 0], [1, 1]])).tolist()
        [[1.0, 0.0], [0.5, 0.5]]
    """

    losses: object
    ties: str = "lowest"
    exact: ExactLosses = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.ties not in ("lowest", "uniform"):
            raise InputError(f"ties must be 'lowest' or 'uniform', got {self.ties!r}.")
        given = self.losses
        object.__setattr__(self, "exact", given if isinstance(given, ExactLosses) else exact_losses(given))

    @property
    def elements(self) -> int:
        """K."""
        return len(self.exact.integers)

    def law(self, counts: np.ndarray) -> np.ndarray:
        """See `Learner.law`."""
        best = self.exact.minimisers(counts)
        if self.ties == "uniform":
            return np.asarray(best / best.sum(1, keepdims=True))
        law = np.zeros(best.shape)
        law[np.arange(len(best)), best.argmax(1)] = 1
        return law


@dataclass(frozen=True, kw_only=True, eq=False)
class Gibbs(Learner):
    r"""The exponential mechanism: :math:`P(\hat\theta_n = \bar\theta_k) \propto \exp(-\beta \sum_z c_z \ell_{kz})`.

    A stand-in for noisy training: 0 ignores the data, infinity is the ERM.

    Args:
        losses: Table [K, z] in nats, finite.
        inverse_temperature: beta, at least 0, finite, per nat.

    Raises:
        InputError: If the losses are not a table of finite numbers or beta is out of range.

    Example:
        >>> Gibbs(losses=[[0, 1], [1, 0]], inverse_temperature=0.0).law(np.array([[2, 0]])).tolist()
        [[0.5, 0.5]]
    """

    losses: object
    inverse_temperature: float
    table: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        table = plain(self.losses, "losses").astype(np.float64)
        if table.ndim != 2 or not table.size or not np.isfinite(table).all():
            raise InputError(f"losses must be a table [elements, examples] of finite numbers, got shape {table.shape}.")
        if not 0 <= self.inverse_temperature < np.inf:
            raise InputError(
                f"inverse_temperature must be finite and at least 0, got {self.inverse_temperature}; for the limit of "
                "large ones use Erm."
            )
        # What all elements lose on an example distinguishes them as little as a constant, and would only round.
        object.__setattr__(self, "table", table - table.min(0))

    @property
    def elements(self) -> int:
        """K."""
        return len(self.table)

    def law(self, counts: np.ndarray) -> np.ndarray:
        """See `Learner.law`."""
        return np.asarray(special.softmax(-self.inverse_temperature * (counts @ self.table.T), axis=1))
