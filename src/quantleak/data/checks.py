"""Checks that name the offending rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quantleak.errors import InputError

FIRST_ROWS = 5


def list_rows(bad: npt.NDArray[np.bool_], first: int = FIRST_ROWS) -> str:
    """Data rows where `bad` (bool `[N]`) holds, counted from 1, as words.

    Example:
        >>> list_rows(np.array([False, True, True]))
        '2 of 3 rows (data rows 2, 3; counted from 1 without the header)'
    """
    numbers = np.flatnonzero(bad) + 1
    shown = ", ".join(map(str, numbers[:first].tolist())) + (", ..." if len(numbers) > first else "")
    return f"{len(numbers)} of {len(bad)} rows (data rows {shown}; counted from 1 without the header)"


def require_finite(values: npt.NDArray[Any], names: tuple[str, ...], kind: str = "column") -> None:
    """Refuse NaN and infinity in `[N, ...]`, one name for each entry of the second axis or one for all.

    Raises:
        InputError: Naming the first bad column and its first rows.
    """
    if values.dtype.kind != "f" or not values.size:
        return
    finite = np.isfinite(values).reshape(len(values), values.shape[1] if len(names) > 1 else 1, -1).all(axis=2)
    if finite.all():
        return
    column = int(np.argmin(finite.all(axis=0)))
    others = int((~finite.all(axis=0)).sum()) - 1
    also = f" {others} other columns have such values too." if others else ""
    raise InputError(
        f"The {kind} {names[column]!r} is missing, not a number or infinite in {list_rows(~finite[:, column])}.{also} "
        "Remove these rows or fill in the values, then try again."
    )
