"""OBQ: the weights of a layer one after another, those still free making up for the error of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

from quantleak.errors import InputError
from quantleak.ptq.network import NetworkProcedure
from quantleak.ptq.rule import DataAware
from quantleak.ptq.solvers import compensated, obq
from quantleak.ptq.solvers.obq import Order
from quantleak.ptq.unit import Codes, Unit


@dataclass(frozen=True, kw_only=True)
class OptimalBrainQuantization(DataAware, NetworkProcedure):
    """Optimal Brain Quantization: each weight's error is made up for by the weights still free.

    Attributes:
        order: `diagonal`, `columns` (GPTQ) or `greedy` (OBQ as published); see :func:`~quantleak.ptq.solvers.obq`.
        damping: What is added to the diagonal of the Hessian, as a share of its mean.
        asymmetric: First move the weights so that they answer the inputs from the quantized layers before as the
            original answers its own; false is OBQ as published, on inputs of the trained network.
    """

    order: str = "diagonal"
    damping: float = 0.01
    asymmetric: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.order not in get_args(Order):
            raise InputError(f"{self.name}: order must be one of {', '.join(get_args(Order))}, got '{self.order}'.")
        if not 0 <= self.damping < 1e6:
            raise InputError(f"{self.name}: damping must be a share of at least 0, got {self.damping}; try 0.01.")

    def reconstruct(self, unit: Unit) -> tuple[Codes, str | None]:
        """See `DataAware.reconstruct`."""
        (weight,) = unit.weights
        gram = unit.gram(asymmetric=self.asymmetric)
        matrix = weight.matrix(unit.parameter(weight)).double()
        if self.asymmetric:
            matrix = compensated(matrix, gram, self.damping)
        grid = unit.grids[weight.name]
        order = cast(Order, self.order)  # checked above
        solution = obq(matrix, gram.hessian, grid, order=order, damping=self.damping)
        note = f"{solution.dead} inputs are always 0; their weights were set to 0" if solution.dead else None
        return {weight.name: solution.codes}, note
