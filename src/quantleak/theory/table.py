"""The loss table [elements, validation examples]: checked, averaged, and with identical rows merged."""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from quantleak.arrays import packed
from quantleak.errors import InputError


def as_table(losses: object) -> Tensor:
    """A loss table as a tensor [K, N] of float32 or float64 on the CPU, row after row; itself where it is that already.

    Raises:
        InputError: If it does not have two axes, has no validation examples or does not hold real numbers.
    """
    array = packed(losses, "losses")
    if array.ndim != 2 or array.shape[1] == 0:
        raise InputError(
            f"losses must be a table [elements, validation examples] of real numbers, got {array.dtype} of shape "
            f"{array.shape}; stack the per-sample losses of each element into one row."
        )
    return torch.from_numpy(array if array.dtype.kind == "f" else array.astype(np.float64))


def row_means(table: Float[Tensor, "elements examples"]) -> Float64[Tensor, " elements"]:
    """Mean loss of each element [K], accumulated in float64; infinite where a loss is.

    Raises:
        InputError: If a loss is NaN or minus infinity.
    """
    # Numba is loaded, and on a machine's first use compiles, here and not where this package is imported.
    from quantleak.theory import kernel

    means = torch.from_numpy(kernel.row_means(table.contiguous().numpy()))
    for row in (~torch.isfinite(means)).nonzero().flatten().tolist():
        _refuse_undefined(table[row], row)
        # Finite losses whose sum leaves the range of float64 have a mean that does not.
        shrunk = np.ldexp(table[row].double().numpy(), -64)
        means[row] = math.ldexp(math.fsum(shrunk) / len(shrunk), 64)
    return means


def _refuse_undefined(losses: Tensor, row: int) -> None:
    bad = torch.isnan(losses) | torch.isneginf(losses)
    if bool(bad.any()):
        column = int(bad.nonzero()[0])
        raise InputError(
            f"losses hold values that are NaN or minus infinity, first {float(losses[column])} for element {row} on "
            f"validation example {column} ({int(bad.sum())} of this element); leave it out or compute in float64."
        )


def distinct_rows(table: Tensor, means: Tensor) -> Tensor:
    """Indices of the rows that differ from every row before them, by exact comparison, ascending.

    Equal rows have (nearly) equal means, so only neighbours in the order of the means are compared.
    """
    ordered, order = means.sort(stable=True)
    # Written so that infinite means, whose difference is NaN, count as close.
    close = ~(ordered.diff() > 1e-12 * ordered[1:].abs())
    suspects = torch.zeros(len(means), dtype=torch.bool, device=means.device)
    suspects[order[1:][close]] = True
    suspects[order[:-1][close]] = True
    keep = ~suspects
    seen: set[bytes] = set()
    for row in suspects.nonzero().flatten().tolist():
        content = (table[row] + 0.0).cpu().numpy().tobytes()  # + 0.0 makes the two zeros one
        keep[row] = content not in seen
        seen.add(content)
    return keep.nonzero().flatten()
