"""What calibration data say about a layer: second moments of its inputs, and their products with its outputs."""

from __future__ import annotations

from dataclasses import dataclass

import scipy.linalg.blas
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Gram:
    r"""Sums over all calibration data of one layer, float64.

    With inputs :math:`\hat x` and the outputs y that the layer should have for them, the error of weights V is

    .. math:: \lVert V \hat X - Y \rVert^2 = \mathrm{tr}(V A V^T) - 2\, \mathrm{tr}(V B^T) + \lVert Y \rVert^2 .

    Attributes:
        inputs: :math:`A = \hat X \hat X^T`, `[groups, columns, columns]`.
        outputs: :math:`B = Y \hat X^T`, `[groups, rows, columns]`.
        energy: :math:`\lVert y_r \rVert^2` of every row, `[groups, rows]`.
        examples: Calibration examples summed over.
        positions: Inputs summed over: examples times positions of the output.
    """

    inputs: Float[Tensor, "groups columns columns"]
    outputs: Float[Tensor, "groups rows columns"]
    energy: Float[Tensor, "groups rows"]
    examples: int
    positions: int

    @classmethod
    def empty(cls, groups: int, rows: int, columns: int, device: torch.device) -> Gram:
        """No data yet."""
        zeros = [torch.zeros(groups, *shape, dtype=torch.float64, device=device) for shape in _shapes(rows, columns)]
        return cls(zeros[0], zeros[1], zeros[2], 0, 0)

    def plus(
        self, inputs: Float[Tensor, "groups columns data"], outputs: Float[Tensor, "groups rows data"], examples: int
    ) -> Gram:
        """With more data; products in the precision of the data, their sums in float64.

        The sums are updated in place: use the result only.
        """
        for group, part in enumerate(inputs):
            self.inputs[group] += product(part)
        self.outputs.add_(outputs @ inputs.mT)
        self.energy.add_(outputs.double().square().sum(-1))
        positions = self.positions + inputs.shape[-1]
        return Gram(self.inputs, self.outputs, self.energy, self.examples + examples, positions)

    @property
    def hessian(self) -> Float[Tensor, "groups columns columns"]:
        r""":math:`H = 2 \hat X \hat X^T / N`, N the number of examples."""
        return self.inputs * (2 / max(1, self.examples))

    def error(self, weight: Float[Tensor, "groups rows columns"]) -> Float[Tensor, "groups rows"]:
        """Squared error of the outputs with these weights, per example, of every row."""
        weight = weight.double()
        found = ((weight @ self.inputs - 2 * self.outputs) * weight).sum(-1) + self.energy
        return found.clamp_(min=0) / max(1, self.examples)


def product(data: Float[Tensor, "columns data"]) -> Float[Tensor, "columns columns"]:
    """`data @ data.T`, whole; on the CPU only one triangle is computed."""
    if data.device.type != "cpu" or data.dtype not in _SYRK:
        return data @ data.mT
    # BLAS counts columns first: the row-major [columns, data] is its transposed [data, columns].
    upper = torch.from_numpy(_SYRK[data.dtype](1.0, data.contiguous().numpy().T, trans=1))
    return torch.triu(upper) + torch.triu(upper, 1).mT


_SYRK = {torch.float32: scipy.linalg.blas.ssyrk, torch.float64: scipy.linalg.blas.dsyrk}


def _shapes(rows: int, columns: int) -> tuple[tuple[int, ...], ...]:
    return (columns, columns), (rows, columns), (rows,)
