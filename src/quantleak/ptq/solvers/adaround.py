"""AdaRound without an activation in its loss: a quadratic, minimised without data once the Gram matrices are there."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

from quantleak.ptq.solvers.gram import Gram
from quantleak.ptq.solvers.grid import Grid
from quantleak.ptq.solvers.rounding import GAMMA, ZETA, Penalty, SoftRounding

BETAS = (0.9, 0.999)
EPSILON = 1e-8


@torch.no_grad()
def learn_rounding(
    weight: Float[Tensor, "groups rows columns"],
    gram: Gram,
    grid: Grid,
    penalty: Penalty,
    learning_rate: float = 0.01,
) -> Int[Tensor, "groups rows columns"]:
    r"""Round every weight up or down so that the layer's outputs change least, by Adam on all calibration data at once.

    .. math:: \min_V \tfrac1P \lVert \tilde W(V) \hat X - Y \rVert^2
        + \lambda \sum_{ij} \left(1 - |2 h(V_{ij}) - 1|^{\beta}\right)

    with P the number of positions. Of every row the better of learned and nearest rounding is returned.

    Args:
        weight: The trained weights.
        gram: Sums of the calibration data.
        grid: The values of every row.
        penalty: lambda, beta and the number of steps.
        learning_rate: Of Adam.

    Returns:
        Codes, int32.
    """
    soft, variable = SoftRounding.of(weight, grid)
    positions = max(1, gram.positions)
    # Columns are scaled by two: the derivative of the quadratic.
    inputs, outputs = (gram.inputs * (2 / positions)).float(), (gram.outputs * (2 / positions)).float()
    scale, zero, top = grid.scale[..., None], grid.zero[..., None].float(), grid.levels - 1
    mean, square = torch.zeros_like(variable), torch.zeros_like(variable)
    for step in range(penalty.steps):
        sigma = variable.sigmoid()
        share = (sigma * (ZETA - GAMMA)).add_(GAMMA)
        # The derivative of h, 0 where it is clipped.
        slope_of_share = sigma.mul_(1 - sigma).mul_(ZETA - GAMMA).mul_((share > 0) & (share < 1))
        share.clamp_(0, 1)
        code = soft.floor + share
        inside = (code >= 0) & (code <= top)
        current = code.clamp_(0, top).sub_(zero).mul_(scale)
        slope = torch.baddbmm(outputs, current, inputs, beta=-1).mul_(scale).mul_(inside)
        beta = penalty.beta(step)
        if beta is not None:
            slope.add_(penalty.gradient(share, beta))
        slope.mul_(slope_of_share)
        mean.lerp_(slope, 1 - BETAS[0])
        square.mul_(BETAS[1]).addcmul_(slope, slope, value=1 - BETAS[1])
        size = learning_rate / (1 - BETAS[0] ** (step + 1))
        spread = (square / (1 - BETAS[1] ** (step + 1))).sqrt_().add_(EPSILON)
        variable.addcdiv_(mean, spread, value=-size)
    learned, nearest = soft.codes(variable >= 0), grid.codes(weight.float())
    worse = gram.error(grid.values(learned)) > gram.error(grid.values(nearest))
    return torch.where(worse[..., None], nearest, learned)
