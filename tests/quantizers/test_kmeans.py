"""Learned codebooks against scikit-learn's k-means; nearest entries by enumeration."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from quantleak.quantizers.kmeans import learn_entries, nearest_entries, nearest_index, squared_distance


@given(seed=st.integers(0, 10**6), dim=st.integers(1, 3), size=st.integers(1, 7))
def test_nearest_entries_are_those_of_enumeration(seed, dim, size):
    rng = np.random.default_rng(seed)
    vectors = torch.from_numpy(rng.integers(-4, 5, (2, 9, dim)) / 2.0)
    drawn = [np.unique(rng.integers(-4, 5, (size, dim)), axis=0) for _ in range(2)]
    fewest = min(map(len, drawn))
    entries = torch.from_numpy(np.stack([one[:fewest] for one in drawn]).astype(float))
    index, found = nearest_index(vectors, entries), nearest_entries(vectors, entries)
    for model, row in np.ndindex(2, 9):
        distances = [float(((vectors[model, row] - e) ** 2).sum()) for e in entries[model]]
        assert int(index[model, row]) == distances.index(min(distances))
        assert found[model, row].tolist() == entries[model, index[model, row]].tolist()
        np.testing.assert_allclose(squared_distance(vectors, entries)[model, row].numpy(), distances)


@pytest.mark.parametrize("dim", [1, 2])
def test_the_error_is_close_to_scikit_learns_best_of_twenty(dim):
    points = torch.randn(3, 400, dim, generator=torch.Generator().manual_seed(0))
    entries = learn_entries(points, 8)
    for one, learned in zip(points, entries, strict=True):
        ours = float(squared_distance(one[None], learned[None]).amin(-1).sum())
        best = KMeans(8, n_init=20, random_state=0).fit(one.double().numpy()).inertia_
        assert ours <= 1.25 * best


def test_models_do_not_see_each_other():
    points = torch.randn(4, 50, 1, generator=torch.Generator().manual_seed(1))
    together = learn_entries(points, 5)
    for model in range(4):
        assert torch.equal(learn_entries(points[model : model + 1], 5)[0], together[model])


def test_entries_are_ascending_and_exact_in_bfloat16():
    entries = learn_entries(torch.randn(2, 300, 2, generator=torch.Generator().manual_seed(2)) * 1e-3, 16)
    assert (entries[..., 0].diff(dim=1) >= 0).all()
    assert torch.equal(entries, entries.bfloat16().double())


def test_few_distinct_vectors_are_their_own_codebook():
    entries = learn_entries(torch.tensor([[[1.0], [-2.0], [1.0], [0.5]]]), 4)
    assert sorted({*entries.flatten().tolist()}) == [-2.0, 0.5, 1.0]
