"""Regression targets as the models learn them: standardised, and never silently made useless."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quantleak.data.checks import FIRST_ROWS
from quantleak.data.features import Ints, standardise
from quantleak.errors import InputError


def standardise_targets(
    values: npt.NDArray[np.float64], fit: Ints, *, name: str, rows: Ints
) -> npt.NDArray[np.float64]:
    """`(y - m) / s` of a regression target `[N]`, m and s over the examples `fit`; every value fits float32.

    Args:
        values: float64 `[N]`.
        fit: Positions of the examples that m and s come from.
        name: The target's name, for messages.
        rows: `[N]`, the number of each example's data row in the source, for messages.

    Raises:
        InputError: If the target is constant on `fit`, or too far from it elsewhere.

    Example:
        >>> standardise_targets(np.array([0.0, 2.0, 5.0]), np.array([0, 1]), name="y", rows=np.arange(1, 4))
        array([-1.,  1.,  4.])
    """
    scaled: npt.NDArray[np.float64] = standardise(values[:, None], fit)[:, 0]
    chosen = values[fit]
    if chosen.min() == chosen.max():
        raise InputError(
            f"The regression target {name!r} is {chosen[0].item()!r} in all {len(fit)} examples of the population, "
            "over which it is standardised: there is nothing to learn. Give more data, a target that varies more, "
            "or another seed for the split."
        )
    too_far = ~(np.abs(scaled) <= np.finfo(np.float32).max)
    if too_far.any():
        shown = ", ".join(map(str, rows[too_far][:FIRST_ROWS].tolist())) + (
            ", ..." if too_far.sum() > FIRST_ROWS else ""
        )
        raise InputError(
            f"The regression target {name!r} is too far from its values in the population to be standardised in "
            f"float32 in {too_far.sum()} of {len(values)} rows (data rows {shown}). Correct or remove these rows, or "
            "transform the target (a logarithm?)."
        )
    return scaled
