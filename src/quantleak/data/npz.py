"""A data set from the arrays of an NPZ file, read without unpickling anything."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from quantleak.data.arrays import features_of, require_lengths
from quantleak.data.dataset import Dataset, Provenance, assemble
from quantleak.data.features import Columns
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
        InputError: If an array is missing, holds Python objects, or cannot be used.
    """
    arrays = _load(source)
    values = arrays[_find(arrays, FEATURES, "features", source.name)]
    target = _find(arrays, TARGETS if target is None else (target,), "target", source.name)
    labels = None if group is None else arrays[_find(arrays, (group,), "group", source.name)]
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
    )
    return assemble(source.name, features, targets, provenance, group=labels)


def _load(source: Source) -> dict[str, npt.NDArray[Any]]:
    try:
        with np.load(io.BytesIO(source.raw), allow_pickle=False) as file:
            return dict(file)
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise _damaged(source, error) from error
        raise InputError(
            f"{source.name!r} has an array of Python objects, which is a pickle: opening it could run code, so it is "
            "refused. Save numbers, or text with .astype(str)."
        ) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, MemoryError) as error:
        raise _damaged(source, error) from error


def _damaged(source: Source, error: BaseException) -> InputError:
    return InputError(f"{source.name!r} is damaged: {str(error)[:200]}. Download or save it again.")


def _find(arrays: dict[str, npt.NDArray[Any]], names: tuple[str, ...], role: str, source: str) -> str:
    for name in names:
        if name in arrays:
            return name
    wanted = " or ".join(map(repr, names))
    known = ", ".join(map(repr, arrays)) or "none"
    raise InputError(f"{source!r} has no array {wanted} for the {role}.{nearest(names[0], arrays)} It has {known}.")
