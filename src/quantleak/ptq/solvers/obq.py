"""OBQ: weights are quantized one after another, and those still free make up for the error of each."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from quantleak.errors import InputError
from quantleak.ptq.solvers.gram import Gram
from quantleak.ptq.solvers.grid import Grid

log = logging.getLogger("quantleak")

Order = Literal["diagonal", "columns", "greedy"]
BLOCK = 128
"""Columns after which the errors are passed on to all later columns at once."""
DAMPING_STEPS = 8
"""How often the damping is raised tenfold before a Hessian is given up."""
MOST_GREEDY = 2e12
"""Rows times columns cubed above which the greedy order is refused."""
GREEDY_SECONDS = 2.5e-10
"""Seconds of the greedy order for each row and column cubed, measured on one thread."""


@dataclass(frozen=True, eq=False)
class Solution:
    r"""Codes of a weight.

    Attributes:
        codes: int32 `[groups, rows, columns]`.
        loss: Half the quadratic form of the error, :math:`\tfrac12 e H e^T`, of every row `[groups, rows]` float64, as
            the sum of the steps.
        dead: Inputs that were 0 in all calibration data; their weights became 0.
    """

    codes: Int[Tensor, "groups rows columns"]
    loss: Float[Tensor, "groups rows"]
    dead: int


def obq(
    weight: Float[Tensor, "groups rows columns"],
    hessian: Float[Tensor, "groups columns columns"],
    grid: Grid,
    *,
    order: Order = "diagonal",
    damping: float = 0.01,
) -> Solution:
    r"""Optimal Brain Quantization of a layer: :math:`\min_Q \tfrac12 \mathrm{tr}((Q - W) H (Q - W)^T)`, approximately.

    Column p of a row takes the nearest value; the columns F that are still free move by
    :math:`-e_p H^{-1}_{F,p} / H^{-1}_{pp}`, :math:`e_p = w_p - Q(w_p)`, which costs :math:`e_p^2 / (2 H^{-1}_{pp})`.

    Args:
        weight: Weights; computed in float64.
        hessian: :math:`H = 2 X X^T / N`.
        grid: The values of every row.
        order: `diagonal`: all rows in the same order, columns with the largest :math:`H_{pp}` first; `columns`: as they
            stand, which is GPTQ (arXiv 2210.17323); `greedy`: each row takes the cheapest column next, which is OBQ
            (arXiv 2208.11580, algorithm 3), and weights that are exactly 0 stay 0.
        damping: What is added to the diagonal, as a share of its mean; raised tenfold until H can be inverted.

    Raises:
        InputError: A greedy order that would take too long, with its price; a Hessian that cannot be inverted.
    """
    groups, rows, columns = weight.shape
    if order == "greedy" and groups * rows * columns**3 > MOST_GREEDY:
        hours = groups * rows * columns**3 * GREEDY_SECONDS / 3600
        raise InputError(
            f"The greedy order takes about {hours:.2g} hours on a weight of {groups * rows} rows of {columns}; "
            "use order=diagonal, or give this layer another rule in the policy."
        )
    weight, dead = weight.double(), hessian.diagonal(dim1=-2, dim2=-1) == 0
    weight = weight.masked_fill(dead[:, None], 0.0)
    damped = hessian.double() + torch.diag_embed(dead.double())
    if order == "greedy":
        codes, loss = _greedy(weight, damped, grid, damping)
    else:
        codes, loss = _fixed(weight, damped, grid, damping, order)
    return Solution(codes, loss, int(dead.sum()))


def compensated(
    weight: Float[Tensor, "groups rows columns"], gram: Gram, damping: float = 0.01
) -> Float[Tensor, "groups rows columns"]:
    r"""Weights that answer the inputs of the quantized layers before as the original answers its own.

    .. math:: W' = (B + \delta W)(A + \delta I)^{-1}
        = \arg\min_V \lVert V \hat X - Y \rVert^2 + \delta \lVert V - W \rVert^2

    with A and B of :class:`~quantleak.ptq.solvers.Gram` and delta the share `damping` of the mean of A's diagonal; 0
    takes the smallest share with which A can be inverted.
    """
    weight = weight.double()
    pull = damping * gram.inputs.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None, None]
    pull = torch.where(pull > 0, pull, 1.0)
    eye = torch.eye(weight.shape[-1], dtype=torch.float64, device=weight.device)
    factor, raised = _cholesky(gram.inputs + pull * eye, 0.0)
    wanted = gram.outputs + pull * weight + raised[:, None, None] * weight
    solved: Tensor = torch.cholesky_solve(wanted.mT, factor)
    return solved.mT.contiguous()


def _fixed(weight: Tensor, hessian: Tensor, grid: Grid, damping: float, order: str) -> tuple[Tensor, Tensor]:
    diagonal = hessian.diagonal(dim1=-2, dim2=-1)
    columns = weight.shape[-1]
    if order == "diagonal":
        place = diagonal.argsort(dim=-1, descending=True, stable=True)
    else:
        place = torch.arange(columns, device=weight.device).expand(diagonal.shape)
    work = weight.gather(-1, place[:, None].expand(weight.shape))
    sorted_hessian = hessian.gather(1, place[..., None].expand(hessian.shape))
    sorted_hessian = sorted_hessian.gather(2, place[:, None].expand(hessian.shape))
    factor = _inverse_factor(sorted_hessian, damping)
    codes = torch.empty(weight.shape, dtype=torch.int32, device=weight.device)
    loss = weight.new_zeros(weight.shape[:2])
    scale, zero, top = grid.scale.double(), grid.zero.double(), grid.levels - 1
    for start in range(0, columns, BLOCK):
        stop = min(start + BLOCK, columns)
        corner = factor[:, start:stop, start:stop]
        block = work[..., start:stop].clone()
        errors = torch.empty_like(block)
        for j in range(stop - start):
            column = block[..., j]
            code = (column / scale).round_().add_(zero).clamp_(0, top)
            codes[..., start + j] = code
            error = (column - (code - zero) * scale) / corner[:, None, j, j]
            errors[..., j] = error
            loss.addcmul_(error, error, value=0.5)
            block[..., j + 1 :].baddbmm_(error[..., None], corner[:, j : j + 1, j + 1 :], alpha=-1)
        work[..., stop:].baddbmm_(errors, factor[:, start:stop, stop:], alpha=-1)
    return torch.empty_like(codes).scatter_(-1, place[:, None].expand(weight.shape), codes), loss


def _inverse_factor(hessian: Tensor, damping: float) -> Tensor:
    r"""The upper triangular U with :math:`H^{-1} = U^T U`.

    With H = R R^T and R upper triangular, which is the Cholesky factor of H read backwards, U is R's inverse: one
    factorisation and one triangular inverse instead of an inverse between two factorisations.
    """
    lower = _cholesky(hessian.flip(-2, -1), damping)[0]
    eye = torch.eye(hessian.shape[-1], dtype=hessian.dtype, device=hessian.device).expand(hessian.shape)
    inverse: Tensor = torch.linalg.solve_triangular(lower.flip(-2, -1), eye, upper=True)
    return inverse


def _cholesky(matrix: Tensor, damping: float) -> tuple[Tensor, Tensor]:
    """Cholesky factor after damping, raised until there is one; and what was added to the diagonal of each group."""
    mean = matrix.diagonal(dim1=-2, dim2=-1).mean(-1)
    share = damping
    for _ in range(DAMPING_STEPS):
        added = share * mean
        factor, failed = torch.linalg.cholesky_ex(matrix + torch.diag_embed(added[:, None].expand(matrix.shape[:2])))
        # A factor of rounding errors alone is none: what it inverts to has no correct digit.
        pivots = factor.diagonal(dim1=-2, dim2=-1).square()
        if not failed.any() and bool((pivots > 1e-14 * mean[:, None]).all()):
            if share != damping:
                log.info("the Hessian cannot be inverted with a damping of %g; %g is used", damping, share)
            return factor, added
        share = max(share * 10, 1e-6)
    raise InputError(
        "The second moments of a layer's inputs cannot be inverted: the calibration data are too few or too far apart "
        "in size. Give more calibration examples."
    )


def _greedy(weight: Tensor, hessian: Tensor, grid: Grid, damping: float) -> tuple[Tensor, Tensor]:
    from quantleak.ptq.solvers.greedy import quantize_rows

    codes = torch.empty(weight.shape, dtype=torch.int32)
    loss = torch.empty(weight.shape[:2], dtype=torch.float64)
    for group, (rows, matrix) in enumerate(zip(weight, hessian, strict=True)):
        inverse = torch.cholesky_inverse(_cholesky(matrix[None], damping)[0])[0]
        scale, zero = grid.scale[group].double(), grid.zero[group].double()
        arrays = [each.cpu().contiguous().numpy() for each in (rows, inverse, scale, zero)]
        quantize_rows(*arrays, grid.levels, codes[group].numpy(), loss[group].numpy())
    return codes.to(weight.device), loss.to(weight.device)
