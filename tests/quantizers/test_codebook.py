from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from quantleak.errors import InputError
from quantleak.quantizers import Codebook, quantizer

small = st.integers(-8, 8).map(float)


def nearest_by_enumeration(vectors: np.ndarray, entries: np.ndarray) -> np.ndarray:
    """Oracle: squared distances in a double loop; Python's min takes the first of equals."""
    best = [
        min(entries.tolist(), key=lambda e: sum((b - x) ** 2 for b, x in zip(vector, e, strict=True)))
        for vector in vectors.tolist()
    ]
    return np.array(best)


@given(data=st.data(), dim=st.integers(1, 3), size=st.integers(1, 6), count=st.integers(1, 8))
def test_the_nearest_entry_wins_and_the_first_of_equals(data, dim, size, count):
    entries = data.draw(arrays(np.float64, (size, dim), elements=small))
    vectors = data.draw(arrays(np.float64, (count, dim), elements=small))
    ours = Codebook(entries=torch.from_numpy(entries))(torch.from_numpy(vectors))
    assert np.array_equal(ours.numpy(), nearest_by_enumeration(vectors, entries))


def test_the_last_block_is_filled_with_zeros():
    rule = Codebook(entries=[[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    assert rule(torch.tensor([2.0, 2.0, 0.9])).tolist() == [2, 2, 1]


def test_a_given_codebook_compares_by_value_and_has_a_label():
    first, second = Codebook(entries=torch.tensor([1.0, -1.0, 1.0])), Codebook(entries=[[1.0], [-1.0]])
    assert first == second
    assert hash(first) == hash(second)
    assert first.spec == second.spec != Codebook(entries=[2.0]).spec
    with pytest.raises(InputError):
        quantizer(first.spec)
    assert first.effective_bits((10,)) == 1


@given(
    pool=st.lists(st.integers(-64, 64).map(lambda i: i / 8), min_size=1, max_size=5, unique=True),
    picks=st.lists(st.integers(0, 4), min_size=1, max_size=40),
)
def test_few_distinct_values_are_kept(pool, picks):
    weight = torch.tensor([pool[i % len(pool)] for i in picks])
    assert torch.equal(Codebook(size=5)(weight), weight)


@given(
    weight=arrays(np.float32, (2, 24), elements=st.floats(-4, 4, width=32)),
    spec=st.sampled_from(["codebook:4", "codebook:4?dim=2"]),
)
@settings(max_examples=30)
def test_quantizing_twice_changes_nothing(weight, spec):
    rule = quantizer(spec)
    once = rule(torch.from_numpy(weight), batch_dims=1)
    # Means of clusters come from float64 sums over the row: equal entries far below its scale move by a rounding.
    torch.testing.assert_close(rule(once, batch_dims=1), once, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dim", [1, 2])
def test_well_separated_clusters_are_found(dim):
    generator = torch.Generator().manual_seed(1)
    centres = torch.tensor([-9.0, -3.0, 3.0, 9.0])
    vectors = centres.repeat(50)[:, None] + 0.2 * torch.randn(200, dim, generator=generator)
    quantized = Codebook(size=4, dim=dim)(vectors)
    for k in range(4):
        cluster = vectors[k::4]
        torch.testing.assert_close(quantized[k::4], cluster.mean(0).expand_as(cluster), rtol=2**-8, atol=0)


def test_k_means_is_near_the_optimum_found_by_enumeration():
    """In one dimension the best clusters are ranges of the sorted values: try every pair of cuts."""
    weight = torch.randn(24, generator=torch.Generator().manual_seed(3)).double()
    ordered = weight.sort().values
    ranges = ((ordered[:a], ordered[a:b], ordered[b:]) for a, b in itertools.combinations(range(1, 24), 2))
    best = min(sum(float(((r - r.mean()) ** 2).sum()) for r in cuts) for cuts in ranges)
    ours = float((Codebook(size=3)(weight) - weight).square().sum())
    assert best <= ours <= 1.25 * best


def test_levels_of_a_batch():
    weight = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    assert Codebook(size=2).levels(weight, batch_dims=1).tolist() == [[1, 2], [3, 4]]
    assert Codebook(entries=[1.0, -1.0]).levels(weight, batch_dims=1).tolist() == [[-1, 1], [-1, 1]]


def test_bits_count_indices_and_learned_entries():
    assert Codebook(size=16).effective_bits((100, 10)) == 4 + 16 * 16 / 1000
    assert Codebook(size=16, dim=3).effective_bits((10,)) == (4 * 4 + 16 * 16 * 3) / 10


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"size": 2, "entries": [1.0]},
        {"size": 0},
        {"size": 4, "dim": 0},
        {"entries": [torch.nan]},
        {"entries": []},
    ],
)
def test_settings_that_make_no_codebook(settings):
    with pytest.raises(InputError, match="codebook"):
        Codebook(**settings)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.bfloat16])
def test_a_learned_codebook_stays_inside_the_dtype(dtype: torch.dtype) -> None:
    largest = torch.finfo(dtype).max
    weight = torch.tensor([largest, -largest, 1.0, 2.0, 3.0], dtype=dtype)
    quantized = Codebook(size=3)(weight)
    assert torch.isfinite(quantized).all()
    assert quantized[0] == -quantized[1] >= largest * (1 - 2**-8)
    assert torch.isfinite(Codebook(size=3).levels(weight)).all()


def test_entries_beyond_the_dtype_are_refused() -> None:
    rule = Codebook(entries=[0.0, 70000.0])
    assert rule(torch.tensor([7e4])) == 70000
    with pytest.raises(InputError, match=r"beyond torch.float16; quantize weight.float\(\)"):
        rule(torch.tensor([6e4], dtype=torch.float16))
