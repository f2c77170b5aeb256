"""A data set from the arrays of an NPZ file, read without unpickling anything."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from quantleak.data.arrays import features_of, require_lengths
from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.features import Columns
from quantleak.data.groups import require_labels
from quantleak.data.source import Source
from quantleak.data.targets import read_targets
from quantleak.errors import InputError, nearest

FEATURES = ("features", "X")
TARGETS = ("targets", "y")


def read_npz(source: Source, target: str | None, *, task: str | None = None, group: str | None = None) -> Dataset:
    """A data set from arrays `features` or `X` `[N, ...]` and `targets` or `y` `[N]`; see `from_arrays`.

    Args:
        source: The file.
        target: Name of the target array; None looks for `targets`, then `y`.
        task: As in `read_targets`.
        group: Name of an array `[N]` of group labels, or None.

    Raises:
        InputError: If the file is encrypted or damaged, or an array is missing, holds Python objects, or cannot be
            used.
    """
    arrays = load_arrays(source)
    values = arrays[_find(arrays, FEATURES, "features", source.name)]
    target = _find(arrays, TARGETS if target is None else (target,), "target", source.name)
    labels = None
    if group is not None:
        labels = arrays[_find(arrays, (group,), "group", source.name)]
        require_labels(labels, group)
    targets = read_targets(arrays[target], target, task)
    features = features_of(values)
    require_lengths(len(features), targets=len(targets.values), groups=None if labels is None else len(labels))
    provenance = Provenance(
        source=source.name,
        sha256=source.sha256,
        rows_read=len(features),
        target=target,
        columns=features.names if isinstance(features, Columns) else ("features",),
        task_rule=targets.rule,
        group=group,
    )
    return assemble(source.name, features, targets, provenance, group=labels)


def load_arrays(source: Source) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an NPZ file by name.

    Raises:
        InputError: If it is encrypted or damaged, or an array holds Python objects.
    """
    try:
        with np.load(io.BytesIO(source.raw), allow_pickle=False) as file:
            arrays = dict(file)
    # What a damaged archive raises depends on where the damage lies: a dozen types from four libraries.
    except Exception as error:
        raise InputError(f"{source.name!r} {_trouble(error)}") from error
    # NumPy hands over what does not begin as an array does as bytes.
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise InputError(f"{source.name!r} is damaged: {name!r} is not an array. Download or save it again.")
    return arrays


def _trouble(error: Exception) -> str:
    if isinstance(error, ValueError) and "allow_pickle" in str(error):
        return (
            "has an array of Python objects, which is a pickle: opening it could run code, so it is refused. "
            "Save numbers, or text with .astype(str)."
        )
    if isinstance(error, RuntimeError) and "encrypted" in str(error):
        return "is encrypted. Save it without a password, with numpy.savez."
    # All else that zipfile raises as this is a version or a compression method that it does not know.
    if isinstance(error, RuntimeError):
        return f"is packed in a way that is not read here ({error}). Save it with numpy.savez_compressed."
    return f"is damaged: {str(error)[:200] or type(error).__name__}. Download or save it again."


def _find(arrays: dict[str, npt.NDArray[Any]], names: tuple[str, ...], role: str, source: str) -> str:
    for name in names:
        if name in arrays:
            return name
    wanted = " or ".join(map(repr, names))
    known = ", ".join(map(repr, arrays)) or "none"
    raise InputError(f"{source!r} has no array {wanted} for the {role}.{nearest(names[0], arrays)} It has {known}.")
