"""The suite passes our own data sets and finds each fault that one can build in."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantleak.data import Dataset, bundled, from_arrays
from quantleak.data.sources.bundled import DESCRIPTIONS
from quantleak.testing import check_source

Change = Callable[[Dataset], Any]
RNG = np.random.default_rng(3)
X = RNG.normal(size=(200, 4))
Y = np.arange(200) % 2


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_our_own_pass(name: str) -> None:
    check_source(bundled, name)


def fields(**changed: Any) -> Change:
    def change(dataset: Dataset) -> Dataset:
        changed_one = copy(dataset)
        # Past the constructor, whose types are checked while testing but not at a user's.
        vars(changed_one).update(changed)
        return changed_one

    return change


class LooksAtAll:
    """Features that are scaled with every row, whatever they may be fitted on."""

    def __init__(self, features) -> None:
        self.features = features

    def __len__(self) -> int:
        return len(self.features)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.features, name)

    def take(self, rows):
        return LooksAtAll(self.features.take(rows))

    def encode(self, fit):
        return self.features.encode(np.arange(len(self.features)))


FAULTS: dict[str, tuple[Change, str]] = {
    "another type": (lambda dataset: [1, 2], "must give a quantleak Dataset, got list"),
    "another task": (fields(task="ranking"), "task must be one of"),
    "targets of two axes": (fields(targets=np.zeros((200, 1), np.int64)), r"targets must be \[N\]"),
    "targets as floats": (fields(targets=Y.astype(float)), "int64 codes, got float64"),
    "a class without examples": (fields(classes=("a", "b", "c"), task="multiclass"), "every code of 3 classes"),
    "binary with one class": (fields(classes=("a",), targets=np.zeros(200, np.int64)), "binary task has 2 classes"),
    "regression with classes": (fields(task="regression"), "no classes"),
    "regression with NaN": (
        fields(task="regression", classes=None, targets=np.full(200, np.nan)),
        "Targets hold NaN",
    ),
    "short groups": (fields(groups=np.zeros(3, np.int64)), "200 rows of features but 3 groups"),
    "rows from 0": (fields(rows=np.arange(200)), "counted from 1"),
    "features of fewer rows": (
        lambda dataset: replace(dataset, features=dataset.features.take(np.arange(150))),
        "150 rows of features but 200 targets",
    ),
    "scaled with all rows": (
        lambda dataset: replace(dataset, features=LooksAtAll(dataset.features)),
        "rows beyond those",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_in_words(fault: str) -> None:
    change, told = FAULTS[fault]
    with pytest.raises(AssertionError, match=told):
        check_source(lambda text: change(from_arrays(X, Y)))


def test_equal_features_in_two_groups_are_told() -> None:
    twice = np.concatenate([X, X])
    dataset = replace(from_arrays(twice, np.concatenate([Y, Y])), groups=np.arange(400))
    with pytest.raises(AssertionError, match="must share a group"):
        check_source(lambda text: dataset)


def test_another_order_each_time_is_told() -> None:
    def shuffled(text: str) -> Dataset:
        order = np.random.permutation(200)
        return from_arrays(X[order], Y[order])

    before = np.random.get_state()[1].copy()
    with pytest.raises(AssertionError, match="another order"):
        check_source(shuffled)
    assert before.shape == np.random.get_state()[1].shape
