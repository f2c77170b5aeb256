"""What every data source must give: a valid data set, the same every time, that an audit can cut."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import numpy as np

from quantleak.data import Dataset, split
from quantleak.data.targets import Task
from quantleak.testing.expect import expect


def check_source(source: Callable[[str], Dataset], text: str = "") -> None:
    """Check the data set that a source gives.

    Args:
        source: The function that the entry point names.
        text: What a user writes after `name:`.

    Raises:
        AssertionError: Saying what is wrong with the data set.
        InputError: If it is too small to be split.

    Example:
        >>> from quantleak.data import bundled
        >>> check_source(bundled, "wine")
    """
    dataset = source(text)
    expect(isinstance(dataset, Dataset), f"The source must give a quantleak Dataset, got {type(dataset).__name__}.")
    _check_lengths(dataset)
    _check_targets(dataset)
    _check_groups(dataset)
    _check_features(dataset)
    _check_stable(source, text, dataset)
    parts = split(dataset, seed=0)
    together = np.sort(np.concatenate([parts.pool, parts.validation, parts.population, parts.test]))
    expect(np.array_equal(together, np.arange(len(dataset))), "Its parts do not cover the data set.")


def _check_lengths(dataset: Dataset) -> None:
    for name, values in {"targets": dataset.targets, "groups": dataset.groups, "rows": dataset.rows}.items():
        expect(values.ndim == 1, f"{name} must be [N], got shape {values.shape}.")
        found, wanted = len(values), len(dataset.features)
        expect(found == wanted, f"There are {wanted} rows of features but {found} {name}.")


def _check_targets(dataset: Dataset) -> None:
    expect(dataset.task in get_args(Task), f"task must be one of {', '.join(get_args(Task))}, got {dataset.task!r}.")
    values = dataset.targets
    if dataset.task == "regression":
        expect(dataset.classes is None, "A regression has no classes; give classes=None.")
        expect(values.dtype == np.float64, f"Targets of a regression must be float64, got {values.dtype}.")
        expect(bool(np.isfinite(values).all()), "Targets hold NaN or infinity.")
        return
    classes = dataset.classes or ()
    expect(values.dtype == np.int64, f"Targets of classes must be int64 codes, got {values.dtype}.")
    codes = np.unique(values).tolist()
    expect(codes == list(range(len(classes))), f"Targets must use every code of {len(classes)} classes, got {codes}.")
    expect(dataset.task != "binary" or len(classes) == 2, f"A binary task has 2 classes, got {len(classes)}.")


def _check_groups(dataset: Dataset) -> None:
    for name, values in {"groups": dataset.groups, "rows": dataset.rows}.items():
        expect(values.dtype == np.int64, f"{name} must be int64, got {values.dtype}.")
    unique = len(np.unique(dataset.rows)) == len(dataset) and dataset.rows.min() >= 1
    expect(bool(unique), "rows must be the numbers of the data rows, counted from 1, each once.")
    group_of: dict[bytes, int] = {}
    for key, group in zip(dataset.features.row_keys(), dataset.groups.tolist(), strict=True):
        expect(group_of.setdefault(key, group) == group, "Examples with equal features must share a group.")


def _check_features(dataset: Dataset) -> None:
    n = len(dataset)
    fit = np.arange(0, n, 2)
    encoded = dataset.encode(fit)
    right = encoded.dtype == np.float32 and encoded.shape[:1] == (n,) and encoded.ndim >= 2
    expect(right, f"encode must give float32 [{n}, ...], got {encoded.dtype} {list(encoded.shape)}.")
    expect(bool(np.isfinite(encoded).all()), "encode gives NaN or infinity.")
    alone = dataset.features.take(fit).encode(np.arange(len(fit)))
    expect(np.array_equal(encoded[fit], alone), "encode looks at rows beyond those that it may fit on.")


def _check_stable(source: Callable[[str], Dataset], text: str, dataset: Dataset) -> None:
    # A source that draws from the global stream gives itself away.
    state = np.random.get_state()
    try:
        np.random.seed(12345)
        again = source(text)
    finally:
        np.random.set_state(state)
    expect(again.digest == dataset.digest, "The source gives other data, or another order, when it is called again.")
    expect(np.array_equal(again.rows, dataset.rows), "The source gives other row numbers when it is called again.")
