"""AdaRound: learn for each weight of a layer whether it is rounded down or up."""

from __future__ import annotations

from dataclasses import dataclass

from quantleak.errors import InputError
from quantleak.ptq.network import NetworkProcedure
from quantleak.ptq.rule import DataAware
from quantleak.ptq.solvers import Penalty, learn_rounding
from quantleak.ptq.unit import Codes, Unit


@dataclass(frozen=True, kw_only=True)
class LearnedRounding(DataAware, NetworkProcedure):
    """Base of the rules that learn how each weight is rounded.

    Attributes:
        iterations: Steps of Adam per unit.
        learning_rate: Of Adam.
        penalty: lambda, the weight of the term that drives every rounding to down or up.
        batch: Calibration examples in each step.
        asymmetric: Whether a unit's inputs come from the quantized units before it; its target never does.
    """

    iterations: int = 2000
    learning_rate: float = 0.01
    penalty: float = 0.01
    batch: int = 32
    asymmetric: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        for field, value, least in (("iterations", self.iterations, 1), ("batch", self.batch, 0)):
            if value < least:
                raise InputError(f"{self.name}: {field} must be at least {least}, got {value}.")
        for field, number in (("learning_rate", self.learning_rate), ("penalty", self.penalty)):
            if not 0 <= number < 1e6:
                raise InputError(f"{self.name}: {field} must be a number of at least 0, got {number}.")

    @property
    def schedule(self) -> Penalty:
        """Lambda and beta over the steps."""
        return Penalty(weight=self.penalty, steps=self.iterations)


@dataclass(frozen=True, kw_only=True)
class AdaRound(LearnedRounding):
    """AdaRound (arXiv 2004.10568): learn for each weight of a layer whether it is rounded down or up.

    Attributes:
        batch: Calibration examples in each step; 0 takes all at once by their Gram matrices, which gives the same loss.
    """

    batch: int = 0

    def reconstruct(self, unit: Unit) -> tuple[Codes, str | None]:
        """See `DataAware.reconstruct`."""
        if self.batch:
            return unit.learn(self.schedule, self.learning_rate, self.batch, asymmetric=self.asymmetric), None
        (weight,) = unit.weights
        gram = unit.gram(asymmetric=self.asymmetric)
        matrix = weight.matrix(unit.parameter(weight))
        codes = learn_rounding(matrix, gram, unit.grids[weight.name], self.schedule, self.learning_rate)
        return {weight.name: codes}, None
