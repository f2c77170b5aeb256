from dataclasses import replace

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
    assert all(set(labels[part]) == {"a", "b", "c"} for part in cut[:4])


@settings(max_examples=50)
@given(st.lists(st.integers(20, 150), min_size=2, max_size=6), st.integers(0, 100))
def test_without_groups_every_part_holds_its_fraction_within_two(sizes, seed):
    labels = np.repeat([f"class {i}" for i in range(len(sizes))], sizes)
    if len(labels) < 100:
        return
    cut = parts(split(dataset(labels), seed))
    for fraction, part in zip(FRACTIONS, cut[:4], strict=True):
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
    assert [len(part) for part in cut] == [100, 40, 30, 30, 0]


def test_a_class_of_four_is_in_every_part():
    for seed in range(20):
        labels = np.array(["common"] * 150 + ["rare"] * 4)
        assert all("rare" in labels[part] for part in parts(split(dataset(labels), seed))[:4])


def test_other_fractions():
    cut = parts(split(dataset(["a", "b"] * 100), 0, (0.25, 0.25, 0.25, 0.25)))
    assert [len(part) for part in cut] == [50, 50, 50, 50, 0]


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


def own_split(held_out, labels, groups=None):
    held_out = np.asarray(held_out, bool)
    return replace(dataset(labels, groups), held_out=held_out)


@st.composite
def held(draw):
    """Labels, groups of a few examples that may reach over the files, and what is held out."""
    n = draw(st.integers(300, 500))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    labels = rng.choice(["a", "b"], n, p=[0.7, 0.3])
    return labels, rng.integers(0, draw(st.integers(400, 3000)), n), rng.random(n) < 0.6


@settings(max_examples=50)
@given(held(), st.integers(0, 100), st.integers(0, 12))
def test_with_its_own_split_the_pool_is_all_that_is_not_held_out_and_what_shares_a_group_with_it(drawn, seed, wanted):
    labels, groups, held_out = drawn
    cut = parts(split(own_split(held_out, labels, groups), seed, calibration=wanted))
    in_pool = {group for group, out in zip(groups.tolist(), held_out.tolist(), strict=True) if not out}
    assert cut[0].tolist() == [row for row, group in enumerate(groups.tolist()) if group in in_pool]
    np.testing.assert_array_equal(np.sort(np.concatenate(cut)), np.arange(len(labels)))
    told = [set(groups[part].tolist()) for part in cut]
    assert sum(map(len, told)) == len(set.union(*told))
    assert all(set(labels[part]) == {"a", "b"} for part in cut[:4])


def test_held_out_examples_are_dealt_in_the_proportions_of_the_default_fractions():
    labels = ["a", "b"] * 600
    cut = parts(split(own_split([False] * 200 + [True] * 1000, labels), 0))
    assert [len(part) for part in cut] == [200, 400, 300, 300, 0]
    for part in cut[:4]:
        assert abs(np.mean(np.array(labels)[part] == "a") - 0.5) < 0.01


def test_an_equal_example_in_the_held_out_file_goes_to_the_pool():
    values = np.arange(300.0)
    values[250] = values[3]
    data = replace(from_arrays(values[:, None], ["a", "b"] * 150), held_out=np.arange(300) >= 150)
    assert split(data, 0).pool.tolist() == [*range(150), 250]


def test_its_own_split_is_part_of_the_digest():
    labels, held_out = ["a", "b"] * 100, np.arange(200) >= 100
    plain, own = dataset(labels), own_split(held_out, labels)
    assert len({plain.digest, own.digest, own_split(~held_out, labels).digest}) == 3


def test_without_its_own_split_digest_and_parts_are_what_they_were():
    # Recorded before data sets could bring a split of their own.
    assert bundled("wine").digest[:16] == "1eab26dcca09a867"
    sums = [int(part.sum()) for part in parts(split(bundled("wine"), 0))[:4]]
    assert sums == [7929, 3167, 2326, 2331]


def test_its_own_split_needs_enough_of_every_class_held_out():
    labels = ["a", "b"] * 100
    with pytest.raises(InputError, match=r"its own split.* give pool 180, validation 8"):
        split(own_split(np.arange(200) >= 180, labels), 0)
    held_out = (np.arange(200) >= 80) & (np.array(labels) == "a")
    with pytest.raises(InputError, match=r"Class 'b'.*none is left for validation.*one group in the pool and 3 held"):
        split(own_split(held_out, labels), 0)


@settings(max_examples=40)
@given(grouped(), st.integers(0, 50), st.integers(1, 15), st.booleans())
def test_calibration_is_taken_from_validation_and_from_nothing_else(drawn, seed, wanted, own):
    labels, groups = drawn
    if own:
        data = own_split(np.arange(len(labels)) >= 30, np.resize(["a", "b", "c"], len(labels)))
    else:
        data = dataset(labels, groups)
    plain = split(data, seed)
    try:
        cut = split(data, seed, calibration=wanted)
    except InputError:
        # Of a part of 30 or more only a large group, or a class of a single one, is too much.
        assert not own
        return
    for name in ("pool", "population", "test"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(plain, name))
    np.testing.assert_array_equal(np.sort(np.concatenate([cut.validation, cut.calibration])), plain.validation)
    sizes = np.bincount(data.groups)[data.groups[plain.validation]]
    assert wanted <= len(cut.calibration) < wanted + max(1, sizes.max())
    assert not set(data.groups[cut.validation]) & set(data.groups[cut.calibration])


def test_calibration_holds_every_class_at_its_share_and_exactly_so_many():
    labels = np.array(["a"] * 600 + ["b"] * 300 + ["c"] * 100)
    for wanted in (1, 20, 37, 150):
        chosen = labels[split(dataset(labels), 1, calibration=wanted).calibration]
        assert len(chosen) == wanted
        for name, share in (("a", 0.6), ("b", 0.3), ("c", 0.1)):
            assert abs((chosen == name).sum() - share * wanted) <= 1


def test_calibration_is_drawn_by_the_seed():
    first, other = (split(dataset(["a", "b"] * 200), seed, calibration=20).calibration for seed in (0, 1))
    assert first.tolist() != other.tolist()


def test_too_many_for_calibration_are_refused():
    data = dataset(["a", "b"] * 100)
    with pytest.raises(InputError, match=r"31 examples for calibration are too many.*40 validation.*leave 9,.*most 30"):
        split(data, 0, calibration=31)
    with pytest.raises(InputError, match="cannot be negative"):
        split(data, 0, calibration=-1)
    rare = dataset(["common"] * 196 + ["rare"] * 4)
    with pytest.raises(InputError, match="leave none of class 'rare'"):
        split(rare, 0, calibration=25)
