"""Examples that belong together: exact duplicates and the user's groups, merged until no two groups touch."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from quantleak.data.checks import list_rows
from quantleak.errors import InputError


def merge_groups(*labellings: Sequence[Hashable] | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The finest grouping in which two examples that share a label in any labelling share a group.

    Args:
        labellings: Each gives one label for each of the same N examples.

    Returns:
        int64 `[N]`, codes 0, 1, 2, ... in order of first appearance.

    Example:
        >>> merge_groups(["a", "b", "a", "c"], [1, 2, 3, 2])
        array([0, 1, 0, 1])
    """
    coded = [codes_of(labels) for labels in labellings]
    n = len(coded[0])
    offsets = np.cumsum([n, *(codes.max(initial=-1) + 1 for codes in coded)])
    labels = np.concatenate([codes + offset for codes, offset in zip(coded, offsets, strict=False)])
    rows = np.tile(np.arange(n), len(coded))
    size = int(offsets[-1])
    graph = coo_array((np.ones(len(rows), np.int8), (rows, labels)), shape=(size, size))
    _, components = connected_components(graph, directed=False)
    return codes_of(components[:n])


def require_labels(labels: npt.NDArray[Any], name: str) -> None:
    """Refuse an array that does not give each example one label.

    Raises:
        InputError: If it has not one axis, holds neither numbers nor text, or a label is missing (NaN, None, NaT or
            the empty text).
    """
    if labels.ndim != 1:
        raise InputError(f"The group {name!r} must be one label an example, got shape {labels.shape}.")
    if labels.dtype.kind not in "biufmMUSO":
        raise InputError(f"The group {name!r} must hold numbers or text, got {labels.dtype}.")
    if not all(isinstance(label, Hashable) for label in (labels.tolist() if labels.dtype.kind == "O" else ())):
        raise InputError(f"The group {name!r} must hold numbers or text, got lists or other containers.")
    empty = np.array([isinstance(label, str | bytes) and not label for label in labels], bool)
    missing = np.asarray(pd.isna(labels)) | empty
    if missing.any():
        raise InputError(f"The group {name!r} is missing in {list_rows(missing)}. Give each row a group.")


def codes_of(labels: Sequence[Hashable] | npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """int64 `[N]`: equal labels get equal codes, numbered by first appearance.

    Example:
        >>> codes_of(["x", "y", "x"])
        array([0, 1, 0])
    """
    seen: dict[Hashable, int] = {}
    plain = labels.tolist() if isinstance(labels, np.ndarray) else labels
    return np.fromiter((seen.setdefault(label, len(seen)) for label in plain), np.int64, len(plain))
