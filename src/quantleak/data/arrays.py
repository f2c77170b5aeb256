"""Data sets from arrays in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from quantleak.arrays import plain, unwrapped
from quantleak.data.checks import list_rows, require_finite
from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.features import Columns, Features, Ready
from quantleak.data.groups import require_labels
from quantleak.data.targets import read_targets
from quantleak.errors import InputError


def from_arrays(
    features: npt.ArrayLike,
    targets: npt.ArrayLike,
    *,
    name: str = "arrays",
    task: str | None = None,
    groups: npt.ArrayLike | None = None,
    scale: bool | None = None,
) -> Dataset:
    """A data set from numbers `[N, ...]` and targets `[N]`.

    Args:
        features: Finite numbers or booleans. By default `[N, p]` numbers are columns to be standardised; booleans
            and anything of more axes (images; 8-bit ones are divided by 255) are used as they are.
        targets: Numbers, booleans or texts; the task rule of `read_targets` applies.
        name: A short name.
        task: `"binary"`, `"multiclass"`, `"regression"`, or None for the rule.
        groups: `[N]` labels of examples that must stay together, or None.
        scale: Standardise columns (True), use values as they are (False), or decide as above (None).

    Raises:
        InputError: If shapes differ or values cannot be used.

    Example:
        >>> from_arrays([[0.0], [1.0], [2.0]], ["a", "b", "a"])
        Dataset('arrays', binary, 2 classes, 3 examples in 3 groups)
    """
    values, labels = _array(features, "features"), None if groups is None else _array(groups, "groups")
    if labels is not None:
        require_labels(labels, "groups")
    column = read_targets(_array(targets, "targets"), "targets", task)
    kind = features_of(values, scale)
    require_lengths(len(kind), targets=len(column.values), groups=None if labels is None else len(labels))
    provenance = Provenance(
        source=name,
        rows_read=len(kind),
        target="targets",
        columns=kind.names if isinstance(kind, Columns) else ("features",),
        task_rule=column.rule,
    )
    return assemble(name, kind, column, provenance, group=labels)


def features_of(values: npt.NDArray[Any], scale: bool | None = None) -> Features:
    """`Columns` or `Ready` for an array `[N]` or `[N, ...]`, checked; see `from_arrays`."""
    if values.dtype.kind not in "biuf":
        raise InputError(f"Features must be numbers or booleans, got {values.dtype}. Use a table for text columns.")
    if values.ndim == 0 or not values.size:
        raise InputError(f"Features must hold at least one example with one value, got shape {values.shape}.")
    values = values[:, None] if values.ndim == 1 else values
    require_finite(values, ("features",))
    if scale and values.ndim > 2:
        raise InputError(f"Only columns [N, p] can be standardised, got shape {values.shape}. Use scale=False.")
    if scale is False or values.ndim > 2 or (scale is None and values.dtype.kind == "b"):
        return Ready(values=values, divisor=255.0 if values.ndim > 2 and values.dtype == np.uint8 else 1.0)
    return Columns(names=tuple(f"x{i}" for i in range(values.shape[1])), numeric=values.astype(np.float64))


def _array(values: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    if np.ma.is_masked(values):
        masked = np.atleast_1d(np.ma.getmaskarray(np.ma.asarray(values)))
        rows = np.asarray(masked.reshape(len(masked), -1).any(axis=1))
        raise InputError(
            f"The {name} are masked in {list_rows(rows)}. Remove these rows or fill in the values, "
            "such as with .filled(0), then try again."
        )
    array = unwrapped(values, f"The {name}")
    return plain(array, f"The {name}") if array.dtype.kind in "biuf" else array


def require_lengths(expected: int, **others: int | None) -> None:
    """Refuse other lengths than that of the features; None is no array."""
    for name, length in others.items():
        if length not in (None, expected):
            raise InputError(f"There are {expected} rows of features but {length} {name}. Give one for each row.")
