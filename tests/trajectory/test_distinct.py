"""Both sets of distinct vectors against a Python dict of bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from quantleak.store.rows import Storage
from quantleak.trajectory import distinct
from quantleak.trajectory.distinct import DistinctDigests, DistinctVectors

Visits = list[tuple[int, tuple[float, ...]]]
VISITS = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.tuples(st.integers(0, 2), st.tuples(*[st.sampled_from([-1.0, -0.0, 0.0, 0.1])] * width)),
        min_size=1,
        max_size=25,
    )
)


def oracle(visits: Visits) -> Visits:
    """The distinct visits in the order of the first of each; -0.0 and 0.0 are equal keys in Python too."""
    return list(dict.fromkeys(visits))


def by_model(visits: Visits) -> dict[int, set[tuple[float, ...]]]:
    return {model: {vector for owner, vector in visits if owner == model} for model in range(3)}


def batches(visits: Visits, size: int) -> list[tuple[Tensor, np.ndarray]]:
    parts = [visits[start : start + size] for start in range(0, len(visits), size)]
    return [
        (torch.tensor([vector for _, vector in part]), np.array([model for model, _ in part], np.int64))
        for part in parts
    ]


def few_hashes(words: Tensor) -> Tensor:
    return words.sum(1) % 4


def one_hash(words: Tensor) -> Tensor:
    return torch.zeros(len(words), dtype=torch.int64)


@given(visits=VISITS, size=st.integers(1, 9), hashing=st.sampled_from([None, few_hashes, one_hash]))
def test_vectors_are_those_of_a_dict_whatever_the_hash(
    visits: Visits, size: int, hashing: Callable[[Tensor], Tensor] | None
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if hashing:
            patch.setattr(distinct, "fingerprints", hashing)
        made = DistinctVectors(Storage(2**20))
        for vectors, owner in batches(visits, size):
            made.add(vectors, owner)
        again = DistinctVectors(Storage(0))
        again.load(made.state())
        for vectors, owner in batches(visits, size):
            again.add(vectors, owner)  # nothing that is not there
    expected = [(model, tuple(torch.tensor(vector).tolist())) for model, vector in oracle(visits)]
    for found in (made, again):
        rows = [tuple(row) for row in found.span(0, len(found)).tolist()]
        held = list(zip(found.owner.tolist(), rows, strict=True))
        assert len(held) == len(expected)
        assert by_model(held) == by_model(expected)
        if hashing is None:
            assert held == expected


@given(visits=VISITS, size=st.integers(1, 9))
def test_digests_are_as_many_in_the_same_order(visits: Visits, size: int) -> None:
    made, seen = DistinctDigests(), list[list[float]]()
    for vectors, owner in batches(visits, size):
        start = len(made)
        made.add(vectors, owner)
        if len(made) > start:
            seen += made.span(start, len(made)).tolist()
            made.drop(len(made) - start)
    expected = oracle(visits)
    assert made.owner.tolist() == [model for model, _ in expected]
    assert seen == [torch.tensor(vector).tolist() for _, vector in expected]
    again = DistinctDigests()
    again.load(made.state())
    for vectors, owner in batches(visits, size):
        again.add(vectors, owner)
    assert again.state()["digests"] == made.state()["digests"]
    assert len(set(zip(again.owner.tolist(), again.state()["digests"], strict=True))) == len(expected)


@given(
    path=st.lists(st.lists(st.sampled_from([-1.0, -0.0, 0.0]), min_size=2, max_size=2), min_size=1, max_size=12),
    cut=st.integers(0, 12),
)
def test_moved_misses_no_vector_that_differs_from_the_one_before(path: list[list[float]], cut: int) -> None:
    made = DistinctVectors(Storage(2**20))
    stack = torch.tensor(path)[None]
    moved = torch.cat([made.moved(part) for part in (stack[:, :cut], stack[:, cut:])], 1)[0]
    differs = [number == 0 or one != path[number - 1] for number, one in enumerate(path)]
    assert all(found or not there for found, there in zip(moved.tolist(), differs, strict=True))
    assert not any(
        one == before and str(one) == str(before) and found
        for before, one, found in zip(path, path[1:], moved.tolist()[1:], strict=False)
    )
