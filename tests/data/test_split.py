import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantleak.data import bundled, from_arrays, split
from quantleak.data.split import FRACTIONS, PARTS
from quantleak.errors import InputError


def dataset(labels, groups=None, task=None):
    return from_arrays(np.arange(float(len(labels)))[:, None], labels, groups=groups, task=task)


def parts(cut):
    return [getattr(cut, name) for name in PARTS]


@st.composite
def grouped(draw):
    n = draw(st.integers(150, 400))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]), rng.integers(0, draw(st.integers(60, 1000)), n)


@settings(max_examples=50)
@given(grouped(), st.integers(0, 100))
def test_parts_are_sorted_disjoint_cover_all_and_cut_no_group(given_data, seed):
    labels, groups = given_data
    cut = parts(split(dataset(labels, groups), seed))
    np.testing.assert_array_equal(np.sort(np.concatenate(cut)), np.arange(len(labels)))
    assert all((np.diff(part) > 0).all() for part in cut)
    held = [set(groups[part].tolist()) for part in cut]
    assert sum(map(len, held)) == len(set.union(*held))
    assert all(set(labels[part]) == {"a", "b", "c"} for part in cut)


@settings(max_examples=50)
@given(st.lists(st.integers(20, 150), min_size=2, max_size=6), st.integers(0, 100))
def test_without_groups_every_part_holds_its_fraction_within_two(sizes, seed):
    labels = np.repeat([f"class {i}" for i in range(len(sizes))], sizes)
    if len(labels) < 100:
        return
    cut = parts(split(dataset(labels), seed))
    for fraction, part in zip(FRACTIONS, cut, strict=True):
        assert abs(len(part) - fraction * len(labels)) <= 2
        for code, size in enumerate(sizes):
            assert abs((labels[part] == f"class {code}").sum() - fraction * size) <= 2


def test_the_split_is_seeded():
    first, again, other = (parts(split(bundled("wine"), seed)) for seed in (0, 0, 1))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any(len(a) != len(b) or (a != b).any() for a, b in zip(first, other, strict=True))


def test_every_example_is_equally_likely_in_each_part():
    labels = ["a"] * 60 + ["b"] * 40
    data = dataset(labels)
    pooled = np.zeros(100)
    for seed in range(400):
        pooled[split(data, seed).pool] += 1
    assert np.abs(pooled / 400 - 0.5).max() < 0.11


def test_large_and_small_groups_are_spread_alike():
    sizes = np.tile([1, 1, 1, 9], 50)
    groups = np.repeat(np.arange(200), sizes)
    data = dataset(["a", "b"] * (len(groups) // 2), groups)
    large = [np.mean(sizes[np.unique(groups[split(data, seed).pool])] == 9) for seed in range(60)]
    assert abs(np.mean(large) - 0.25) < 0.03


def test_regression_is_split_without_classes():
    cut = parts(split(dataset(np.linspace(0, 1, 200)), 0))
    assert [len(part) for part in cut] == [100, 40, 30, 30]


def test_a_class_of_four_is_in_every_part():
    for seed in range(20):
        labels = np.array(["common"] * 150 + ["rare"] * 4)
        assert all("rare" in labels[part] for part in parts(split(dataset(labels), seed)))


def test_other_fractions():
    cut = parts(split(dataset(["a", "b"] * 100), 0, (0.25, 0.25, 0.25, 0.25)))
    assert [len(part) for part in cut] == [50, 50, 50, 50]


def test_too_few_examples_are_counted():
    with pytest.raises(InputError, match=r"40 in 40 groups give pool 2\d, .*each part needs at least 10"):
        split(dataset(["a", "b"] * 20), 0)


def test_a_class_too_rare_is_named():
    with pytest.raises(InputError, match=r"Class 'rare' .* has 3 examples in 3 groups.*at least 4 groups"):
        split(dataset(["common"] * 150 + ["rare"] * 3), 0)
    with pytest.raises(InputError, match=r"Class 'rare' .* has 40 examples in 1 groups"):
        split(dataset(["common"] * 150 + ["rare"] * 40, [*range(150), *[150] * 40]), 0)


@pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.1, 0.1), (1.0, 0.0, 0.0, 0.0), (1.2, -0.1, -0.05, -0.05)])
def test_fractions_that_are_no_shares(fractions):
    with pytest.raises(InputError, match="positive fractions with sum 1"):
        split(dataset(["a", "b"] * 100), 0, fractions)
