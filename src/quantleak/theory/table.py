"""The loss table [elements, validation examples]: checked, averaged, and with identical rows merged."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from quantleak.errors import InputError


def as_table(losses: object) -> Tensor:
    """A loss table as a tensor [K, N] of float32 or float64 on the CPU, row after row; itself where it is that already.

    Raises:
        InputError: If it does not have two axes, has no validation examples or does not hold real numbers.
    """
    table = losses.detach().cpu() if isinstance(losses, Tensor) else _as_tensor(losses)
    if table.ndim != 2 or table.shape[1] == 0 or table.is_complex():
        raise InputError(
            f"losses must be a table [elements, validation examples] of real numbers, got {table.dtype} of shape "
            f"{tuple(table.shape)}; stack the per-sample losses of each element into one row."
        )
    if table.dtype not in (torch.float32, torch.float64):
        table = table.float() if table.is_floating_point() else table.double()
    return table.contiguous()


def _as_tensor(losses: object) -> Tensor:
    array = np.asarray(losses)
    if array.dtype.kind not in "fiubc":
        raise InputError(f"losses must be numbers, got an array of {array.dtype}.")
    return torch.from_numpy(array if array.flags.writeable else array.copy())  # torch warns about read-only memory


def row_means(table: Float[Tensor, "elements examples"]) -> Float64[Tensor, " elements"]:
    """Mean loss of each element [K], accumulated in float64; infinite where a loss is.

    Raises:
        InputError: If a loss is NaN or minus infinity.
    """
    # Numba is loaded, and on a machine's first use compiles, here and not where this package is imported.
    from quantleak.theory import kernel

    means = torch.from_numpy(kernel.row_means(table.contiguous().numpy()))
    if bool((torch.isnan(means) | torch.isneginf(means)).any()):
        bad = torch.isnan(table) | torch.isneginf(table)
        if not bool(bad.any()):
            raise InputError("losses are so large that the sum of a row leaves the range of float64.")
        row, column = (int(i) for i in bad.nonzero()[0])
        raise InputError(
            f"losses hold {int(bad.sum())} values that are NaN or minus infinity, first {float(table[row, column])} "
            f"for element {row} on validation example {column}; leave it out or compute in float64."
        )
    return means


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
